import { below, oneOf, type Random } from '../pictures/mutate.ts';

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Names of members that requests have, and some that they do not have. */
const NAMES = [
  ...[
    'image',
    'images',
    'faces',
    'encoding_format',
    'detection',
    'detection_threshold',
    'quality',
    'min_quality',
  ],
  ...[
    'query_embedding',
    'query_embeddings',
    'query_image',
    'reference_embeddings',
    'embedding',
    'embeddings',
    'ids',
    'id',
  ],
  ...[
    'embedding_space',
    'distance_metric',
    'threshold',
    'top_k',
    'return_embeddings',
    'orientation',
    'aligned',
    'fuse',
  ],
  ...['__proto__', 'constructor', 'toString', '', '\0', 'é', '\ud83d\ude00', 'x'.repeat(300)],
];

/** Values that no member has, or only some. */
const VALUES: readonly Json[] = [
  ...[null, true, false, 0, -0, 1, -1, 0.5, 1e308, -1e308, 5e-324, 2 ** 53, 1e21],
  ...[
    '',
    'single',
    'largest',
    'all',
    'base64',
    'float',
    'cosine',
    'true',
    '0',
    'NaN',
    'data:,',
    'data:image/png;base64,',
  ],
  ...[
    'http://127.0.0.1/x',
    'AAAA',
    'AAAAAAAA',
    '====',
    '\0',
    '\u2028',
    '\ud800',
    '../../etc/passwd',
    'a'.repeat(3_000),
  ],
  ...[
    [],
    {},
    [[]],
    [{}],
    [null],
    [1, 2, 3],
    { id: 'a' },
    { id: 'a', embedding: [1] },
    { ids: [], embeddings: '' },
  ],
];

/** Characters of a value that may be indented: thousands of levels, a hundred times, are gigabytes. */
const MAX_INDENTED = 20_000;
/** Places that are looked at: bodies are also made thousands of levels deep. */
const MAX_PLACES = 300;

/** Where something can be changed: an object or a list, and a name or an index of it. */
function places(value: Json): [container: Record<string, Json>, name: string][] {
  const found: [Record<string, Json>, string][] = [];
  const waiting = [value];
  while (waiting.length > 0 && found.length < MAX_PLACES) {
    const container = waiting.shift() as Record<string, Json>;
    for (const name of Object.keys(container).slice(0, 50)) {
      found.push([container, name]);
      const inner = container[name];
      if (typeof inner === 'object' && inner !== null) waiting.push(inner);
    }
  }
  return found;
}

/** A copy with one to four changes. */
export function changeJson(random: Random, value: Json): Json {
  const root = { root: copy(value) };
  for (let left = 1 + Math.floor(4 * random() ** 2); left > 0; left--) {
    const [container, name] = oneOf(random, places(root));
    const old = container[name] as Json;
    switch (below(random, 8)) {
      case 0:
        if (Array.isArray(container)) container.splice(Number(name), 1);
        else delete container[name];
        break;
      case 1:
      case 2:
        container[name] = structuredClone(oneOf(random, VALUES));
        break;
      case 3:
        if (Array.isArray(container)) container.push(copy(old));
        else container[oneOf(random, NAMES)] = copy(old);
        break;
      case 4:
        container[name] = random() < 0.5 ? [old] : { [oneOf(random, NAMES)]: old };
        break;
      case 5:
        if (typeof old === 'string') container[name] = changeText(random, old);
        else if (typeof old === 'number') container[name] = old * oneOf(random, [0, -1, 1e300, 1e-300, 0.1]);
        else if (Array.isArray(old) && old.length < MAX_PLACES) {
          const times = below(random, 300);
          if (!isDeep(old)) container[name] = Array.from({ length: times }, () => old).flat();
        }
        break;
      case 6:
        container[name] = nested(below(random, 5_000), random() < 0.5);
        break;
      default:
        if (typeof old === 'object' && old !== null && !Array.isArray(old)) {
          old[oneOf(random, NAMES)] = structuredClone(oneOf(random, VALUES));
        }
    }
    if (root.root === undefined) return null;
  }
  return root.root;
}

/** A copy of what is not too deep to be copied. */
function copy(value: Json): Json {
  try {
    return structuredClone(value);
  } catch {
    return null;
  }
}

/** JSON.stringify takes the square of the depth, which must not stop this process for seconds: it also sends the requests. */
function isDeep(value: Json): boolean {
  let inner: Json | undefined = value;
  let depth = 0;
  while (typeof inner === 'object' && inner !== null && depth < MAX_PLACES) {
    inner = Object.values(inner).find((one) => typeof one === 'object');
    depth++;
  }
  return depth === MAX_PLACES;
}

function changeText(random: Random, text: string): string {
  const at = below(random, text.length + 1);
  const inserted = oneOf(random, [
    '',
    '=',
    '*',
    ' ',
    '\n',
    '"',
    '\\',
    '\0',
    'ő',
    '-',
    '_',
    text.slice(0, 50),
  ]);
  return text.slice(0, at) + inserted + text.slice(at + below(random, 10));
}

function nested(depth: number, list: boolean): Json {
  let value: Json = 1;
  for (let left = depth; left > 0; left--) value = list ? [value] : { a: value };
  return value;
}

/** Writes JSON in one of the ways in which it can be written, and in some in which it cannot. */
export function writeJson(random: Random, value: Json): Buffer {
  let text: string;
  try {
    text = JSON.stringify(value);
    const indentation = oneOf(random, [0, 0, 1, '\t']);
    if (text.length < MAX_INDENTED) text = JSON.stringify(value, undefined, indentation);
  } catch {
    text = '['.repeat(20_000);
  }
  switch (below(random, 12)) {
    case 0:
      return Buffer.from(`\ufeff${text}`);
    case 1:
      return Buffer.from(text, 'utf16le');
    case 2:
      return Buffer.from(text + oneOf(random, [' ', '\n\n', ',', '}', '{}', '\0', '//']));
    case 3:
      // Every character as an escape, where that is short enough.
      return Buffer.from(text.length > 5_000 ? text : text.replace(/[a-z]/g, (char) => escaped(char, text)));
    case 4:
      // The first member twice.
      return Buffer.from(text.replace(/^\{("(?:[^"\\]|\\.)*":)/, '{$1null,$1'));
    case 5:
      return Buffer.from(
        text.replace(/\d+/, oneOf(random, ['01', '1.', '.5', '+1', '1e999', '-', '0x1', 'NaN', '1_0'])),
      );
    default:
      return Buffer.from(text);
  }
}

/** Letters inside of strings only: an escape elsewhere is never valid, which other cases cover. */
const escaped = (char: string, text: string): string =>
  /true|false|null/.test(text) ? char : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
