import { createSecretKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { MisspeltVariable } from '../config/misspelt.ts';
import type { Config } from '../config/settings.ts';
import { StartupError } from '../errors.ts';

/** What embeddings are protected with. Whoever has the secret can undo it. */
export interface EmbeddingKey {
  /** Part of the embedding space. */
  name: string;
  /** Not a string, so that no log, error or JSON shows it. It can be sent to a worker thread. */
  secret: KeyObject;
}

/** What a space without a key is called where keys are named, so no key may have this name. */
export const PLAIN = 'plain';

const MIN_SECRET_LENGTH = 32;
/** Of 32 random hex digits, 14 differ on average, and fewer than 8 once in 30 million draws. */
const MIN_DIFFERENT_CHARACTERS = 8;

const NAMED_SECRET = /^([a-z0-9-]{1,32})=([A-Za-z0-9\-._~+/]+=*)$/;

export const ACCEPTED_KEY =
  'name=secret, a name of 1 to 32 characters a–z 0–9 - other than plain, and a secret of at least ' +
  `${MIN_SECRET_LENGTH} characters A–Z a–z 0–9 - . _ ~ + /, of which ${MIN_DIFFERENT_CHARACTERS} differ`;

type KeySettings = Pick<Config, 'EMBEDDING_KEY' | 'EMBEDDING_KEY_FILE'>;

/**
 * Reads the key of the settings. The file is read once: another key would be another embedding space.
 *
 * @returns undefined without a key.
 * @throws {StartupError} which never quotes the text: for a malformed key, for two keys, or for a file that cannot be read.
 */
export function readEmbeddingKey({
  EMBEDDING_KEY,
  EMBEDDING_KEY_FILE,
}: KeySettings): EmbeddingKey | undefined {
  if (EMBEDDING_KEY !== '' && EMBEDDING_KEY_FILE !== '') {
    throw new StartupError('EMBEDDING_KEY and EMBEDDING_KEY_FILE are both set; accepted is one of them.');
  }
  if (EMBEDDING_KEY !== '') {
    const key = parseKey(EMBEDDING_KEY);
    if (key === undefined) throw new StartupError(`EMBEDDING_KEY is malformed; accepted is ${ACCEPTED_KEY}.`);
    return key;
  }
  if (EMBEDDING_KEY_FILE === '') return undefined;
  const [key, ...more] = readKeyFile(EMBEDDING_KEY_FILE, 'EMBEDDING_KEY_FILE');
  if (more.length > 0) {
    throw new StartupError(`EMBEDDING_KEY_FILE holds ${more.length + 1} keys; accepted is one.`);
  }
  return key;
}

/**
 * Reads a file with one key on each line; empty lines and those that begin with `#` are skipped.
 *
 * @param source names the file in errors: a setting or an option.
 * @returns at least one key, and none of a name twice.
 * @throws {StartupError} which gives the line of a malformed key, and never the key.
 */
export function readKeyFile(file: string, source: string): [EmbeddingKey, ...EmbeddingKey[]] {
  const keys: EmbeddingKey[] = [];
  for (const [index, line] of readText(file, source).split('\n').entries()) {
    const entry = line.trim();
    if (entry === '' || entry.startsWith('#')) continue;
    const key = parseKey(entry);
    if (key === undefined) {
      throw new StartupError(
        `${source} has a malformed key in line ${index + 1}; accepted is ${ACCEPTED_KEY}.`,
      );
    }
    if (keys.some(({ name }) => name === key.name)) {
      throw new StartupError(`${source} has two keys of the name ${key.name}; accepted is one.`);
    }
    keys.push(key);
  }
  const [first, ...others] = keys;
  if (first === undefined) throw new StartupError(`${source} holds no key; accepted is at least one.`);
  return [first, ...others];
}

/**
 * Checks that embeddings do not leave unprotected by mistake.
 *
 * @throws {StartupError} when there is no key, but a misspelt variable that shows that one was meant.
 */
export function assertKeyIsMeant(settings: KeySettings, misspelt: readonly MisspeltVariable[]): void {
  if (settings.EMBEDDING_KEY !== '' || settings.EMBEDDING_KEY_FILE !== '') return;
  const meant = misspelt.find(({ setting, typing }) => typing && isKeySetting(setting));
  if (meant === undefined) return;
  throw new StartupError(
    `${meant.variable} is no setting, and no embedding key is configured: embeddings would leave unprotected. ` +
      `${meant.setting} may be meant.`,
  );
}

const isKeySetting = (setting: string) => setting === 'EMBEDDING_KEY' || setting === 'EMBEDDING_KEY_FILE';

/** Undefined for a malformed one. */
function parseKey(entry: string): EmbeddingKey | undefined {
  const [, name, secret] = entry.match(NAMED_SECRET) ?? [];
  if (name === undefined || secret === undefined || name === PLAIN) return undefined;
  if (secret.length < MIN_SECRET_LENGTH || new Set(secret).size < MIN_DIFFERENT_CHARACTERS) return undefined;
  return { name, secret: createSecretKey(secret, 'utf8') };
}

function readText(file: string, source: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Not its name, which may be a key in the place of its file.
    throw new StartupError(`${source} names a file that cannot be read (${code}).`);
  }
}
