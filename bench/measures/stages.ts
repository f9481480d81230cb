import { interleave, timed } from '../interleave.ts';
import { PICTURE_SIZES, type PictureSize } from '../options.ts';
import type { PicturesBySize } from '../pictures/test-pictures.ts';
import type { EmbedPicture, InferenceTimes } from '../pipeline.ts';
import { type Run, runAll } from '../reference/runtime.ts';
import { ratiosOfPairs, type Summary, summarise } from '../statistics.ts';

const MAX_ROUNDS = 200;

/** `letterbox` is all of detection but its inference, `around` all of `whole` but inference. */
const STAGES = [
  'decode',
  'letterbox',
  'detector',
  'align',
  'quality',
  'recogniser',
  'around',
  'whole',
] as const;

/** Milliseconds. */
type StageTimes = Record<(typeof STAGES)[number], number>;

export interface StagesRow {
  picture: string;
  size: PictureSize;
  format: 'JPEG' | 'PNG';
  /** Milliseconds that ONNX Runtime takes with the untouched graphs. */
  pure: Summary | undefined;
  /** Milliseconds. */
  stages: Record<keyof StageTimes, Summary | undefined>;
  /** As a ratio to `pure`. */
  whole: Summary | undefined;
  /** As a ratio to `pure`. */
  around: Summary | undefined;
}

interface Options {
  embed: EmbedPicture;
  /** The times inside ONNX Runtime since the last call. */
  inferenceTimes: () => InferenceTimes;
  /** The untouched graphs. */
  reference: ReadonlyMap<string, Run>;
  seconds: number;
}

/** Measures each stage of one embedding in this thread, in turn with ONNX Runtime on the untouched graphs. */
export async function measureStages(pictures: PicturesBySize, options: Options): Promise<StagesRow[]> {
  const rows: StagesRow[] = [];
  for (const [size, { photographs, png }] of pictures) {
    rows.push(toRow(size, 'JPEG', await measurePictures(photographs, options)));
    rows.push(toRow(size, 'PNG', await measurePictures(png, options)));
  }
  return rows;
}

interface Measured {
  pure: number[];
  stages: StageTimes[];
}

function toRow(size: PictureSize, format: 'JPEG' | 'PNG', { pure, stages }: Measured): StagesRow {
  const column = (name: keyof StageTimes) => stages.map((times) => times[name]);
  return {
    picture: `${PICTURE_SIZES[size].label} ${format}`,
    size,
    format,
    pure: summarise(pure),
    stages: Object.fromEntries(STAGES.map((name) => [name, summarise(column(name))])) as StagesRow['stages'],
    whole: summarise(ratiosOfPairs(column('whole'), pure)),
    around: summarise(ratiosOfPairs(column('around'), pure)),
  };
}

async function measurePictures(
  pictures: readonly Buffer[],
  { embed, inferenceTimes, reference, seconds }: Options,
): Promise<Measured> {
  for (const picture of pictures) await embed(picture, 'largest');
  await runAll(reference);
  let next = 0;
  const measureOne = async (): Promise<StageTimes> => {
    const picture = pictures[next++ % pictures.length] as Buffer;
    inferenceTimes();
    const started = performance.now();
    const { timings } = await embed(picture, 'largest');
    const whole = performance.now() - started;
    const { detector, recogniser } = inferenceTimes();
    return {
      decode: timings.decode,
      letterbox: timings.detect - detector,
      detector,
      align: timings.align,
      quality: timings.quality,
      recogniser,
      around: whole - detector - recogniser,
      whole,
    };
  };
  return interleave(
    { pure: () => timed(() => runAll(reference)), stages: measureOne },
    { minRounds: 3, seconds, maxRounds: MAX_ROUNDS },
  );
}
