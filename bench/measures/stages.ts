import { interleave, timed } from '../interleave.ts';
import { PICTURE_SIZES } from '../options.ts';
import { runAll } from '../reference/runtime.ts';
import { ratiosOfPairs, summarise } from '../statistics.ts';

const MOST_ROUNDS = 200;

/**
 * Each stage of one embedding in this thread, beside pure ONNX Runtime on the untouched graphs. `around` is all that is
 * not inference, as a share of that pure time.
 *
 * @param embed encoded picture, selection → {timings}.
 * @param inferenceTime {detector, recogniser}: milliseconds inside ONNX Runtime since its last call.
 * @param reference for each input a function that runs the untouched graph.
 */
export async function measureStages({ album, embed, inferenceTime, reference, seconds }) {
  const rows = [];
  for (const [size, pictures] of Object.entries(album)) {
    for (const [format, list] of [
      ['JPEG', pictures.photographs],
      ['PNG', pictures.png],
    ]) {
      const { stages, pure } = await measurePicture({ list, embed, inferenceTime, reference, seconds });
      const column = (name) => stages.map((stage) => stage[name]);
      const names = Object.keys(stages[0]);
      rows.push({
        picture: `${PICTURE_SIZES[size].label} ${format}`,
        size,
        format,
        pure: summarise(pure),
        stages: Object.fromEntries(names.map((name) => [name, summarise(column(name))])),
        whole: summarise(ratiosOfPairs(column('whole'), pure)),
        around: summarise(ratiosOfPairs(column('around'), pure)),
      });
    }
  }
  return rows;
}

async function measurePicture({ list, embed, inferenceTime, reference, seconds }) {
  for (const picture of list) await embed(picture, 'largest');
  await runAll(reference);
  let next = 0;
  const measured = await interleave(
    {
      pure: () => timed(() => runAll(reference)),
      stages: async () => {
        const picture = list[next++ % list.length];
        inferenceTime();
        const started = performance.now();
        const { timings } = await embed(picture, 'largest');
        const whole = performance.now() - started;
        const { detector, recogniser } = inferenceTime();
        const letterbox = timings.detect - detector;
        const around = whole - detector - recogniser;
        return {
          decode: timings.decode,
          letterbox,
          detector,
          align: timings.align,
          quality: timings.quality,
          recogniser,
          around,
          whole,
        };
      },
    },
    { rounds: 3, seconds, most: MOST_ROUNDS },
  );
  return measured;
}
