import { parseArgs } from 'node:util';
import { type Environment, loadConfig } from '../../config/load.ts';
import { errorMessage } from '../../errors.ts';
import { type EmbeddingKey, PLAIN, readEmbeddingKey, readKeyFile } from '../../protection/embedding-key.ts';
import { RekeyError } from './rekey-error.ts';

export const USAGE = `npm run -s rekey -- --from NAME --to NAME [--key-file FILE …] < stored.ndjson > rekeyed.ndjson
  --from NAME       the key that the embeddings are of; plain for embeddings without a key
  --to NAME         the key that they get; plain for none
  --key-file FILE   file with keys, one name=secret on each line; can be given several times. The key of EMBEDDING_KEY or
                    EMBEDDING_KEY_FILE is known, too. A key itself is never an option, as other users see command lines
Each line of standard input is a JSON object with the members embedding (numbers, or base64 of float32) and
embedding_space, as the service returned them. Its other members stay as they are.
Exit codes: 0 all lines, 1 a line that cannot be rekeyed (those before it are written), 2 wrong options, 130 interrupted`;

export interface RekeyOptions {
  /** Undefined for plain embeddings. */
  from: EmbeddingKey | undefined;
  to: EmbeddingKey | undefined;
}

/**
 * @returns undefined for `--help`.
 * @throws {RekeyError} for wrong options; {StartupError} for a file of keys that is wrong.
 */
export function readOptions(argv: string[], environment: Environment): RekeyOptions | undefined {
  const values = parse(argv);
  if (values.help) return undefined;
  const { from, to } = values;
  if (from === undefined || to === undefined) throw new RekeyError('--from and --to are needed.');
  if (from === to) throw new RekeyError('--from and --to are the same.');
  const keys = new Map<string, EmbeddingKey>();
  for (const key of readKeys(values['key-file'], environment)) {
    const known = keys.get(key.name);
    if (known && !known.secret.equals(key.secret)) {
      throw new RekeyError(`Two secrets are given for the key ${key.name}.`);
    }
    keys.set(key.name, key);
  }
  const find = (name: string, option: string) => {
    if (name === PLAIN) return undefined;
    const key = keys.get(name);
    if (key) return key;
    const known = [PLAIN, ...keys.keys()].join(', ');
    throw new RekeyError(`${option} names a key that is not given; known are ${known}.`);
  };
  return { from: find(from, '--from'), to: find(to, '--to') };
}

function parse(argv: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: argv,
      // Its own error would quote what may be a key.
      allowPositionals: true,
      options: {
        from: { type: 'string' },
        to: { type: 'string' },
        'key-file': { type: 'string', multiple: true, default: [] },
        help: { type: 'boolean', default: false },
      },
    });
    if (positionals.length > 0) throw new RekeyError('There is an argument that belongs to no option.');
    return values;
  } catch (error) {
    throw new RekeyError(errorMessage(error));
  }
}

function readKeys(files: readonly string[], environment: Environment): EmbeddingKey[] {
  const { EMBEDDING_KEY, EMBEDDING_KEY_FILE } = environment;
  // Other settings may be wrong for this machine, and do not matter here.
  const configured = readEmbeddingKey(loadConfig({ EMBEDDING_KEY, EMBEDDING_KEY_FILE }));
  return [...(configured ? [configured] : []), ...files.flatMap((file) => readKeyFile(file, '--key-file'))];
}
