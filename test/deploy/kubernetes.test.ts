import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { SETTINGS } from '../../src/config/settings.ts';
import { pathOf, read, readYaml, readYamlDocuments } from './files.ts';

/** Checks the manifests without a cluster. tools/verify-deploy.sh builds them and validates them against the schemas. */

const FOLDER = 'deploy/kubernetes';
const base = (name: string) => readYaml(`${FOLDER}/base/${name}.yaml`);

const files = readdirSync(pathOf(FOLDER), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => join(FOLDER, file));
const kustomizations = files.filter((file) => file.endsWith('kustomization.yaml'));

const literals: Record<string, string> = Object.fromEntries(
  base('kustomization').configMapGenerator[0].literals.map((literal: string) =>
    literal.split(/=(.*)/).slice(0, 2),
  ),
);
const { MALLOC_ARENA_MAX, ...settings } = literals;
const config = loadConfig(settings);

const deployment = base('deployment');
const pod = deployment.spec.template.spec;
const [container] = pod.containers;
const service = base('service');
const autoscaler = base('horizontalpodautoscaler');
const policy = base('networkpolicy');

/** Pod templates of complete workloads and of patches that add containers. */
const templates = files
  .flatMap(readYamlDocuments)
  .filter((document) => ['Deployment', 'Job'].includes(document?.kind))
  .map((document) => document.spec.template.spec);

describe('every kustomization', () => {
  it.each(kustomizations)('%s refers to files that exist', (file) => {
    const { resources = [], components = [], patches = [] } = readYaml(file);
    const paths = [
      ...resources,
      ...components,
      ...patches.flatMap((patch: { path?: string }) => patch.path ?? []),
    ];
    for (const path of paths) expect(existsSync(pathOf(join(dirname(file), path))), path).toBe(true);
  });

  it('uses every file in the folder', () => {
    const used = new Set(kustomizations);
    for (const file of kustomizations) {
      const { resources = [], patches = [] } = readYaml(file);
      for (const path of [...resources, ...patches.flatMap((patch: { path?: string }) => patch.path ?? [])]) {
        used.add(join(dirname(file), path));
      }
    }
    expect(files.filter((file) => !used.has(file))).toEqual([]);
  });

  it('sets a version for each image', () => {
    for (const file of kustomizations) {
      for (const { newTag } of readYaml(file).images ?? []) expect(newTag, file).toMatch(/^\d+\.\d+\.\d+$/);
    }
  });
});

describe('the settings', () => {
  it('are names and values that the service accepts', () => {
    expect(Object.keys(SETTINGS)).toEqual(expect.arrayContaining(Object.keys(settings)));
    for (const file of kustomizations) {
      for (const generator of readYaml(file).configMapGenerator ?? []) {
        for (const literal of generator.literals) {
          const [name, value] = literal.split(/=(.*)/);
          if (name !== 'MALLOC_ARENA_MAX') expect(() => loadConfig({ [name]: value }), literal).not.toThrow();
        }
      }
    }
  });

  it('have the allocator settings of the image', () => {
    expect(read('Dockerfile')).toMatch(new RegExp(`MALLOC_ARENA_MAX=${MALLOC_ARENA_MAX}\\b`));
  });

  it('leave WORKERS to the CPU limit, which is a whole number', () => {
    expect(settings).not.toHaveProperty('WORKERS');
    expect(container.resources.limits.cpu).toMatch(/^[1-9]\d*$/);
  });
});

describe('the Deployment', () => {
  it('gives the service time to end before it is killed', () => {
    const longest = config.SHUTDOWN_DELAY_MS + config.SHUTDOWN_GRACE_MS;
    expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThanOrEqual(longest + 5_000);
    expect(container).not.toHaveProperty('lifecycle');
  });

  it('uses probes that exist, and restarts a container after a minute at the earliest', () => {
    const status = read('src/routes/status.ts');
    for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe]) {
      expect(status).toContain(`path: '${probe.httpGet.path}'`);
      expect(probe.httpGet.port).toBe('http');
    }
    const { periodSeconds, failureThreshold } = container.livenessProbe;
    expect(periodSeconds * failureThreshold).toBeGreaterThanOrEqual(60);
    expect(container.livenessProbe.httpGet.path).toBe('/livez');
    expect(container.readinessProbe.httpGet.path).toBe('/readyz');
  });

  it('exposes the ports that the service listens on', () => {
    const ports = Object.fromEntries(
      container.ports.map(({ name, containerPort }: { name: string; containerPort: number }) => [
        name,
        containerPort,
      ]),
    );
    expect(ports).toEqual({ http: config.PORT, metrics: config.METRICS_PORT });
    const offered = service.spec.ports.map(({ port, targetPort }: { port: number; targetPort: string }) => [
      targetPort,
      port,
    ]);
    expect(Object.fromEntries(offered)).toEqual(ports);
  });

  it('has the memory limit that the alert is based on', () => {
    const { rules } = readYaml('deploy/prometheus/alerts.yml').groups[1];
    const alert = rules.find((rule: { alert: string }) => rule.alert === 'FaceEmbeddingMemoryHigh');
    expect(container.resources.limits.memory).toBe('2Gi');
    expect(alert.expr).toContain(`0.8 * ${2 * 1024 ** 3}`);
  });

  it('replaces replicas without losing capacity', () => {
    expect(deployment.spec.strategy.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 });
    // The autoscaler sets it.
    expect(deployment.spec).not.toHaveProperty('replicas');
  });

  it('is selected by service, budget, policy and autoscaler', () => {
    const { labels } = deployment.spec.template.metadata;
    const selectors = [
      deployment.spec.selector.matchLabels,
      service.spec.selector,
      base('poddisruptionbudget').spec.selector.matchLabels,
      policy.spec.podSelector.matchLabels,
    ];
    for (const selector of selectors) expect(labels).toMatchObject(selector);
    expect(autoscaler.spec.scaleTargetRef).toMatchObject({
      kind: 'Deployment',
      name: deployment.metadata.name,
    });
  });
});

