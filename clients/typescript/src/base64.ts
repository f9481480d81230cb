/** Characters that are made from bytes at a time: more arguments may not fit on the stack. */
const PIECE = 0x8000;

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

export function base64Of(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; at += PIECE)
    pieces.push(String.fromCharCode(...bytes.subarray(at, at + PIECE)));
  return btoa(pieces.join(''));
}

export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** The base64 of little-endian float32, as the service reads embeddings. */
export function base64OfFloats(floats: Float32Array | readonly number[]): string {
  // A copy, whose bytes may be swapped.
  return base64Of(swapOnBigEndian(new Uint8Array(new Float32Array(floats).buffer)));
}

export function floatsOfBase64(text: string): Float32Array<ArrayBuffer> {
  return new Float32Array(swapOnBigEndian(bytesOfBase64(text)).buffer);
}

function swapOnBigEndian(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (!isLittleEndian) for (let at = 0; at < bytes.length; at += 4) bytes.subarray(at, at + 4).reverse();
  return bytes;
}
