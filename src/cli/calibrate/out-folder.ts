import { chmodSync, mkdirSync } from 'node:fs';
import { CalibrationError } from './calibration-error.ts';

/** A new folder is readable only by its owner, because the report names the pictures. */
export function createFolder(path: string): void {
  try {
    if (mkdirSync(path, { recursive: true }) !== undefined) chmodSync(path, 0o700);
  } catch (error) {
    throw new CalibrationError(`${path} cannot be created (${(error as NodeJS.ErrnoException).code}).`);
  }
}