/** The restricted Pod Security Standard, https://kubernetes.io/docs/concepts/security/pod-security-standards/ */
describe('every pod', () => {
  const complete = templates.filter((template) => template.securityContext);

  it('complies with the restricted standard', () => {
    expect(complete).toHaveLength(2);
    for (const template of complete) {
      expect(template.automountServiceAccountToken).toBe(false);
      expect(template.securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const name of ['hostNetwork', 'hostPID', 'hostIPC']) expect(template).not.toHaveProperty(name);
    }
    const volumes = templates.flatMap((template) => template.volumes ?? []);
    for (const { name, ...source } of volumes) {
      expect(['emptyDir', 'persistentVolumeClaim', 'secret'], name).toContain(Object.keys(source)[0]);
    }
  });

  it('has unprivileged containers with a read-only file system and limits', () => {
    const containers = templates
      .flatMap((template) => [...(template.initContainers ?? []), ...template.containers])
      .filter((one) => one.image);
    expect(containers).toHaveLength(3);
    for (const { name, securityContext, resources, image } of containers) {
      expect(securityContext, name).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(resources.requests, name).toEqual(resources.limits);
      expect(image, name).toBe('face-embedding');
    }
  });

  it('installs weights with a command that exists, and mounts them read-only in the service', () => {
    const installers = templates
      .flatMap((template) => [...(template.initContainers ?? []), ...template.containers])
      .filter((one) => one.command);
    expect(installers).toHaveLength(2);
    for (const { command } of installers)
      expect(command).toEqual(['node', 'dist/cli/models.js', 'install', '$(MODEL_NAME)']);
    expect(existsSync(pathOf('src/cli/models.ts'))).toBe(true);
    for (const component of ['weights-init', 'weights-pvc']) {
      const [patched] = readYaml(`${FOLDER}/components/${component}/deployment.yaml`).spec.template.spec
        .containers;
      expect(patched).toMatchObject({
        name: container.name,
        volumeMounts: [{ mountPath: config.MODELS_DIR, readOnly: true }],
      });
    }
  });
});

describe('the network policies', () => {
  it('allow no egress from a pod that has its weights', () => {
    expect(policy.spec.policyTypes).toEqual(['Ingress', 'Egress']);
    expect(policy.spec.egress).toEqual([]);
    expect(config.MODEL_AUTO_DOWNLOAD).toBe(false);
  });

  it('allow callers to reach the API only, and scrapers the metrics only', () => {
    const [callers, scrapers] = policy.spec.ingress;
    expect(callers.ports).toEqual([{ port: 'http', protocol: 'TCP' }]);
    expect(scrapers.ports).toEqual([{ port: 'metrics', protocol: 'TCP' }]);
    // An overlay adds its labels to matchLabels of selectors, and callers do not have those labels.
    expect(callers.from[0].podSelector).not.toHaveProperty('matchLabels');
  });

  it('allow downloads to reach DNS, and public addresses by TLS, only', () => {
    const init = readYaml(`${FOLDER}/components/weights-init/networkpolicy.yaml`);
    const job = readYaml(`${FOLDER}/weights-volume/networkpolicy.yaml`);
    expect(job.spec.egress).toEqual(init.spec.egress);
    expect(job.spec.podSelector.matchLabels['app.kubernetes.io/component']).toBe('weights');
    const ports = init.spec.egress.flatMap((rule: { ports: { port: number }[] }) =>
      rule.ports.map(({ port }) => port),
    );
    expect(ports).toEqual([53, 53, 443]);
  });
});

describe('every folder', () => {
  it.each(kustomizations)('says first what it needs: %s', (file) => {
    expect(read(file)).toMatch(/^# Needs: \S+/);
  });
});

describe('the autoscaler', () => {
  it('scales at a load of all workers busy and as many images waiting', () => {
    const workers = Number(container.resources.limits.cpu);
    const [pods] = autoscaler.spec.metrics;
    expect(pods.pods.target.averageValue).toBe(`${(1000 * 2 * workers) / (workers + config.MAX_QUEUE)}m`);
  });

  it('keeps at least two replicas, as nodes are drained one at a time', () => {
    expect(autoscaler.spec.minReplicas).toBeGreaterThanOrEqual(2);
    expect(base('poddisruptionbudget').spec.maxUnavailable).toBe(1);
  });
});
