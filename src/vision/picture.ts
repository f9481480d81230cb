/** 8-bit sRGB, three interleaved channels, no padding between rows. */
export interface Pixels {
  /** height × width × 3 bytes. */
  data: Uint8Array;
  width: number;
  height: number;
}

/** An upright picture. */
export interface Picture extends Pixels {
  /** Size of the encoded picture; larger than the decoded size after decoding at a reduced size. */
  original: { width: number; height: number };
}
