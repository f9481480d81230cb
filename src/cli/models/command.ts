import { parseArgs } from 'node:util';
import { type Environment, loadConfig } from '../../config/load.ts';
import { type Config, SETTINGS } from '../../config/settings.ts';
import { errorMessage, StartupError } from '../../errors.ts';
import { CATALOGUE, type Catalogue } from '../../packs/catalogue.ts';
import { megabytes, type PackLog, type Terminal } from '../../packs/download/report-download.ts';
import { installPack } from '../../packs/install/install-pack.ts';
import { download } from '../../packs/obtain.ts';
import type { ModelPack } from '../../packs/pack.ts';
import { PackError, PackInvalidError, PackMissingError } from '../../packs/pack-errors.ts';
import { findPackFolders, packFolder, resolvePack, SYNTHETIC_PACK } from '../../packs/resolve.ts';
import { readThresholds } from '../../packs/thresholds.ts';

const USAGE = `Usage: npm run models -- <command>

  list                                      every pack, and whether it is installed
  install <pack> [--from <zip or folder>]   download a pack of the catalogue, or install any pack from this machine
  verify <pack>                             hash the files of an installed pack and compare

Packs lie in MODELS_DIR; MODEL_BASE_URL names a mirror to download from.
`;

/** Exit codes. */
const DONE = 0;
const FAILED = 1;
const WRONG_USAGE = 2;
/** As shells report a program that Ctrl-C ended. */
const INTERRUPTED = 130;

export interface CommandContext {
  environment: Environment;
  stdout: { write(text: string): unknown };
  stderr: Terminal;
  signal?: AbortSignal;
  catalogue?: Catalogue;
}

/** What every command needs, with the configuration read. */
type Session = CommandContext & { config: Config; catalogue: Catalogue };

class UsageError extends Error {}

/**
 * Runs `npm run models -- …`. Failures become sentences on `stderr`.
 *
 * @returns the exit code: 0, 1 for a failure, 2 for wrong usage, 130 when interrupted.
 */
