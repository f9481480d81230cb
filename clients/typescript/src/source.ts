import { FaceEmbeddingError } from './errors.ts';
import { type ImageSource, readImage } from './image.ts';
import type { Results } from './results.ts';

export interface Item {
  index: number;
  image: Blob;
}

/** Hands out the images with their positions. */
export class Source {
  readonly #iterator: Iterator<ImageSource> | AsyncIterator<ImageSource>;
  readonly #results: Results;
  #next = 0;
  #isDone = false;
  /** One batch is taken at a time, so that positions follow the order of the images. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(images: Iterable<ImageSource> | AsyncIterable<ImageSource>, results: Results) {
    this.#iterator =
      Symbol.asyncIterator in images ? images[Symbol.asyncIterator]() : images[Symbol.iterator]();
    this.#results = results;
  }

  /** Reads up to so many images; none at the end. An image that cannot be read becomes a result. */
  take(count: number): Promise<Item[]> {
    const taken = this.#last.then(() => this.#take(count));
    this.#last = taken.catch(() => {});
    return taken;
  }

  /** Lets what gives the images end, too, when it has given the next. */
  end(): void {
    this.#isDone = true;
    this.#results.consumed();
    this.#last.then(() => this.#iterator.return?.()).catch(() => {});
  }

  async #take(count: number): Promise<Item[]> {
    const items: Item[] = [];
    while (items.length < count && !this.#isDone) {
      await this.#results.room();
      if (this.#isDone) break;
      const { done, value } = await this.#iterator.next();
      if (done) {
        this.#isDone = true;
        break;
      }
      const index = this.#next++;
      this.#results.expect();
      try {
        const image = await readImage(value);
        items.push({ index, image: image instanceof Blob ? image : new Blob([image]) });
      } catch (error) {
        if (!(error instanceof FaceEmbeddingError)) throw error;
        this.#results.add({ index, error });
      }
    }
    return items;
  }
}
