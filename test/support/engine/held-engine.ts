import { ServiceError } from '../../../src/errors.ts';
import { Permits } from '../../../src/threads/permits.ts';
import { TinyEngine, tinyAdmission, tinyAnswer } from './engines.ts';

/** An engine with few places, whose images are done when the test says so. */
export class HeldEngine extends TinyEngine {
  readonly places: Permits;
  /** Images in its hands. */
  readonly held: (() => void)[] = [];

  constructor(capacity: number) {
    super({ phase: 'ready' }, (images) => {
      const release = this.places.tryTake(images);
      // As the real engine does, for which a place must be left.
      if (release === undefined || (images === 0 && this.places.taken === capacity)) {
        throw new ServiceError('OVERLOADED', { retryAfter: 1 });
      }
      return tinyAdmission({
        release,
        embed: async (image) => {
          await new Promise<void>((resolve) => this.held.push(resolve));
          return tinyAnswer(image);
        },
      });
    });
    this.places = new Permits(capacity);
  }

  /** Finishes all images. */
  finish(): void {
    for (const resolve of this.held.splice(0)) resolve();
  }
}
