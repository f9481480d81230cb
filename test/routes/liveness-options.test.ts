import { describe, expect, it } from 'vitest';
import { assertLivenessPossible } from '../../src/routes/liveness-options.ts';

describe('an aligned face', () => {
  const settings = (LIVENESS: 'off' | 'report' | 'require') => ({ LIVENESS, LIVENESS_MODEL: 'mean.onnx' });
  const check = (liveness: 'off' | 'report' | 'require' | undefined, by: 'off' | 'report' | 'require') =>
    assertLivenessPossible({ liveness, aligned: true }, settings(by), undefined);

  it('passes no service that requires live faces, nor a caller who does', () => {
    for (const [asked, by] of [
      ['require', 'off'],
      ['report', 'off'],
      [undefined, 'require'],
    ] as const) {
      expect(() => check(asked, by)).toThrow(
        expect.objectContaining({
          code: 'INVALID_REQUEST',
          detail: expect.stringContaining('does not go with an aligned face'),
        }),
      );
    }
  });

  it('is embedded where liveness is off, or only reported by default', () => {
    expect(check(undefined, 'off')).toBeUndefined();
    expect(check('off', 'require')).toBeUndefined();
    expect(check(undefined, 'report')).toBeUndefined();
  });
});
