import { parseArgs } from 'node:util';
import { type Environment, loadConfig } from '../../config/load.ts';
import { type Config, SETTINGS } from '../../config/settings.ts';
import { errorMessage, StartupError } from '../../errors.ts';
import { downloadBytes, installedBytes } from '../../packs/catalogue/published-pack.ts';
import { CATALOGUE, type Catalogue } from '../../packs/catalogue.ts';
import { download } from '../../packs/download/obtain-pack.ts';
import { megabytes, type Terminal } from '../../packs/download/report-download.ts';
import { installFile, isNetwork } from '../../packs/install/install-file.ts';
import { installPack } from '../../packs/install/install-pack.ts';
import { nameSource } from '../../packs/install/name-source.ts';
import type { ModelPack } from '../../packs/pack.ts';
import { PackError, PackInvalidError, PackMissingError } from '../../packs/pack-errors.ts';
import { exists, findPackFolders, packFolder, SYNTHETIC_PACK } from '../../packs/pack-folders.ts';
import { type ResolveOptions, resolvePack } from '../../packs/resolve.ts';
import { readThresholds } from '../../packs/thresholds.ts';
import { PreparedGraphs, preparedFolder } from '../../vision/prepared/prepared-pack.ts';
import { CalibrationError } from '../calibrate/calibration-error.ts';
import { fileLines, provenanceLines, sizeOf, stateOf } from './pack-lines.ts';
import { NETWORKS, QuantiseError, type QuantiseOptions } from './quantise/options.ts';

const USAGE = `Usage: npm run models -- <command>

  list                                      list all packs and their state
  install <pack>                            download a pack of the catalogue
  install [<pack> --from] <local copy>      install any pack from a zip archive or a folder, or one file (.onnx) of a
                                            pack of the catalogue
  verify <pack>                             compare the files of an installed pack with their hashes
  quantise <pack> --images <folder>         write <pack>-int8 with 8-bit networks, measured on your photographs
    [--pairs <csv>]                         also measure on pairs: image_a, image_b, same_person
    [--only detector|recogniser]            leave the other network as it is
    [--accept]                              write it although a figure is below its bound
    [--weight-bits 7|8]                     7 for a processor without VNNI; by default that of this machine decides

MODELS_DIR is the folder of the packs. MODEL_BASE_URL is the mirror to download from, if any.
`;

const EXIT = {
  success: 0,
  failure: 1,
  wrongUsage: 2,
  /** As shells report a program that was ended by Ctrl-C. */
  interrupted: 130,
} as const;

export interface CommandContext {
  environment: Environment;
  stdout: { write(text: string): unknown };
  stderr: Terminal;
  signal?: AbortSignal;
  catalogue?: Catalogue;
}

/** The context of a command with its configuration. */
type Session = CommandContext & { config: Config; catalogue: Catalogue };

class UsageError extends Error {}

/**
 * Runs `npm run models -- …`. Failures are reported on `stderr`.
 *
 * @returns the exit code: 0, 1 for a failure, 2 for wrong usage, 130 when interrupted.
 */
export async function runModelsCommand(args: string[], context: CommandContext): Promise<number> {
  const { stderr, signal } = context;
  try {
    const { positionals, values } = parse(args);
    if (values.help) {
      context.stdout.write(USAGE);
      return EXIT.success;
    }
    const run = commandOf(positionals, values);
    await run({ catalogue: CATALOGUE, ...context, config: loadConfig(context.environment) });
    return EXIT.success;
  } catch (error) {
    if (signal?.aborted) {
      const rest =
        args[0] === 'quantise' ? 'Nothing was written.' : 'Run the same command again to continue.';
      stderr.write(`Interrupted. ${rest}\n`);
      return EXIT.interrupted;
    }
    if (error instanceof UsageError) {
      stderr.write(`${error.message}\n\n${USAGE}`);
      return EXIT.wrongUsage;
    }
    const expected = [PackError, StartupError, QuantiseError, CalibrationError].some(
      (kind) => error instanceof kind,
    );
    stderr.write(`${expected ? '' : 'Unexpected failure: '}${errorMessage(error)}\n`);
    return EXIT.failure;
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        from: { type: 'string' },
        images: { type: 'string' },
        pairs: { type: 'string' },
        only: { type: 'string' },
        accept: { type: 'boolean' },
        'weight-bits': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(errorMessage(error));
  }
}

