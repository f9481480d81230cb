/** Two pictures, by their names relative to the folder of pictures, and whether they show the same person. */
export interface Pair {
  a: string;
  b: string;
  same: boolean;
}

/** Gives the person on a picture. */
export type PersonOf = (picture: string) => string;
