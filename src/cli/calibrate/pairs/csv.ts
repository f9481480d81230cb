import { type CsvError, parse } from 'csv-parse/sync';
import { CalibrationError } from '../calibration-error.ts';
import type { Pair } from './pair.ts';

const COLUMNS = ['image_a', 'image_b', 'same_person'] as const;
const MAX_GROUPS = 50;
const MAX_GROUP_LENGTH = 100;
const ANSWERS: Record<string, boolean> = {
  1: true,
  true: true,
  yes: true,
  0: false,
  false: false,
  no: false,
};

interface Row {
  record: Record<(typeof COLUMNS)[number], string> & { group?: string };
  info: { lines: number };
}

/**
 * Reads labelled pairs: RFC 4180, with a header line. `group` may be empty or absent; other columns are ignored.
 *
 * @returns the pairs in the order of the file, without repetitions.
 * @throws {CalibrationError} naming the line and the column.
 */
export function parsePairs(text: string): Pair[] {
  const pairs = new Map<string, Pair>();
  for (const { record, info } of readRows(text)) {
    const at = `Line ${info.lines} of the pairs`;
    const { image_a: a, image_b: b, same_person: answer, group } = record;
    for (const column of ['image_a', 'image_b'] as const) {
      if (record[column] === '') throw new CalibrationError(`${at}: ${column} is empty.`);
    }
    const same = ANSWERS[answer.toLowerCase()];
    if (same === undefined)
      throw new CalibrationError(`${at}: same_person is "${answer}"; accepted is 1 or 0.`);
    if (a === b) throw new CalibrationError(`${at}: a picture is paired with itself.`);
    const key = JSON.stringify([a, b].sort());
    const earlier = pairs.get(key);
    if (earlier !== undefined && earlier.same !== same)
      throw new CalibrationError(`${at}: an earlier line has the same pair with the opposite answer.`);
    if (earlier === undefined) pairs.set(key, { a, b, same, ...(group ? { group } : {}) });
  }
  assertGroups([...pairs.values()]);
  return [...pairs.values()];
}

/** A column of names or dates would be compared row by row. */
function assertGroups(pairs: Pair[]): void {
  const groups = new Set(pairs.flatMap(({ group }) => group ?? []));
  if (groups.size > MAX_GROUPS)
    throw new CalibrationError(`The column group has ${groups.size} values; the maximum is ${MAX_GROUPS}.`);
  if ([...groups].some(({ length }) => length > MAX_GROUP_LENGTH))
    throw new CalibrationError(`A group has more than ${MAX_GROUP_LENGTH} characters.`);
}

function readRows(text: string): Row[] {
  try {
    return parse(text, {
      bom: true,
      trim: true,
      skip_empty_lines: true,
      relax_column_count_more: true,
      info: true,
      columns: (header: string[]) => {
        const missing = COLUMNS.filter((column) => !header.includes(column));
        if (missing.length > 0)
          throw new CalibrationError(
            `The header of the pairs has no column ${missing.join(', no column ')}.`,
          );
        return header;
      },
    }) as unknown as Row[];
  } catch (error) {
    if (error instanceof CalibrationError) throw error;
    throw new CalibrationError(`The pairs are not valid CSV: ${(error as CsvError).message}.`);
  }
}
