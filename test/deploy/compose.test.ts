import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SETTINGS } from '../../src/config/settings.ts';
import { pathOf, read, readYaml } from './files.ts';

/** The profiles of docker-compose.yml. test/deploy/container.test.ts checks the service itself. */

interface ComposeService {
  profiles?: string[];
  image?: string;
  ports?: string[];
  volumes?: string[];
  environment?: Record<string, unknown>;
  cap_drop?: string[];
  security_opt?: string[];
  stop_grace_period?: string;
  // biome-ignore lint/suspicious/noExplicitAny: only compared.
  [more: string]: any;
}

const services: Record<string, ComposeService> = readYaml('docker-compose.yml').services;
const {
  'face-embedding': single,
  replica,
  balancer,
  prometheus,
  grafana,
} = services as Record<string, ComposeService>;

/** Replaces `${NAME:-8080}` by its default, 8080. */
const withDefaults = (text: string) => text.replace(/\$\{\w+:-([^}]*)\}/g, '$1');
const published = (service: ComposeService | undefined) =>
  (service?.ports ?? []).map((port) => withDefaults(port).split(':').slice(0, -1).join(':'));

describe('docker-compose.yml', () => {
  it('starts one service without a profile', () => {
    const plain = Object.entries(services).filter(([, service]) => service.profiles === undefined);
    expect(plain.map(([name]) => name)).toEqual(['face-embedding']);
  });

  it('publishes each port once, with any combination of profiles', () => {
    const ports = Object.values(services).flatMap((service) =>
      published(service).map((port) => port.split(':').at(-1)),
    );
    expect(new Set(ports).size).toBe(ports.length);
  });

  it('publishes only the API to other machines, and ports without a login on localhost', () => {
    expect(published(replica)).toEqual([]);
    expect(published(single)).toEqual(['8000']);
    expect(published(balancer)).toEqual(['8080', '127.0.0.1:8404']);
    for (const service of [prometheus, grafana]) {
      expect(published(service)).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+$/)]);
    }
  });

  it('configures replicas like the single service, apart from ports, profile and resources', () => {
    const { ports, environment, deploy, profiles, ...same } = replica as ComposeService;
    expect(single).toMatchObject(same);
    expect(environment).toEqual({ ...single?.environment, PORT: SETTINGS.PORT.default });
    expect(deploy.resources).toEqual(single?.deploy.resources);
    expect(profiles).toEqual(['scale']);
  });

  it('pins every image', () => {
    for (const { image } of [balancer, prometheus, grafana] as ComposeService[]) {
      expect(image).toMatch(/^[\w./-]+:v?\d+\.\d+\.\d+(-\w+)?$/);
    }
  });

  it('mounts only folders that exist', () => {
    const mounts = Object.values(services).flatMap((service) => service.volumes ?? []);
    const folders = mounts.filter((mount) => mount.startsWith('./'));
    expect(folders).toHaveLength(4);
    for (const mount of folders) {
      expect(mount).toMatch(/:ro$/);
      expect(existsSync(pathOf(mount.split(':')[0] as string)), mount).toBe(true);
    }
  });

  it('drops all capabilities in every container', () => {
    for (const [name, service] of Object.entries(services)) {
      expect(service.cap_drop, name).toEqual(['ALL']);
      expect(service.security_opt, name).toEqual(['no-new-privileges:true']);
    }
  });

  it('lets the balancer finish its requests before Docker kills it', () => {
    const [, seconds] = /hard-stop-after (\d+)s/.exec(read('deploy/haproxy/haproxy.cfg')) ?? [];
    expect(Number.parseInt(balancer?.stop_grace_period as string, 10)).toBeGreaterThan(Number(seconds));
  });
});

describe('the configuration files that Compose mounts', () => {
  it('lets HAProxy find the replicas', () => {
    const haproxy = read('deploy/haproxy/haproxy.cfg');
    // biome-ignore lint/suspicious/noTemplateCurlyInString: HAProxy's own syntax.
    expect(haproxy).toContain('"${REPLICA_HOST-replica}:${REPLICA_PORT-8000}"');
    expect(Object.keys(services)).toContain('replica');
    for (const name of Object.keys(balancer?.environment ?? {})) expect(haproxy).toContain(`\${${name}-`);
  });

  it('lets Prometheus find every service', () => {
    const { scrape_configs, rule_files } = readYaml('deploy/prometheus/prometheus.yml');
    const [service, proxy] = scrape_configs.map(
      (config: { dns_sd_configs: { names: string[]; port: number }[] }) => config.dns_sd_configs[0],
    );
    expect(service).toMatchObject({
      names: ['face-embedding', 'replica'],
      port: single?.environment?.METRICS_PORT,
    });
    expect(proxy).toMatchObject({ names: ['balancer'], port: 8404 });
    for (const file of rule_files) expect(existsSync(pathOf(`deploy/prometheus/${file}`))).toBe(true);
    // The alerts depend on it.
    expect(scrape_configs[0].job_name).toMatch(/^face-embedding/);
  });

  it('lets Grafana find Prometheus and the dashboard, and turns off its requests to external servers', () => {
    const { datasources } = readYaml('deploy/grafana/provisioning/datasources/prometheus.yml');
    expect(datasources[0].url).toBe('http://prometheus:9090');
    const { providers } = readYaml('deploy/grafana/provisioning/dashboards/dashboards.yml');
    expect(grafana?.volumes).toContain(`./deploy/grafana/dashboards:${providers[0].options.path}:ro`);
    expect(grafana?.environment).toMatchObject({
      GF_ANALYTICS_REPORTING_ENABLED: 'false',
      GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
      GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: 'false',
      GF_NEWS_NEWS_FEED_ENABLED: 'false',
      GF_PLUGINS_PREINSTALL_DISABLED: 'true',
      GF_SECURITY_DISABLE_GRAVATAR: 'true',
    });
  });
});
