/**
 * A failure with a model pack that an operator can fix. The message consists of sentences for the log and the terminal.
 * It may name local files and folders, but never contains credentials.
 */
export class PackError extends Error {
  override readonly name: string = 'PackError';
}

/** Files of the pack are missing. A pack of the catalogue can be downloaded. */
export class PackMissingError extends PackError {
  override readonly name = 'PackMissingError';
}

/** The pack has a wrong hash, a malformed manifest or ambiguous files. It is never loaded. */
export class PackInvalidError extends PackError {
  override readonly name = 'PackInvalidError';
}

/** The archive could not be downloaded from any source. */
export class PackDownloadError extends PackError {
  override readonly name = 'PackDownloadError';
}

/** The folder for packs cannot be written, because it is read-only, full or not a folder. */
export class PackStorageError extends PackError {
  override readonly name = 'PackStorageError';
}

/** The weights are missing, and could not or may not be downloaded. */
export class PackUnavailableError extends PackError {
  override readonly name = 'PackUnavailableError';
  /** In one line. `message` also says how to get the weights. */
  readonly reason: string;

  constructor(reason: string, instructions: string) {
    super(`${reason}\n${instructions}`);
    this.reason = reason;
  }
}
