import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { replaceSections } from '../../bench/report/write-docs.ts';
import { drawCurves } from './draw.ts';
import { RIVALS } from './measures.ts';

const DOCS = new URL('../../docs/', import.meta.url);
const LINES = {
  score: { colour: '#1a6fb5', dash: '' },
  'score without the norm': { colour: '#1a6fb5', dash: '6 4' },
  embedding_norm: { colour: '#c2571a', dash: '' },
  'detection score': { colour: '#3c8d40', dash: '' },
  sharpness: { colour: '#8a5ab0', dash: '' },
  ideal: { colour: '#999', dash: '2 3' },
};
const MIXES = { all: 'all strengths', light: 'the weakest strength alone' };

/** The generated parts of docs/QUALITY.md by the names of their markers. */
export function renderSections(results) {
  return {
    halves: renderHalves(results.halves),
    cost: renderCost(results.cost),
    weights: renderWeights(results.weights),
    chosen: renderChosen(results.chosen),
    forms: renderForms(results.chosen.forms),
    areas: renderAreas(results.areas),
    swapped: renderSwapped(results.swapped),
    kinds: renderKinds(results.kinds),
    gates: renderGates(results.gates),
    calibration: renderCalibration(results.calibration),
    reasons: renderReasons(results.reasons),
  };
}

/** File name → SVG. */
export function renderCurves({ curves }) {
  return Object.fromEntries(
    Object.entries(curves).map(([mix, lines]) => [
      `quality-${mix}.svg`,
      drawCurves(
        lines.map(({ name, points }) => ({ label: name, points, ...LINES[name] })),
        {
          title: `False non-match rate over the share discarded, ${MIXES[mix]}`,
          x: 'share of the comparisons discarded, lowest quality first',
          y: `false non-match rate of the rest (${MIXES[mix]})`,
        },
      ),
    ]),
  );
}

/** Puts tables and curves where they are read. */
export function writeDocs(results) {
  const file = new URL('QUALITY.md', DOCS);
  const { chosen: _, ...sections } = renderSections(results);
  writeFileSync(file, replaceSections(readFileSync(file, 'utf8'), sections));
  for (const [name, svg] of Object.entries(renderCurves(results))) writeFileSync(new URL(name, DOCS), svg);
}

/** The weights as docs/QUALITY.md shows them. */
export function renderWeights(weights) {
  const rows = { withNorm: 'known norm', withoutNorm: 'any other recogniser' };
  const names = Object.keys(weights.withNorm);
  return table(
    ['recogniser', ...names],
    Object.entries(rows).map(([key, label]) => [label, ...names.map((name) => String(weights[key][name]))]),
  );
}

function renderHalves({ threshold, rows }) {
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

function renderCost({ quality, whole, share }) {
  return `${quality.toFixed(2)} ms of ${whole.toFixed(1)} ms for a photograph of 250×250, ${percent(share)} (medians).`;
}

function renderForms(forms) {
  return table(
    ['terms', 'area, all strengths', 'area, weakest strength', 'got no weight'],
    forms.map(({ name, all, light, unused }) => [name, rate(all), rate(light), unused.join(', ') || '–']),
  );
}

/** For src/vision/quality/quality-score.ts. */
function renderChosen({ weights }) {
  const three = (value) => Number(value.toPrecision(3));
  const rounded = Object.fromEntries(
    Object.entries(weights).map(([name, group]) => [
      name,
      Object.fromEntries(Object.entries(group).map(([term, weight]) => [term, three(weight)])),
    ]),
  );
  return `\`\`\`json\n${JSON.stringify(rounded, undefined, 2)}\n\`\`\``;
}

function renderAreas({ all, light }) {
  const cell = ({ area, interval }) => `${rate(area)} (${interval.map(rate).join('–')})`;
  const difference = ({ below }) => (below ? `${rate(below[0])} to ${rate(below[1])}` : '–');
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
    Object.keys(all.whole).map((name) => [
      name === 'score' ? `**${name}**` : name,
      cell(all.whole[name]),
      difference(all.whole[name]),
      rate(all.part[name].area),
      cell(light.whole[name]),
      difference(light.whole[name]),
      rate(light.part[name].area),
    ]),
  );
}

function renderSwapped(rows) {
  return table(
    ['measure', 'area, all strengths', 'weakest strength'],
    rows.map(({ name, all, light }) => [name, rate(all), rate(light)]),
  );
}

function renderKinds(kinds) {
  return table(
    ['kind', 'false non-match rate', 'score that never saw it', 'score', ...RIVALS],
    kinds.map(({ kind, falseNonMatchRate, unseen, score, rivals }) => [
      kind,
      percent(falseNonMatchRate),
      rate(unseen),
      rate(score),
      ...rivals.map(rate),
    ]),
  );
}

function renderGates(gates) {
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

function renderCalibration(bins) {
  const cells = ({ count, matches }) => [count, count > 0 ? percent(matches) : '–'];
  return table(
    ['score', 'pictures', 'match', 'score without the norm: pictures', 'match'],
    bins.map(({ from, to, withNorm, withoutNorm }) => [
      `${from} to ${to}`,
      ...cells(withNorm),
      ...cells(withoutNorm),
    ]),
  );
}

function renderReasons({ kinds, onOriginals }) {
  const share = (value) => (value === undefined ? '–' : percent(value, 0));
  const words = (list) => list.map(({ reason, share: value }) => `${reason} (${share(value)})`).join(', ');
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
    `Had the photographs themselves been refused: ${words(onOriginals.filter((one) => one.share > 0))}.`,
  ].join('\n');
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const percent = (value, digits = 1) => `${(100 * value).toFixed(digits)} %`;
/** Areas: mean false non-match rates. */
const rate = (value) => percent(value, 2);

// node study/quality/report.ts study-out/results.json
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeDocs(JSON.parse(readFileSync(process.argv[2] ?? 'study-out/results.json', 'utf8')));
}
