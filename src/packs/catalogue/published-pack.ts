import type { DetectorFile, Preprocessing, RecogniserFile } from '../pack.ts';
import type { Provenance } from '../provenance.ts';

/** A file of a published pack. */
export interface PublishedFile {
  /** File name inside the pack's folder, and inside an archive. */
  name: string;
  bytes: number;
  /** Lower-case hex SHA-256: a file is the published one if it has this hash, wherever it comes from. */
  sha256: string;
}

/** The detector of a published pack, and how its input is made. */
export interface PublishedDetector extends PublishedFile {
  family: DetectorFile['family'];
  preprocessing: Preprocessing;
  /** Side of the square input, in pixels, if the graph takes no other. */
  inputSize?: number;
  /** A second network that finds the landmarks, for a family whose first one finds boxes only. */
  landmarks?: PublishedFile & { preprocessing: Preprocessing };
}

/** The recogniser of a published pack, and how its input is made. */
export interface PublishedRecogniser extends PublishedFile {
  preprocessing: Preprocessing;
  channelOrder: RecogniserFile['channelOrder'];
  /** Side of the square aligned face, in pixels. */
  inputSize: number;
  /** Numbers of an embedding. */
  embeddingSize: number;
}

/** Memory of the process after ordinary photographs, in MiB: its share of mapped files (PSS), with prepared networks. */
export interface MemoryNeed {
  /** With one worker, and a second session of each network for lone requests. */
  first: number;
  /** Of each further worker. */
  further: number;
}

/** A zip archive with the files at its top, or in a folder named like the pack. A mirror may repack it. */
export interface ArchiveSource {
  kind: 'archive';
  url: string;
  /** Size of the published archive, for progress. */
  bytes: number;
}

/** The files one by one. */
export interface FilesSource {
  kind: 'files';
  /** Permanent URLs of each file by its name, in the order in which they are tried. */
  urls: Readonly<Record<string, readonly string[]>>;
}

/** A package in the npm registry, of which the files of the pack are a part. Nothing of it is run. */
export interface NpmSource {
  kind: 'npm';
  package: string;
  version: string;
  /** Hash of the tarball in the form of a lock file: sha512-<base64>. */
  integrity: string;
  /** Size of the tarball. */
  bytes: number;
  /** Paths of the files inside the package by their names. */
  paths: Readonly<Record<string, string>>;
}

export type PackSource = ArchiveSource | FilesSource | NpmSource;

/** A published pack that this service can download and verify. */
export interface CataloguePack extends Provenance {
  name: string;
  detector: PublishedDetector;
  recogniser: PublishedRecogniser;
  memory: MemoryNeed;
  /** In the order in which they are tried. */
  sources: readonly PackSource[];
  /** With which weights the tests of this project compute, for the documents. */
  tested: string;
}

export type Catalogue = ReadonlyMap<string, CataloguePack>;

/** All files of a pack. */
export function filesOf({
  detector,
  recogniser,
}: Pick<CataloguePack, 'detector' | 'recogniser'>): PublishedFile[] {
  return [detector, ...(detector.landmarks ? [detector.landmarks] : []), recogniser];
}

/** Size of all files of a pack on disk. */
export function installedBytes(pack: Pick<CataloguePack, 'detector' | 'recogniser'>): number {
  return filesOf(pack).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** What a download from the first source of a pack takes. */
export function downloadBytes(pack: CataloguePack): number {
  const [source] = pack.sources;
  return source === undefined || source.kind === 'files' ? installedBytes(pack) : source.bytes;
}
