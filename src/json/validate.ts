import type { z } from 'zod';
import { ServiceError } from '../errors.ts';

const MAX_PROBLEMS = 5;
const MAX_DETAIL_LENGTH = 500;

/**
 * Validates against a schema.
 *
 * @throws {ServiceError} INVALID_REQUEST whose detail names the offending fields and quotes no value.
 */
export function validate<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.slice(0, MAX_PROBLEMS).map(({ path, message }) => {
    const field = path.reduce<string>(
      (name, part) =>
        typeof part === 'number' ? `${name}[${part}]` : name ? `${name}.${String(part)}` : String(part),
      '',
    );
    return field === '' ? message : `${field}: ${message}`;
  });
  // Names of unknown members come from the caller and may be of any length.
  throw new ServiceError('INVALID_REQUEST', { detail: problems.join('; ').slice(0, MAX_DETAIL_LENGTH) });
}
