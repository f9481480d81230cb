import { describe, expect, it } from 'vitest';
import { goodputUnder, sumOfWork } from '../../bench/goodput.ts';

describe('goodput under overload', () => {
  const capacity = { answered: 100, refused: 0, processorSeconds: 1 };

  it('is the capacity when refusals cost nothing, whatever the load generator takes', () => {
    const overload = { answered: 30, refused: 970, processorSeconds: 0.3 };
    expect(goodputUnder(10, capacity, overload).goodput).toBeCloseTo(1);
  });

  it('is what is left of the processor time when all others have been refused', () => {
    // A refusal takes a hundredth of an answer: of 1,000 requests a second, 909 are refused in 0.09 s.
    const overload = { answered: 50, refused: 5_000, processorSeconds: 1 };
    const { answerMs, refusalMs, goodput } = goodputUnder(10, capacity, overload);
    expect([answerMs, refusalMs]).toEqual([expect.closeTo(10), expect.closeTo(0.1)]);
    const answered = 100 * goodput;
    expect(answered * 0.01 + (1_000 - answered) * 0.0001).toBeCloseTo(1);
  });

  it('is computed from several parts', () => {
    expect(sumOfWork([capacity, capacity])).toEqual({ answered: 200, refused: 0, processorSeconds: 2 });
  });
});
