import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PACKAGE_ROOT } from '../../src/config/package.ts';
import { DISTINCTNESS, type ScoreWeights } from '../../src/vision/quality/quality-score.ts';
import { table } from '../../tools/markdown.ts';
import { updateDocument } from '../results.ts';
import { drawCurves } from './draw.ts';
import type { judgeReturned } from './embed/returned.ts';
import { mapValues } from './map-values.ts';
import { RIVAL_MEASURES } from './measures.ts';
import type { StudyResults } from './study.ts';

export interface Results extends StudyResults {
  pack: string;
  /** Milliseconds of measuring the quality and of the whole pipeline, and the share of the former. */
  cost: { quality: number; whole: number; share: number };
  returned: ReturnType<typeof judgeReturned>;
}

const DOCS = new URL('docs/', PACKAGE_ROOT);
const LINES = {
  score: { colour: '#1a6fb5', dash: '' },
  'score without the norm': { colour: '#1a6fb5', dash: '6 4' },
  embedding_norm: { colour: '#c2571a', dash: '' },
  'detection score': { colour: '#3c8d40', dash: '' },
  sharpness: { colour: '#8a5ab0', dash: '' },
  ideal: { colour: '#999', dash: '2 3' },
};
const MIX_LABELS = { all: 'all strengths', light: 'weakest strength only' };

/** The generated sections of docs/QUALITY.md, and `chosen`, the weights that the study found. */
export function renderSections(results: Results): Record<string, string> {
  return {
    halves: renderHalves(results.halves),
    cost: renderCost(results.cost),
    weights: renderWeights(results.weights),
    chosen: renderChosen(results.chosen.weights),
    forms: renderForms(results.chosen.forms),
    areas: renderAreas(results.areas),
    swapped: renderSwapped(results.swapped),
    kinds: renderKinds(results.kinds),
    gates: renderGates(results.gates),
    calibration: renderCalibration(results.calibration),
    reasons: renderReasons(results.reasons),
    returned: renderReturned(results.returned),
    dark: renderDark(results.dark),
  };
}

/** The curves as SVG, by file name. */
export function renderCurves({ curves }: Results): Record<string, string> {
  const files = mapValues(curves, (lines, mix) => {
    const drawn = Object.values(
      mapValues(lines, (points, name) => ({ label: name, points, ...LINES[name] })),
    );
    return drawCurves(drawn, {
      title: `False non-match rate over the discarded share, ${MIX_LABELS[mix]}`,
      x: 'discarded share of the comparisons, lowest quality first',
      y: `false non-match rate of the remaining comparisons (${MIX_LABELS[mix]})`,
    });
  });
  return Object.fromEntries(Object.entries(files).map(([mix, svg]) => [`quality-${mix}.svg`, svg]));
}

/** Writes the sections and the curves of docs/QUALITY.md. */
export function writeDocs(results: Results): void {
  const { chosen: _, ...sections } = renderSections(results);
  updateDocument('QUALITY.md', sections);
  for (const [name, svg] of Object.entries(renderCurves(results))) writeFileSync(new URL(name, DOCS), svg);
}

/** The weights as docs/QUALITY.md shows them. */
export function renderWeights(weights: Record<'withNorm' | 'withoutNorm', ScoreWeights>): string {
  const names = Object.keys(weights.withNorm) as (keyof ScoreWeights)[];
  const row = (label: string, group: ScoreWeights) => [label, ...names.map((name) => String(group[name]))];
  return table(
    ['recogniser', ...names],
    [row('known norm', weights.withNorm), row('any other recogniser', weights.withoutNorm)],
  );
}

function renderHalves({ threshold, rows }: Results['halves']): string {
  return [
    `Threshold: a cosine similarity of ${threshold.toFixed(3)}.`,
    '',
    table(
      [
        'half',
        'persons',
        'pairs of one person',
        'impostor pairs',
        'false match rate',
        'comparisons, all strengths',
        'false non-match rate',
        'comparisons, weakest strength',
        'false non-match rate',
      ],
      rows.map((row) => [
        row.name,
        row.persons,
        row.pairs,
        row.impostors,
        percent(row.falseMatchRate, 2),
        row.comparisons,
        percent(row.falseNonMatchRate),
        row.lightComparisons,
        percent(row.lightFalseNonMatchRate),
      ]),
    ),
  ].join('\n');
}

function renderCost({ quality, whole, share }: Results['cost']): string {
  return `${quality.toFixed(2)} ms of ${whole.toFixed(1)} ms for a photograph of 250×250, ${percent(share)} (medians).`;
}

function renderForms(forms: Results['chosen']['forms']): string {
  return table(
    ['terms', 'area, all strengths', 'area, weakest strength', 'unused terms'],
    forms.map(({ name, all, light, unused }) => [name, rate(all), rate(light), unused.join(', ') || '–']),
  );
}

/** The weights as src/vision/quality/quality-score.ts has them. */
function renderChosen(weights: Results['chosen']['weights']): string {
  const round = (group: Record<string, number>) =>
    mapValues(group, (weight) => Number(weight.toPrecision(3)));
  return `\`\`\`json\n${JSON.stringify(mapValues(weights, round), undefined, 2)}\n\`\`\``;
}

