/** Two pictures, by their names relative to the folder of pictures, and whether they show the same person. */
export interface Pair {
  a: string;
  b: string;
  same: boolean;
  /** The group of people that the pair belongs to, if the table has groups. */
  group?: string | undefined;
}

/** Gives the person on a picture. */
export type PersonOf = (picture: string) => string;
