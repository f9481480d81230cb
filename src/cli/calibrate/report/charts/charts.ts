import { drawDet } from './det.ts';
import { drawQualityError, drawQualityScores } from './quality.ts';
import { drawRoc } from './roc.ts';
import { drawScoreHistogram } from './score-histogram.ts';

/**
 * File name → SVG text, for all that these figures can show.
 *
 * @param figures of analyse. @param pairs of scorePairs.
 */
export function drawCharts(figures, pairs) {
  return {
    'score-histogram.svg': drawScoreHistogram(figures, pairs),
    'roc.svg': drawRoc(figures),
    'det.svg': drawDet(figures),
    'quality-scores.svg': drawQualityScores(figures, pairs),
    ...(figures.quality.curve && { 'quality-error.svg': drawQualityError(figures) }),
  };
}
