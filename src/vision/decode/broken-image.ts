import { ServiceError } from '../../errors.ts';

/** All that is said of damage: what a library remarks may quote the image. */
export class BrokenImageError extends ServiceError {
  constructor() {
    super('INVALID_IMAGE', { detail: 'The image is broken or truncated.' });
  }
}
