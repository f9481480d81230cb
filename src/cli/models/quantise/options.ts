import type { Config } from '../../../config/settings.ts';
import type { WeightBits } from '../../../onnx/quantise/ranges.ts';
import type { Catalogue } from '../../../packs/catalogue.ts';
import type { Terminal } from '../../../packs/download/report-download.ts';

/** With fewer, neither ranges nor figures mean anything. */
export const MIN_FACES = 5;

/** The networks of a pack. */
export const NETWORKS = ['detector', 'recogniser'] as const;
export type Network = (typeof NETWORKS)[number];

/** What `npm run models -- quantise` is asked for. */
export interface QuantiseOptions {
  /** Name of an installed pack. */
  pack: string;
  /** Folder of photographs; folders in it are searched, too. */
  images: string;
  /** A table of pairs, whose file names are relative to `images`. */
  pairs?: string | undefined;
  /** Which networks become 8 bits; the others are copied. */
  networks: readonly Network[];
  /** Whether the pack is written although a bound is missed. */
  accept: boolean;
  /** Undefined to choose by the processor. */
  weightBits?: WeightBits | undefined;
}

export interface QuantiseContext {
  config: Config;
  catalogue: Catalogue;
  stdout: { write(text: string): unknown };
  stderr: Terminal;
  signal?: AbortSignal | undefined;
}

/** A failure that the user can act on: its message is printed without a stack trace. */
export class QuantiseError extends Error {}
