/** Its message is a sentence for the user, without an embedding, a member of a line, or a key. */
export class RekeyError extends Error {}
