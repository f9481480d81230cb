import { describe, expect, it } from 'vitest';
import { benchModule } from './bench-module.ts';

const { readOptions } = await benchModule('options.mjs');

describe('the options', () => {
  it('measure everything with nothing said', () => {
    expect(readOptions([])).toMatchObject({
      pack: 'buffalo_sc_dq',
      seconds: 4,
      slice: 3,
      peer: 'auto',
      check: false,
    });
  });

  it('measure less when quick', () => {
    expect(readOptions(['--quick'])).toMatchObject({ seconds: 1, sizes: ['250', '1280'] });
    expect(readOptions(['--quick', '--sizes', '12mp'])).toMatchObject({ sizes: ['12mp'] });
  });

  it.each([
    [['--only', 'stages,nothing'], '--only: nothing is not accepted'],
    [['--only', 'open'], '--only: open needs closed'],
    [['--seconds', '0'], '--seconds is not accepted'],
    [['--peer', 'yes'], '--peer is not accepted'],
    [['--service-env', 'x'], '--service-env: x is not accepted'],
  ])('refuse %j', (argv, message) => {
    expect(() => readOptions(argv)).toThrow(message);
  });

  it('pass settings on to the service', () => {
    const { serviceEnvironment } = readOptions(['--service-env', 'A=b=c', '--service-env', 'D=']);
    expect(serviceEnvironment).toEqual({ A: 'b=c', D: '' });
  });
});
