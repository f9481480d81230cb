// Known vulnerabilities of the packages that the service runs: asks the npm registry, or OSV where the registry does not answer.
// Exits with 1 when one is found, and with 2 when neither answers: that is no good news.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { PACKAGE_ROOT } from '../src/config/package.ts';

const OSV = 'https://api.osv.dev/v1/querybatch';
const TIMEOUT_MS = 60_000;

/** @returns one line for each finding; undefined if the registry does not answer. */
function askRegistry(): string[] | undefined {
  const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    shell: process.platform === 'win32',
  });
  try {
    const { vulnerabilities }: { vulnerabilities?: Record<string, { severity: string; range: string }> } =
      JSON.parse(stdout);
    if (vulnerabilities === undefined) return undefined;
    return Object.entries(vulnerabilities).map(
      ([name, { severity, range }]) => `${name} ${range}: ${severity}`,
    );
  } catch {
    return undefined;
  }
}

/** @returns one line for each finding; undefined if OSV does not answer. */
async function askOsv(): Promise<string[] | undefined> {
  const { packages }: { packages: Record<string, { version?: string; dev?: boolean }> } = JSON.parse(
    readFileSync(new URL('package-lock.json', PACKAGE_ROOT), 'utf8'),
  );
  const installed = Object.entries(packages)
    .filter(([path, { dev, version }]) => path !== '' && !dev && version)
    .map(([path, { version }]) => ({ name: path.split('node_modules/').at(-1), version }));
  const queries = installed.map(({ name, version }) => ({ package: { name, ecosystem: 'npm' }, version }));
  try {
    const answer = await fetch(OSV, {
      method: 'POST',
      body: JSON.stringify({ queries }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!answer.ok) return undefined;
    const { results } = (await answer.json()) as { results: { vulns?: { id: string }[] }[] };
    return results.flatMap(({ vulns = [] }, index) =>
      vulns.map(({ id }) => `${installed[index]?.name} ${installed[index]?.version}: ${id}`),
    );
  } catch {
    return undefined;
  }
}

const registry = askRegistry();
const findings = registry ?? (await askOsv());
if (findings === undefined) {
  console.error('Neither the npm registry nor OSV answered: nothing is known.');
  process.exitCode = 2;
} else {
  const source = registry ? 'the npm registry' : 'OSV';
  console.log(findings.length === 0 ? `No known vulnerability (${source}).` : findings.join('\n'));
  process.exitCode = findings.length === 0 ? 0 : 1;
}
