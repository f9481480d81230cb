import type { Match, ModelInfo } from '../answers.ts';

/** A number with at most so many digits after the point; never −0. */
export const digits = (value: number, most: number): string =>
  value.toLocaleString('en', { maximumFractionDigits: most, signDisplay: 'negative' });

export const milliseconds = (value: number): string => `${digits(value, value < 10 ? 1 : 0)} ms`;

export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  return count < 1e6 ? `${digits(count / 1000, 0)} kB` : `${digits(count / 1e6, 1)} MB`;
}

export const percent = (share: number): string => `${digits(100 * share, 4)}\u00a0%`;

/** The limits are those that docs/QUALITY.md recommends as `min_quality`. */
export function qualityWord(score: number): {
  word: string;
  level: 'good' | 'fair' | 'poor';
  meaning: string;
} {
  if (score >= 0.8) return { word: 'Good', level: 'good', meaning: 'fit to be enrolled' };
  if (score >= 0.5)
    return { word: 'Fair', level: 'fair', meaning: 'fit for a verification, not to be enrolled' };
  return { word: 'Poor', level: 'poor', meaning: 'take another photograph' };
}

export const COMMERCIAL_USE: Record<ModelInfo['commercial_use'], string> = {
  allowed: 'allowed',
  disputed: 'disputed: the licence allows it, the training data has terms of its own',
  excluded: 'excluded: for research only',
  unknown: 'unknown: the pack does not say',
};

/** How often strangers are as near as this match. */
export function farWords({ far }: Match): string {
  if (far === undefined) return '';
  if (far.estimate === undefined) return `Fewer than ${share(far.high)} of pairs of strangers are as near.`;
  return `${share(far.estimate)} of pairs of strangers are as near (95 %: ${share(far.low ?? 0)} to ${share(far.high)}).`;
}

const share = (rate: number): string =>
  `${(100 * rate).toLocaleString('en', { maximumSignificantDigits: 2 })}\u00a0%`;

/** The first numbers of an embedding in base64 of little-endian float32. */
export function firstNumbers(embedding: string, count: number): number[] {
  const text = atob(embedding.slice(0, Math.ceil((count * 4) / 3) * 4));
  const view = new DataView(Uint8Array.from(text, (character) => character.charCodeAt(0)).buffer);
  return Array.from({ length: count }, (_, index) => view.getFloat32(index * 4, true));
}
