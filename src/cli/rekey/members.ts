/** Where the value of a member is in the text. */
export interface ValueSpan {
  start: number;
  /** After its last character. */
  end: number;
}

/**
 * Finds the values of an object's members in its text, so that one can be replaced while all others stay as they are to the
 * last digit; JSON.parse would round large numbers.
 *
 * @param text of a JSON object, valid and trimmed.
 * @returns the spans by name; undefined for a name that the object has twice.
 */
export function findMembers(text: string): Map<string, ValueSpan | undefined> {
  const members = new Map<string, ValueSpan | undefined>();
  let at = skipSpace(text, 1);
  while (text[at] !== '}') {
    const nameEnd = endOfString(text, at);
    const name: string = JSON.parse(text.slice(at, nameEnd));
    // After the colon.
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const end = endOfValue(text, start);
    members.set(name, members.has(name) ? undefined : { start, end });
    at = skipSpace(text, end);
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return members;
}

const skipSpace = (text: string, at: number) => find(text, /\S/g, at);

function endOfValue(text: string, start: number): number {
  const first = text[start];
  if (first === '"') return endOfString(text, start);
  if (first !== '{' && first !== '[') return find(text, /[,}\s]/g, start);
  let at = start;
  let depth = 0;
  do {
    at = find(text, /["[\]{}]/g, at);
    const found = text[at] as string;
    if (found === '"') {
      at = endOfString(text, at);
    } else {
      depth += '[{'.includes(found) ? 1 : -1;
      at++;
    }
  } while (depth > 0);
  return at;
}

function endOfString(text: string, start: number): number {
  let at = find(text, /["\\]/g, start + 1);
  // After a backslash comes a character that does not end the string.
  while (text[at] === '\\') at = find(text, /["\\]/g, at + 2);
  return at + 1;
}

/** The index of the first match at or after `from`; the end of the text without one. */
function find(text: string, pattern: RegExp, from: number): number {
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? text.length;
}
