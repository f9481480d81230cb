import { describe, expect, it } from 'vitest';
import { GROUPS, optionsFor, readOptions } from '../../bench/options.ts';

describe('the options of the benchmark', () => {
  it('measure everything by default', () => {
    expect(readOptions([])).toMatchObject({
      packs: ['buffalo_sc_dq'],
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
    [['--pack', 'standin-l,'], '--pack: the name of a pack is missing'],
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

describe('the options for one pack', () => {
  it('are all groups of an ordinary pack', () => {
    const options = readOptions(['--pack', 'standin-l,synthetic']);
    expect(options.packs).toEqual(['standin-l', 'synthetic']);
    expect(optionsFor('synthetic', options)).toMatchObject({ large: false, only: GROUPS, slice: 3 });
  });

  it.each(['standin-m', 'standin-l'])('are fewer groups, sizes and longer slices of %s', (pack) => {
    const options = optionsFor(pack, readOptions([]));
    expect(options).toMatchObject({
      pack,
      large: true,
      only: ['inference', 'closed', 'start'],
      sizes: ['250', '1280'],
      slice: 4,
    });
  });

  it('are the groups of --only for any pack', () => {
    const options = readOptions(['--only', 'start']);
    expect(optionsFor('standin-m', options).only).toEqual(['start']);
    expect(optionsFor('synthetic', options).only).toEqual(['start']);
  });
});
