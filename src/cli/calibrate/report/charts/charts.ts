import type { Figures } from '../../analysis.ts';
import type { ScoredPair } from '../../scored-pairs.ts';
import { drawDet } from './det.ts';
import { drawQualityError, drawQualityScores } from './quality.ts';
import { drawRoc } from './roc.ts';
import { drawScoreHistogram } from './score-histogram.ts';

export type ChartFile =
  | 'score-histogram.svg'
  | 'roc.svg'
  | 'det.svg'
  | 'quality-scores.svg'
  | 'quality-error.svg';

/** The SVG text of each chart that the figures allow. */
export type Charts = Partial<Record<ChartFile, string>>;

export function drawCharts(figures: Figures, pairs: ScoredPair[]): Charts {
  const { curve } = figures.quality;
  return {
    'score-histogram.svg': drawScoreHistogram(figures, pairs),
    'roc.svg': drawRoc(figures),
    'det.svg': drawDet(figures),
    'quality-scores.svg': drawQualityScores(figures, pairs),
    ...(curve && { 'quality-error.svg': drawQualityError(curve) }),
  };
}
