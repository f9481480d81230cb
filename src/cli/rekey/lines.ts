import { RekeyError } from './rekey-error.ts';

/** More than any line with an embedding needs: 1,024 numbers take 25 kB. */
export const MAX_LINE_BYTES = 1024 * 1024;

const LINE_FEED = 10;

/** A line without its end. */
export interface Line {
  /** From 1. */
  number: number;
  text: string;
}

/**
 * Splits a stream into lines, and holds one at a time.
 *
 * @returns the lines, without those that are empty.
 * @throws {RekeyError} for a line that is too long or not UTF-8.
 */
export async function* readLines(input: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let number = 1;
  let pieces: Uint8Array[] = [];
  let held = 0;
  const hold = (piece: Uint8Array) => {
    held += piece.length;
    if (held > MAX_LINE_BYTES) {
      throw new RekeyError(`Line ${number} has more than ${MAX_LINE_BYTES} bytes.`);
    }
    pieces.push(piece);
  };
  const take = (): Line => {
    const bytes = Buffer.concat(pieces, held);
    pieces = [];
    held = 0;
    try {
      return { number, text: decoder.decode(bytes).trim() };
    } catch {
      throw new RekeyError(`Line ${number} is not UTF-8.`);
    }
  };
  for await (const chunk of input) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      hold(chunk.subarray(start, end));
      const line = take();
      if (line.text !== '') yield line;
      number++;
      start = end + 1;
    }
    hold(chunk.subarray(start));
  }
  const last = take();
  if (last.text !== '') yield last;
}