export async function runModelsCommand(args: string[], context: CommandContext): Promise<number> {
  const { stderr, signal } = context;
  try {
    const { positionals, values } = parse(args);
    if (values.help) {
      context.stdout.write(USAGE);
      return DONE;
    }
    const run = commandOf(positionals, values.from);
    await run({ catalogue: CATALOGUE, ...context, config: loadConfig(context.environment) });
    return DONE;
  } catch (error) {
    if (signal?.aborted) {
      stderr.write('Interrupted. What was downloaded is kept; the same command goes on from there.\n');
      return INTERRUPTED;
    }
    if (error instanceof UsageError) {
      stderr.write(`${error.message}\n\n${USAGE}`);
      return WRONG_USAGE;
    }
    const expected = error instanceof PackError || error instanceof StartupError;
    stderr.write(`${expected ? '' : 'Unexpected failure: '}${errorMessage(error)}\n`);
    return FAILED;
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: { from: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    throw new UsageError(errorMessage(error));
  }
}

function commandOf(
  [command, name, ...rest]: string[],
  from: string | undefined,
): (session: Session) => Promise<void> {
  const surplus = command === 'list' ? name : rest[0];
  if (surplus !== undefined) throw new UsageError(`${JSON.stringify(surplus)} is one argument too many.`);
  if (from !== undefined && command !== 'install') throw new UsageError('--from is for install only.');
  switch (command) {
    case 'list':
      return list;
    case 'install': {
      const pack = packName(name);
      return (session) => install(pack, from, session);
    }
    case 'verify': {
      const pack = packName(name);
      return (session) => verify(pack, session);
    }
    case undefined:
      throw new UsageError('A command is missing.');
    default:
      throw new UsageError(`${JSON.stringify(command)} is no command.`);
  }
}

function packName(name: string | undefined): string {
  if (name === undefined) throw new UsageError('The name of a pack is missing.');
  if (SETTINGS.MODEL_NAME.parse(name) === undefined) {
    throw new UsageError(
      `${JSON.stringify(name)} cannot be the name of a pack: letters, digits, ".", "_", "-".`,
    );
  }
  return name;
}

async function list({ config, catalogue, stdout, signal }: Session): Promise<void> {
  const names = [
    ...catalogue.keys(),
    SYNTHETIC_PACK,
    ...(await findPackFolders(config.MODELS_DIR, catalogue)),
  ];
  const width = Math.max(...names.map((name) => name.length));
  stdout.write(`Packs in ${config.MODELS_DIR}:\n\n`);
  for (const name of names) {
    const lines = await describe(name, { config, catalogue, signal });
    stdout.write(`${name.padEnd(width)}  ${lines.join(`\n${' '.repeat(width + 2)}`)}\n\n`);
  }
}

async function describe(
  name: string,
  { config, catalogue, signal }: { config: Config; catalogue: Catalogue; signal?: AbortSignal | undefined },
): Promise<string[]> {
  const published = catalogue.get(name);
  try {
    const pack = await resolvePack({ name, modelsDir: config.MODELS_DIR, catalogue, signal });
    const size = megabytes(pack.detector.bytes + pack.recogniser.bytes);
    return [`${stateOf(pack)}, ${size}`, `${pack.embeddingSpace}`, pack.licence];
  } catch (error) {
    if (error instanceof PackInvalidError) return ['wrong', error.message];
    if (!(error instanceof PackMissingError) || published === undefined) throw error;
    const size = megabytes(published.detector.bytes + published.recogniser.bytes);
    return [`missing, ${size} (download ${megabytes(published.archiveBytes)})`, published.licence];
  }
}

function stateOf({ origin, detector, recogniser }: ModelPack): string {
  if (origin === 'synthetic') return 'part of this project';
  return detector.pinned && recogniser.pinned ? 'installed, verified' : 'installed, hashes unpinned';
}

async function install(name: string, from: string | undefined, session: Session): Promise<void> {
  const { config, catalogue, stdout, signal } = session;
  const place = { name, modelsDir: config.MODELS_DIR, catalogue, signal };
  if (name === SYNTHETIC_PACK) {
    if (from !== undefined)
      throw new UsageError(`${name} is part of this project; another pack needs another name.`);
    stdout.write(`${name} is part of this project: there is nothing to install.\n`);
    return;
  }
  if (from !== undefined) {
    await installPack({ ...place, from });
  } else {
    const published = catalogue.get(name);
    if (published === undefined) {
      throw new UsageError(
        `${name} is not in the catalogue (${[...catalogue.keys()].join(', ')}); say where it is with --from.`,
      );
    }
    await download(published, { ...place, baseUrl: config.MODEL_BASE_URL, log: logOn(session) });
  }
  const pack = await resolvePack(place);
  stdout.write(`${name} is installed in ${packFolder(place)}.\n${fileLines(pack)}${pack.licence}\n`);
}

async function verify(name: string, { config, catalogue, stdout, stderr, signal }: Session): Promise<void> {
  const pack = await resolvePack({ name, modelsDir: config.MODELS_DIR, catalogue, signal });
  const { thresholds, warning } = await readThresholds(
    packFolder({ name, modelsDir: config.MODELS_DIR }),
    pack,
  );
  const measured = thresholds.length === 0 ? '' : `${thresholds.length} measured thresholds.\n`;
  stdout.write(`${name}: ${stateOf(pack)}.\n${fileLines(pack)}${measured}`);
  if (warning !== undefined) stderr.write(`${warning}\n`);
}

function fileLines({ detector, recogniser }: ModelPack): string {
  const line = ({ path, sha256, pinned }: ModelPack['detector']) =>
    `${sha256}  ${path} (${pinned ? 'as expected' : 'unpinned'})\n`;
  return line(detector) + line(recogniser);
}

function logOn({ stderr }: CommandContext): PackLog {
  const write = (_fields: object, message: string) => stderr.write(`${message}\n`);
  return { info: write, warn: write };
}
