import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { CalibrationError } from '../calibration-error.ts';
import { PICTURE_FILE } from '../pairs/collect.ts';
import type { Failure, ServiceClient } from '../service/client.ts';

/** The kind of spoofs that lie in no folder of their own. */
export const UNNAMED_KIND = 'spoof';

/** A picture of the test, or in the words of ISO/IEC 30107-3 a presentation: bona fide, or an attack. */
export interface Presentation {
  path: string;
  /** For the report. */
  name: string;
  /** The kind of attack (presentation attack instrument species); undefined if the face is live. */
  kind: string | undefined;
}

export interface ScoredPresentation extends Presentation {
  score: number;
}

export interface FailedPresentation extends Presentation, Failure {}

export interface ScoredPresentations {
  scored: ScoredPresentation[];
  /** Without a score: the model cannot judge the face, or there is none. */
  failed: FailedPresentation[];
  /** Pictures that are a copy of another one, which count once. */
  copies: number;
}

/** @throws {CalibrationError} if a folder cannot be read or has no pictures. */
export async function collectPresentations(live: string, spoof: string): Promise<Presentation[]> {
  const [living, spoofs] = await Promise.all([picturesIn(live), picturesIn(spoof)]);
  const kindOf = (name: string) => (name.includes('/') ? name.slice(0, name.indexOf('/')) : UNNAMED_KIND);
  return [
    ...living.map((name) => ({ path: join(live, name), name: `live/${name}`, kind: undefined })),
    ...spoofs.map((name) => ({ path: join(spoof, name), name: `spoof/${name}`, kind: kindOf(name) })),
  ];
}

async function picturesIn(folder: string): Promise<string[]> {
  const files = await readdir(folder, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new CalibrationError(`${folder} cannot be read (${error.code}).`);
  });
  const names = files.filter((name) => PICTURE_FILE.test(name)).sort();
  if (names.length === 0) throw new CalibrationError(`${folder} has no pictures.`);
  return names.map((name) => name.split(sep).join('/'));
}

export interface ScoringOptions {
  client: ServiceClient;
  /** The liveness model whose scores are measured. */
  model: string;
  concurrency: number;
  signal: AbortSignal;
  /** Called after each picture. */
  onPicture: (outcome: { cached: boolean; failed: boolean }) => void;
}

/**
 * Scores every picture. Files with equal content are sent and counted once.
 *
 * @throws {CalibrationError} if the service is gone, or changes its model, or if a picture is called both live and a spoof.
 */
export async function scorePresentations(
  presentations: readonly Presentation[],
  { client, model, concurrency, signal, onPicture }: ScoringOptions,
): Promise<ScoredPresentations> {
  const result: ScoredPresentations = { scored: [], failed: [], copies: 0 };
  const seen = new Map<string, Presentation>();
  const waiting = presentations.values();
  const lane = async () => {
    for (const presentation of waiting) {
      signal.throwIfAborted();
      const bytes = await readFile(presentation.path);
      const hash = createHash('sha256').update(bytes).digest('hex');
      const known = seen.get(hash);
      seen.set(hash, known ?? presentation);
      if (known) {
        assertSameClass(known, presentation);
        result.copies++;
      } else await scoreOne(presentation, bytes);
      onPicture({ cached: known !== undefined, failed: result.failed.at(-1) === presentation });
    }
  };
  const scoreOne = async (presentation: Presentation, bytes: Buffer) => {
    const answer = await client.scoreLiveness(bytes);
    if ('code' in answer) {
      if (answer.code === 'NO_ANSWER')
        throw new CalibrationError(`The service no longer answers: ${answer.reason}`);
      result.failed.push({ ...presentation, ...answer });
      return;
    }
    const { score, reason = '', model: scoredBy } = answer.liveness;
    if (scoredBy !== model)
      throw new CalibrationError(`The service changed its liveness model from ${model} to ${scoredBy}.`);
    if (score === null)
      result.failed.push({ ...presentation, code: reason, reason: 'The model cannot judge this face.' });
    else result.scored.push({ ...presentation, score });
  };
  const ends = await Promise.allSettled(Array.from({ length: concurrency }, lane));
  const failure = ends.find((end) => end.status === 'rejected');
  if (failure) throw failure.reason;
  const byName = (p: Presentation, q: Presentation) => (p.name < q.name ? -1 : 1);
  result.scored.sort(byName);
  result.failed.sort(byName);
  return result;
}

function assertSameClass(first: Presentation, second: Presentation): void {
  if ((first.kind === undefined) === (second.kind === undefined)) return;
  throw new CalibrationError(`${first.name} and ${second.name} are the same picture.`);
}
