/** Length of the pieces that are looked for: shorter ones could be found by chance. */
const PIECE = 24;

/** Finds pieces of secrets in a text, wherever they begin in it. */
export class FragmentFinder {
  readonly #windows = new Set<string>();

  constructor(text: string) {
    for (let at = 0; at + PIECE <= text.length; at++) this.#windows.add(text.slice(at, at + PIECE));
  }

  /**
   * @returns a piece of the secret that the text contains. Any fragment of twice the length contains a piece that begins at a
   *   multiple of it.
   */
  find(secret: string): string | undefined {
    for (let at = 0; at + PIECE <= secret.length; at += PIECE) {
      const piece = secret.slice(at, at + PIECE);
      if (this.#windows.has(piece) && isTelling(piece)) return piece;
    }
    return undefined;
  }
}

/** Whether a piece says something: one of zeros or of a single letter is in many texts. */
const isTelling = (piece: string) => new Set(piece).size > 6;
