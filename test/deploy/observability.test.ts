import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ERROR_CATALOGUE } from '../../src/errors.ts';
import { Metrics } from '../../src/observability/metrics.ts';
import { REJECTION_REASONS, REQUEST_STAGES } from '../../src/observability/request-record.ts';
import { TinyEngine } from '../support/engine/engines.ts';
import { read, readYaml } from './files.ts';

/** Checks that rules, dashboard, autoscaler and manual use metrics that the service exports. tools/verify-deploy.sh runs promtool. */

const OPERATIONS = read('docs/OPERATIONS.md');
const dashboard = JSON.parse(read('deploy/grafana/dashboards/face-embedding.json'));
const groups: { rules: Rule[] }[] = readYaml('deploy/prometheus/alerts.yml').groups;
const rules = groups.flatMap((group) => group.rules);
const alerts = rules.filter((rule) => rule.alert !== undefined);
const recorded = rules.flatMap((rule) => rule.record ?? []);
const ruleTests = readYaml('deploy/prometheus/alerts.test.yml').tests;

interface Rule {
  alert?: string;
  record?: string;
  expr: string;
  labels?: { severity: string };
  annotations?: Record<string, string>;
}

/** Names of series that the service exports; a histogram has three. */
let exported: Set<string>;

beforeAll(async () => {
  const engine = new TinyEngine({ phase: 'ready' }, () => {
    throw new Error('This engine embeds no images.');
  });
  const metrics = new Metrics({
    engine,
    bodies: { taken: 0, capacity: 1 },
    uploads: { taken: 0 },
    log: { dropped: 0 },
    keys: { fileIsValid: true },
    version: 'test',
  });
  const types = [...(await metrics.render()).matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  exported = new Set(
    types.flatMap(([, name, type]) =>
      type === 'histogram' ? ['_bucket', '_sum', '_count'].map((suffix) => name + suffix) : [name as string],
    ),
  );
});

const KEYWORDS = new Set([
  'by',
  'on',
  'without',
  'ignoring',
  'group_left',
  'group_right',
  'and',
  'or',
  'unless',
  'bool',
  'offset',
]);

/** Names of the series in a PromQL expression: names that are not functions, keywords, labels or strings. */
function seriesIn(expression: string): string[] {
  const bare = expression
    .replace(/"[^"]*"/g, '')
    .replace(/\{[^}]*\}/g, '')
    .replace(/\[[^\]]*\]/g, '')
    .replace(/\b(by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ');
  return [...bare.matchAll(/(?<![\w:$])[a-zA-Z_:][\w:]*(?!\s*\()(?![\w:])/g)]
    .map(([name]) => name)
    .filter((name) => !KEYWORDS.has(name));
}

/** Of kube-state-metrics. */
const KUBERNETES_SERIES = [
  'kube_horizontalpodautoscaler_status_current_replicas',
  'kube_horizontalpodautoscaler_spec_max_replicas',
];

/** Includes the series that Prometheus itself adds. */
const isKnown = (name: string) =>
  exported.has(name) || recorded.includes(name) || ['up', 'ALERTS', ...KUBERNETES_SERIES].includes(name);

/** Every `label="value"` or `label=~"a|b"` in an expression. */
function labelValuesIn(expression: string): [label: string, value: string][] {
  return [...expression.matchAll(/(\w+)\s*=~?\s*"([^"]+)"/g)].flatMap(([, label, values]) =>
    (values as string).split('|').map((value): [string, string] => [label as string, value]),
  );
}

const VALUES: Record<string, readonly string[]> = {
  error_code: Object.keys(ERROR_CATALOGUE),
  reason: REJECTION_REASONS,
  stage: REQUEST_STAGES,
  route: ['/v1/embed', '/v1/compare', '/v1/health', '/livez', '/readyz'],
};

const dashboardExpressions: string[] = dashboard.panels
  .flatMap((panel: { targets?: { expr: string }[] }) => panel.targets ?? [])
  .map((target: { expr: string }) => target.expr);

describe('every expression', () => {
  const expressions = [...rules.map((rule) => rule.expr), ...dashboardExpressions];

  it('uses only series that exist', () => {
    expect(expressions.length).toBeGreaterThan(50);
    for (const expression of expressions) {
      const names = seriesIn(expression);
      expect(names, expression).not.toEqual([]);
      expect(
        names.filter((name) => !isKnown(name)),
        expression,
      ).toEqual([]);
    }
  });

  it('uses only values that labels can have', () => {
    for (const expression of expressions) {
      for (const [label, value] of labelValuesIn(expression)) {
        if (VALUES[label]) expect(VALUES[label], expression).toContain(value);
      }
    }
  });
});

describe('the alerts', () => {
  it.each(alerts.map((alert) => alert.alert as string))(
    '%s has a summary, a description and a section in the manual',
    (name) => {
      const alert = alerts.find((one) => one.alert === name) as Rule;
      expect(alert.labels?.severity).toMatch(/^(critical|warning)$/);
      expect(Object.keys(alert.annotations ?? {})).toEqual(['summary', 'description', 'runbook_url']);
      // GitHub's anchor of the heading.
      expect(alert.annotations?.runbook_url).toBe(
        `{{ $externalLabels.runbooks }}docs/OPERATIONS.md#${name.toLowerCase()}`,
      );
      expect(OPERATIONS).toMatch(new RegExp(`^### ${name}$`, 'm'));
    },
  );

  it('have no section in the manual without an alert', () => {
    const sections = [...OPERATIONS.matchAll(/^### (FaceEmbedding\w+)$/gm)].map(([, name]) => name);
    expect(sections.sort()).toEqual(alerts.map((alert) => alert.alert).sort());
  });

  it('each fire in a test of their rules', () => {
    const tested = JSON.stringify(ruleTests);
    for (const { alert } of alerts) {
      expect(
        tested.includes(`alertname=\\"${alert}\\"`) || tested.includes(`"alertname":"${alert}"`),
        alert,
      ).toBe(true);
    }
  });

  it('are tested with series that exist', () => {
    for (const { input_series } of ruleTests) {
      for (const { series } of input_series) {
        for (const name of seriesIn(series)) expect(isKnown(name), series).toBe(true);
      }
    }
  });
});

describe('the dashboard', () => {
  it('has panels with unique ids that do not overlap', () => {
    const ids = dashboard.panels.map((panel: { id: number }) => panel.id);
    expect(new Set(ids).size).toBe(ids.length);
    const taken = new Set<string>();
    for (const { title, gridPos, targets } of dashboard.panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x},${y}`), title).toBe(false);
          taken.add(`${x},${y}`);
        }
      }
      for (const { datasource } of targets ?? []) {
        // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own syntax.
        expect(datasource, title).toEqual({ type: 'prometheus', uid: '${datasource}' });
      }
    }
  });

  it('shows every metric that the service defines', () => {
    const shown = dashboardExpressions.join('\n');
    const own = new Set(
      [...exported]
        .filter((name) => name.startsWith('face_'))
        .map((name) => name.replace(/_(bucket|sum|count)$/, '')),
    );
    for (const name of own) expect(shown, name).toContain(name);
  });

  it('refers to no external server', () => {
    expect(JSON.stringify(dashboard)).not.toMatch(/https?:/);
  });
});

describe('docs/OPERATIONS.md', () => {
  it('names only metrics that exist', () => {
    const named = [...OPERATIONS.matchAll(/\b(?:face|nodejs|process)_\w+/g)].map(([name]) => name);
    const bases = new Set([...exported].map((name) => name.replace(/_(bucket|sum|count)$/, '')));
    // prometheus-adapter derives it.
    bases.add('face_utilisation');
    for (const name of named) expect(bases.has(name) || exported.has(name), name).toBe(true);
  });

  it('has the adapter rule for the metric of the autoscaler', () => {
    const [block] = [...OPERATIONS.matchAll(/```yaml\n([^`]*seriesQuery[^`]*)```/g)].map(
      ([, text]) => text as string,
    );
    const [rule] = parse(block as string).rules;
    const autoscaler = readYaml('deploy/kubernetes/base/horizontalpodautoscaler.yaml');
    const asked = autoscaler.spec.metrics.find((metric: { type: string }) => metric.type === 'Pods');
    expect(rule.name.as).toBe(asked.pods.metric.name);
    const query = rule.metricsQuery.replaceAll('<<.LabelMatchers>>', '').replaceAll('<<.GroupBy>>', 'pod');
    for (const name of [...seriesIn(rule.seriesQuery), ...seriesIn(query)])
      expect(isKnown(name), name).toBe(true);
  });
});