type Values = ReturnType<typeof parse>['values'];

/** The commands that have options, and which. */
const OPTIONS: Record<string, readonly (keyof Values)[]> = {
  install: ['from'],
  quantise: ['images', 'pairs', 'only', 'accept', 'weight-bits'],
};

function commandOf([command, name, ...rest]: string[], values: Values): (session: Session) => Promise<void> {
  const surplus = command === 'list' ? name : rest[0];
  if (surplus !== undefined) throw new UsageError(`${JSON.stringify(surplus)} is an unexpected argument.`);
  for (const option of Object.keys(values) as (keyof Values)[]) {
    const owner = Object.keys(OPTIONS).find((other) => OPTIONS[other]?.includes(option));
    if (owner !== command) throw new UsageError(`--${option} is an option of ${owner} only.`);
  }
  switch (command) {
    case 'list':
      return list;
    case 'install': {
      // A name, or the path of a local copy.
      const argument = values.from === undefined ? required(name) : packName(name);
      return (session) => install(argument, values.from, session);
    }
    case 'verify': {
      const pack = packName(name);
      return (session) => verify(pack, session);
    }
    case 'quantise': {
      const options = quantiseOptions(packName(name), values);
      return (session) => quantise(options, session);
    }
    case undefined:
      throw new UsageError('The command is missing.');
    default:
      throw new UsageError(`${JSON.stringify(command)} is not a command.`);
  }
}

function required(name: string | undefined): string {
  if (name === undefined) throw new UsageError('The name of a pack is missing.');
  return name;
}

function packName(given: string | undefined): string {
  const name = required(given);
  if (SETTINGS.MODEL_NAME.parse(name) === undefined) {
    throw new UsageError(
      `${JSON.stringify(name)} is not a valid name of a pack, which consists of letters, digits, ".", "_" and "-".`,
    );
  }
  return name;
}

async function list(session: Session): Promise<void> {
  const { config, catalogue, stdout } = session;
  const names = [
    ...catalogue.keys(),
    SYNTHETIC_PACK,
    ...(await findPackFolders(config.MODELS_DIR, catalogue)),
  ];
  const width = Math.max(...names.map((name) => name.length));
  stdout.write(`Packs in ${config.MODELS_DIR}:\n\n`);
  for (const name of names) {
    const lines = await describe(name, session);
    stdout.write(`${name.padEnd(width)}  ${lines.join(`\n${' '.repeat(width + 2)}`)}\n\n`);
  }
}

/** The state of a pack, in lines. */
async function describe(name: string, session: Session): Promise<string[]> {
  const published = session.catalogue.get(name);
  try {
    const pack = await resolvePack(locate(name, session));
    return [`${stateOf(pack)}, ${sizeOf(pack)}`, pack.embeddingSpace, ...provenanceLines(pack)];
  } catch (error) {
    if (error instanceof PackInvalidError) return ['wrong', error.message];
    if (!(error instanceof PackMissingError) || published === undefined) throw error;
    const size = megabytes(installedBytes(published));
    const download = megabytes(downloadBytes(published));
    return [`missing, ${size} (download ${download})`, ...provenanceLines(published)];
  }
}

async function install(argument: string, from: string | undefined, session: Session): Promise<void> {
  const { catalogue } = session;
  if (
    from === undefined &&
    !catalogue.has(argument) &&
    argument !== SYNTHETIC_PACK &&
    (await exists(argument))
  )
    return installAs(packName(await nameSource(argument, catalogue)), argument, session);
  return installAs(packName(argument), from, session);
}

async function installAs(name: string, from: string | undefined, session: Session): Promise<void> {
  const { stdout } = session;
  if (name === SYNTHETIC_PACK) {
    if (from !== undefined)
      throw new UsageError(`${name} is part of this project. Choose another name for the pack.`);
    stdout.write(`${name} is part of this project and needs no installation.\n`);
    return;
  }
  const location = locate(name, session);
  if (from !== undefined && isNetwork(from) && !(await isComplete(name, from, session))) return;
  const pack =
    from === undefined
      ? await installPublished(name, session)
      : isNetwork(from)
        ? await resolvePack(location)
        : await installPack({ ...location, from });
  stdout.write(`${name} is installed in ${packFolder(location)}.\n${fileLines(pack)}`);
  stdout.write(`${provenanceLines(pack).join('\n')}\n`);
  await prepare(pack, session);
}

