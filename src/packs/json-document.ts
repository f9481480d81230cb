import type { z } from 'zod';
import { errorMessage } from '../errors.ts';
import { PackInvalidError } from './pack-errors.ts';

/**
 * Parses the JSON of a file.
 *
 * @param file its name, for the error.
 * @throws {PackInvalidError} if the text is not JSON.
 */
export function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new PackInvalidError(`${file} is not JSON (${errorMessage(error)}).`);
  }
}

/** @throws {PackInvalidError} naming every malformed member. */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  document: unknown,
  file: string,
): z.output<Schema> {
  const parsed = schema.safeParse(document);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'it'} ${message}`);
  throw new PackInvalidError(`${file} is malformed: ${problems.join('; ')}.`);
}
