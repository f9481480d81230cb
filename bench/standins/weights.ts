import { xorshift32 } from '../../tools/synthetic/xorshift.ts';

/** Random weights that are the same for the same seed on every machine. */
export class RandomWeights {
  readonly #random: () => number;

  /** @param seed not 0. */
  constructor(seed: number) {
    this.#random = xorshift32(seed);
  }

  /** Numbers around `mean`, evenly distributed: as fast to make as they can be, since a recogniser has 44 million. */
  around(mean: number, deviation: number, count: number): Float32Array {
    const random = this.#random;
    const scale = (2 * Math.sqrt(3) * deviation) / 2 ** 32;
    const start = mean - Math.sqrt(3) * deviation;
    const values = new Float32Array(count);
    for (let index = 0; index < count; index++) values[index] = start + random() * scale;
    return values;
  }

  /**
   * The weights of a layer.
   *
   * @param dims outputs first.
   * @param gain the variance of an output over the mean square of the inputs. 2 makes up for a ReLU after the layer. Source:
   *   K. He and others, "Delving Deep into Rectifiers", 2015.
   */
  layer(dims: readonly number[], gain: number): Float32Array {
    const inputs = product(dims.slice(1));
    return this.around(0, Math.sqrt(gain / inputs), product(dims));
  }
}

function product(dims: readonly number[]): number {
  return dims.reduce((total, dim) => total * dim, 1);
}
