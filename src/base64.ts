/**
 * Decodes base64: standard or URL-safe alphabet, padded or not, ASCII white space allowed.
 *
 * @returns the bytes in a buffer of their own, which can be moved to another thread; undefined if the text is not base64.
 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  // Node looks at the low byte of a character only, so that "ő" would pass for "Q".
  if (Buffer.byteLength(text) !== text.length) return undefined;
  return decodeCompact(text) ?? decodeCompact(text.replace(/[\t\n\f\r ]+/g, ''));
}

/** Node skips what it does not know and stops at padding, so the number of bytes tells whether all was understood. */
function decodeCompact(text: string): Uint8Array<ArrayBuffer> | undefined {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const digits = text.length - padding;
  if (digits % 4 === 1 || (padding > 0 && text.length % 4 !== 0)) return undefined;
  const bytes = Buffer.allocUnsafeSlow(Math.floor((digits * 3) / 4));
  return bytes.write(text, 'base64') === bytes.length ? bytes : undefined;
}
