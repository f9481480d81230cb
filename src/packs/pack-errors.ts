/**
 * A failure with a model pack that an operator can fix. The message consists of sentences for the log and the terminal.
 * It may name local files and folders, hashes and sources, but never contains credentials.
 */
export abstract class PackError extends Error {
  override readonly name: string = 'PackError';
  /** The kind of failure, for callers: a sentence without paths, hashes and URLs. */
  abstract readonly reason: string;
}

/** Files of the pack are missing. A pack of the catalogue can be downloaded. */
export class PackMissingError extends PackError {
  override readonly name = 'PackMissingError';
  override readonly reason = 'The weights are not installed; the log says how to get them.';
}

/** The pack has a wrong hash, a malformed manifest or ambiguous files. It is never loaded. */
export class PackInvalidError extends PackError {
  override readonly name = 'PackInvalidError';
  override readonly reason = 'The model pack is not valid; the log says why.';
}

/** The archive could not be downloaded from any source. */
export class PackDownloadError extends PackError {
  override readonly name: string = 'PackDownloadError';
  override readonly reason = 'The weights could not be downloaded; the log says why.';
}

/** The folder for packs cannot be written, because it is read-only, full or not a folder. */
export class PackStorageError extends PackError {
  override readonly name = 'PackStorageError';
  override readonly reason = 'The weights could not be stored; the log says why.';
}

/** The weights are missing, and could not or may not be downloaded. */
export class PackUnavailableError extends PackError {
  override readonly name = 'PackUnavailableError';
  override readonly reason: string;

  /** @param instructions say how to get the weights. */
  constructor({ message, reason }: PackError, instructions: string) {
    super(`${message}\n${instructions}`);
    this.reason = reason;
  }
}
