/**
 * A failure around a model pack that an operator can mend. The message is made of whole sentences, for the log and the
 * terminal; it may name files and folders of this machine, never a credential.
 */
export class PackError extends Error {
  override readonly name: string = 'PackError';
}

/** Files of the pack are not there. Where the pack is in the catalogue, a download makes sense. */
export class PackMissingError extends PackError {
  override readonly name = 'PackMissingError';
}

/** The pack is there but wrong: another hash, a malformed manifest, an ambiguous folder. It is never loaded. */
export class PackInvalidError extends PackError {
  override readonly name = 'PackInvalidError';
}

/** No source gave the archive. */
export class PackDownloadError extends PackError {
  override readonly name = 'PackDownloadError';
}

/** The folder for packs cannot be written: read-only, full, or not a folder. */
export class PackStorageError extends PackError {
  override readonly name = 'PackStorageError';
}

/** There are no weights, and the service did what it was allowed to do about that. */
export class PackUnavailableError extends PackError {
  override readonly name = 'PackUnavailableError';
  /** Why, in one line; `message` also holds the ways to get weights. */
  readonly reason: string;

  constructor(reason: string, ways: string) {
    super(`${reason}\n${ways}`);
    this.reason = reason;
  }
}
