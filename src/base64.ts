/** Base64 text: a string, or another type with the same length and slices. */
export interface Base64Text {
  readonly length: number;
  slice(start?: number, end?: number): string;
  toString(): string;
}

/**
 * Characters decoded at a time, a multiple of four. Strings of this length are allocated in V8's young generation; one of a whole
 * photograph would be in fresh memory, which the system has to clear first.
 */
const PIECE = 32 * 1024;

/**
 * Decodes base64: standard or URL-safe alphabet, padded or not, ASCII white space allowed.
 *
 * @param from where the base64 begins in the text.
 * @returns the bytes in a buffer of their own, which can be transferred to another thread; undefined if the text is not base64.
 * @throws what `text.toString` throws.
 */
export function decodeBase64(text: Base64Text, from = 0): Uint8Array<ArrayBuffer> | undefined {
  const bytes = decodeCompact(text, from);
  if (bytes !== undefined) return bytes;
  const whole = text.toString();
  // Counted from the end, since characters before `from` may have several bytes.
  return decodeCompact(whole.slice(whole.length - (text.length - from)).replace(/[\t\n\f\r ]+/g, ''), 0);
}

/**
 * Decodes base64 into existing memory, which for thousands of texts is several times faster.
 *
 * @returns false, with undefined content of the target, if the text is not base64 of exactly its length, or has white space.
 */
export function decodeBase64Into(target: Buffer, text: string): boolean {
  return (
    base64Length(text) === target.length &&
    // Node reads only the low byte of a character: it would take "ő" for "Q".
    Buffer.byteLength(text) === text.length &&
    // It skips unknown characters and stops at padding, so the number of bytes shows whether the whole text was valid.
    target.write(text, 'base64') === target.length
  );
}

function decodeCompact(text: Base64Text, from: number): Uint8Array<ArrayBuffer> | undefined {
  const length = base64Length(text, from);
  if (length === undefined) return undefined;
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let at = from; at < text.length; at += PIECE) {
    const start = ((at - from) / 4) * 3;
    const target = bytes.subarray(start, start + (PIECE / 4) * 3);
    if (!decodeBase64Into(target, text.slice(at, at + PIECE))) return undefined;
  }
  return bytes;
}

/** Decoded bytes of a base64 text without white space; undefined if no base64 has this length and padding. */
export function base64Length(text: Base64Text, from = 0): number | undefined {
  const length = text.length - from;
  const end = text.slice(Math.max(from, text.length - 2));
  const padding = end === '==' ? 2 : end.endsWith('=') ? 1 : 0;
  const digits = length - padding;
  if (digits % 4 === 1 || (padding > 0 && length % 4 !== 0)) return undefined;
  return Math.floor((digits * 3) / 4);
}
