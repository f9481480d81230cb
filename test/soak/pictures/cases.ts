import type { Format } from './formats.ts';

export interface Picture {
  name: string;
  format: Format;
  bytes: Buffer;
}

/** How far a case goes: bytes of a file, and pixels that it declares. */
export interface Scale {
  bytes: number;
  pixels: number;
}

/** A file that costs as much as its format allows. */
export interface WorstCase extends Picture {
  /** Pixels that it declares. */
  pixels: number;
}
