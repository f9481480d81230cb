import { describe, expect, it } from 'vitest';
import { readOptions } from '../../bench/options.ts';

describe('the options of the benchmark', () => {
  it('measure everything by default', () => {
    expect(readOptions([])).toMatchObject({
      pack: 'buffalo_sc_dq',
      seconds: 4,
      slice: 3,
      peer: 'auto',
      check: false,
    });
  });

  it('measure less with --quick', () => {
    expect(readOptions(['--quick'])).toMatchObject({ seconds: 1, sizes: ['250', '1280'] });
    expect(readOptions(['--quick', '--sizes', '12mp'])).toMatchObject({ sizes: ['12mp'] });
  });

  it.each([
    [['--only', 'stages,nothing'], '--only: nothing is unknown'],
    [['--only', 'open'], '--only: open needs closed'],
    [['--seconds', '0'], '--seconds: use a number'],
    [['--peer', 'yes'], '--peer: yes is unknown'],
    [['--service-env', 'x'], '--service-env: x is not NAME=VALUE'],
  ])('refuse %j', (argv, message) => {
    expect(() => readOptions(argv)).toThrow(message);
  });

  it('give settings to the service', () => {
    const { serviceEnvironment } = readOptions(['--service-env', 'A=b=c', '--service-env', 'D=']);
    expect(serviceEnvironment).toEqual({ A: 'b=c', D: '' });
  });
});
