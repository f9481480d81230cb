import { expect, it } from 'vitest';
import { Letterbox } from '../../../src/vision/detect/letterbox.ts';
import { drawTurnedViews, highestInViews } from '../../../src/vision/detect/turned-views.ts';
import { TURNS, turnPicture } from '../../../src/vision/upright/turn.ts';
import { seededRandom } from '../../support/numbers.ts';

it('the three views of a square picture are those of the turned pictures, one below the other', () => {
  const side = 32;
  const random = seededRandom(5);
  const data = Uint8Array.from({ length: side * side * 3 }, () => Math.floor(random() * 256));
  const picture = { data, width: side, height: side, original: { width: side, height: side } };
  const letterbox = new Letterbox(side, { mean: 127.5, std: 128 });
  letterbox.fit(picture);
  const views = new Float32Array(3 * letterbox.input.length);
  drawTurnedViews(letterbox, views);
  const area = side * side;
  for (const [view, turn] of TURNS.entries()) {
    const turned = new Letterbox(side, { mean: 127.5, std: 128 });
    turned.fit(turnPicture(picture, turn));
    for (let channel = 0; channel < 3; channel++) {
      const at = (3 * channel + view) * area;
      expect(views.subarray(at, at + area)).toEqual(
        turned.input.subarray(channel * area, (channel + 1) * area),
      );
    }
  }
});

it('the highest score of each view is found in the maps of all strides', () => {
  const maps = [
    [0.1, 0.2, 0.3, 0.1, 0, 0],
    [0, 0.4, 0.1],
  ];
  expect(
    highestInViews(maps.map((scores) => Float32Array.from(scores))).map((score) => score.toFixed(1)),
  ).toEqual(['0.2', '0.4', '0.1']);
});
