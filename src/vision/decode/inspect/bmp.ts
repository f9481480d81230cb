import { readBmpHeader } from '../bmp.ts';
import type { Size } from './limits.ts';

/** A bitmap's size decides what it costs: without compression each byte is read once, and runs only fill pixels. */
export function inspectBmp(bytes: Uint8Array): Size | undefined {
  const header = readBmpHeader(bytes);
  return header && { width: Math.max(header.width, 0), height: header.height };
}