/** Installs one network of a pack; returns whether the pack has all of them now. */
async function isComplete(name: string, from: string, session: Session): Promise<boolean> {
  const { catalogue, config, stdout, signal } = session;
  const published = catalogue.get(name);
  if (published === undefined) {
    throw new UsageError(
      `${name} is not in the catalogue (${[...catalogue.keys()].join(', ')}), so a single network is not enough: ` +
        'put all networks of the pack into a folder, and install the folder.',
    );
  }
  const { file, missing } = await installFile(published, { from, modelsDir: config.MODELS_DIR, signal });
  if (missing.length === 0) return true;
  stdout.write(`${file.name} of ${name} is installed; the pack still needs ${missing.join(' and ')}.\n`);
  return false;
}

/** Prepares the networks for this machine, so that the first start of the service need not. It does without them if it must. */
async function prepare(pack: ModelPack, { config, stderr, signal }: Session): Promise<void> {
  const folder = preparedFolder(config);
  if (folder === undefined) return;
  const graphs = new PreparedGraphs({
    folder,
    rewrites: config.GRAPH_REWRITES,
    log: logTo(stderr),
    signal: signal ?? new AbortController().signal,
  });
  await graphs.ofPack(pack);
}

async function installPublished(name: string, session: Session): Promise<ModelPack> {
  const { config, catalogue, stderr } = session;
  const published = catalogue.get(name);
  if (published === undefined) {
    throw new UsageError(
      `${name} is not in the catalogue (${[...catalogue.keys()].join(', ')}). Install it from a local copy with --from.`,
    );
  }
  const location = locate(name, session);
  await download(published, {
    ...location,
    baseUrl: config.MODEL_BASE_URL,
    log: logTo(stderr),
  });
  return resolvePack(location);
}

function logTo(terminal: Terminal) {
  const line = (_fields: object, message: string) => terminal.write(`${message}\n`);
  return { info: line, warn: line };
}

async function verify(name: string, session: Session): Promise<void> {
  const { stdout, stderr } = session;
  const location = locate(name, session);
  const pack = await resolvePack(location);
  const { thresholds, warning } = await readThresholds(packFolder(location), pack);
  const measured = thresholds.length === 0 ? '' : `${thresholds.length} measured thresholds.\n`;
  stdout.write(`${name}: ${stateOf(pack)}.\n${fileLines(pack)}${measured}`);
  if (warning !== undefined) stderr.write(`${warning}\n`);
}

function quantiseOptions(pack: string, values: Values): QuantiseOptions {
  const { images, pairs, only, accept = false, 'weight-bits': bits } = values;
  if (images === undefined) throw new UsageError('--images is missing.');
  if (only !== undefined && !NETWORKS.some((network) => network === only))
    throw new UsageError(`--only is ${JSON.stringify(only)}; accepted is ${NETWORKS.join(' or ')}.`);
  if (bits !== undefined && bits !== '7' && bits !== '8')
    throw new UsageError(`--weight-bits is ${JSON.stringify(bits)}; accepted is 7 or 8.`);
  const networks = NETWORKS.filter((network) => only === undefined || network === only);
  const weightBits = bits === undefined ? undefined : bits === '7' ? 7 : 8;
  return { pack, images, pairs, networks, accept, weightBits };
}

async function quantise(options: QuantiseOptions, session: Session): Promise<void> {
  // Loads ONNX Runtime, which no other command needs.
  const { quantisePack } = await import('./quantise/quantise.ts');
  const pack = await quantisePack(options, session);
  session.stdout.write(
    `${pack.name} is installed; its embedding space is ${pack.embeddingSpace}.\n${fileLines(pack)}` +
      `${provenanceLines(pack).join('\n')}\n`,
  );
}

function locate(name: string, { config, catalogue, signal }: Session): ResolveOptions {
  return { name, modelsDir: config.MODELS_DIR, colourProfiles: config.COLOUR_PROFILES, catalogue, signal };
}