function renderAreas({ all, light }: Results['areas']): string {
  const names = Object.keys(all.whole) as (keyof typeof all.whole)[];
  const cells = ({ whole, part }: typeof all, name: (typeof names)[number]) => {
    const { area, interval, aboveScore } = whole[name];
    return [
      `${rate(area)} (${interval.map(rate).join('–')})`,
      aboveScore ? aboveScore.map(rate).join(' to ') : '–',
      rate(part[name].area),
    ];
  };
  return table(
    [
      'measure',
      'area, all strengths',
      'above the score by',
      'to 30 % discarded',
      'weakest strength',
      'above the score by',
      'to 30 % discarded',
    ],
    names.map((name) => [
      name === 'score' ? `**${name}**` : name,
      ...cells(all, name),
      ...cells(light, name),
    ]),
  );
}

function renderSwapped(rows: Results['swapped']): string {
  return table(
    ['measure', 'area, all strengths', 'weakest strength'],
    rows.map(({ name, all, light }) => [name, rate(all), rate(light)]),
  );
}

function renderKinds(kinds: Results['kinds']): string {
  return table(
    ['kind', 'false non-match rate', 'score fitted without it', 'score', ...Object.keys(RIVAL_MEASURES)],
    kinds.map(({ kind, falseNonMatchRate, withoutKind, score, rivals }) => [
      kind,
      percent(falseNonMatchRate),
      rate(withoutKind),
      rate(score),
      ...rivals.map(rate),
    ]),
  );
}

function renderGates(gates: Results['gates']): string {
  return table(
    [
      '`min_quality`',
      'photographs refused',
      'weakest strength refused',
      'all strengths refused',
      'false non-matches left, all strengths',
      'weakest strength',
      'false matches left',
    ],
    gates.map((row) => [
      row.gate === 0 ? 'none' : row.gate,
      percent(row.originalsRefused),
      percent(row.lightRefused),
      percent(row.degradedRefused),
      percent(row.falseNonMatchRate),
      percent(row.lightFalseNonMatchRate),
      percent(row.falseMatchRate, 2),
    ]),
  );
}

function renderCalibration(bins: Results['calibration']): string {
  const cells = ({ count, matches }: { count: number; matches: number }) => [
    count,
    count > 0 ? percent(matches) : '–',
  ];
  return table(
    ['score', 'pictures', 'match', 'score without the norm: pictures', 'match'],
    bins.map(({ from, to, withNorm, withoutNorm }) => [
      `${from} to ${to}`,
      ...cells(withNorm),
      ...cells(withoutNorm),
    ]),
  );
}

function renderReasons({ kinds, onOriginals }: Results['reasons']): string {
  const share = (value: number | undefined) => (value === undefined ? '–' : percent(value, 0));
  const words = (list: Results['reasons']['onOriginals']) =>
    list.map(({ reason, share: value }) => `${reason} (${share(value)})`).join(', ');
  return [
    table(
      ['kind', 'pictures refused at 0.5', 'expected', 'is named', 'comes first', 'most often first'],
      kinds.map((row) => [
        row.kind,
        row.refused,
        row.expected ?? '–',
        share(row.named),
        share(row.first),
        words(row.mostOften),
      ]),
    ),
    '',
    `Reasons for the original photographs, if they were refused: ${words(onOriginals.filter((one) => one.share > 0))}.`,
  ].join('\n');
}

function renderDark(rows: Results['dark']): string {
  const { intercept, logBrightness } = DISTINCTNESS;
  return [
    `The limit: 1 / (1 + exp(−(${intercept} + ${logBrightness} · ln \`brightness\`))).`,
    '',
    renderDarkRows(rows),
  ].join('\n');
}

function renderDarkRows(rows: Results['dark']): string {
  return table(
    [
      'light',
      'faces found',
      '`brightness`, median',
      'match their own good photograph',
      'match a stranger as dark',
      'score of 0.8 and above',
      'without the limit',
    ],
    rows.map((row) => [
      percent(row.gain, 0),
      percent(row.found, 0),
      row.brightness.toFixed(3),
      percent(row.matches, 0),
      percent(row.strangers, 1),
      percent(row.pass, 0),
      percent(row.passBefore, 0),
    ]),
  );
}

function renderReturned(rows: Results['returned']): string {
  return table(
    ['`face_format`', 'faces', 'bytes, median', 'cosine, median', 'lowest of 100', 'lowest'],
    rows.map((row) => [
      `\`${row.format}\``,
      row.faces,
      Math.round(row.bytes),
      ...[row.median, row.lowest1, row.lowest].map((cosine) => cosine.toFixed(4)),
    ]),
  );
}

function percent(value: number, digits = 1): string {
  return `${(100 * value).toFixed(digits)} %`;
}

/** For areas, which are mean false non-match rates. */
function rate(value: number): string {
  return percent(value, 2);
}

// node tools/run.mjs build/study/quality/report.js study-out/results.json
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeDocs(JSON.parse(readFileSync(process.argv[2] ?? 'study-out/results.json', 'utf8')));
}
