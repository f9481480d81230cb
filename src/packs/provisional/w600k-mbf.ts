import type { ProvisionalFigures } from './provisional.ts';

export const W600K_MBF: ProvisionalFigures = {
  recognisers: [],
  source: '',
  created: '',
  genuine_pairs: 1,
  impostor_pairs: 1,
  people: 1,
  thresholds: [],
  curve: [],
};
