import { parse } from 'csv-parse/sync';
import { CalibrationError } from '../usage-error.ts';

const COLUMNS = ['image_a', 'image_b', 'same_person'];
const ANSWERS = { 1: true, true: true, yes: true, 0: false, false: false, no: false };

/**
 * Reads labelled pairs: RFC 4180, with a header line; other columns are ignored.
 *
 * @returns [{a, b, same}] in the order of the file, a pair that is named twice once.
 * @throws {CalibrationError} naming the line and the column.
 */
export function parsePairs(text) {
  const seen = new Map();
  for (const { record, info } of readRecords(text)) {
    const at = `Line ${info.lines} of the pairs`;
    const [a, b] = ['image_a', 'image_b'].map((column) => {
      const name = record[column];
      if (name === '') throw new CalibrationError(`${at}: ${column} is empty.`);
      return name;
    });
    const same = ANSWERS[record.same_person.toLowerCase()];
    if (same === undefined)
      throw new CalibrationError(`${at}: same_person is "${record.same_person}"; accepted is 1 or 0.`);
    if (a === b) throw new CalibrationError(`${at}: a picture is paired with itself.`);
    const key = JSON.stringify([a, b].sort());
    if (seen.has(key) && seen.get(key).same !== same)
      throw new CalibrationError(`${at}: the same pair stands above with the opposite answer.`);
    if (!seen.has(key)) seen.set(key, { a, b, same });
  }
  return [...seen.values()];
}

function readRecords(text) {
  try {
    return parse(text, {
      bom: true,
      trim: true,
      skip_empty_lines: true,
      relax_column_count_more: true,
      info: true,
      columns: (header) => {
        const missing = COLUMNS.filter((column) => !header.includes(column));
        if (missing.length > 0)
          throw new CalibrationError(
            `The pairs have no column ${missing.join(', no column ')} in their header.`,
          );
        return header;
      },
    });
  } catch (error) {
    if (error instanceof CalibrationError) throw error;
    throw new CalibrationError(`The pairs are not a table in CSV: ${error.message}.`);
  }
}
