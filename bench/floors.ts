import { ratiosOfPairs, summarise } from './statistics.ts';

// What the project promises of its speed, as data: each floor is a ratio within one run, except the aims at the end.
// `measure` gives {median, low, high} from the results, or undefined where that was not measured.

const duel = (results, size, connections, kind = 'photographs') =>
  results.closed?.find((row) => row.size === size && row.connections === connections && row.kind === kind)
    ?.systems;

/** Pair by pair, so that noise that hits both slices of a pair cancels out. */
function besides(systems, ours, theirs, value) {
  if (systems?.[ours] === undefined || systems[theirs] === undefined) return undefined;
  const column = (name) => systems[name].slices.map((slice) => slice[value]);
  return summarise(ratiosOfPairs(column(ours), column(theirs)));
}

const throughput = (size, ours, theirs, kind) => (results) =>
  besides(duel(results, size, 8, kind), ours, theirs, 'throughput');
const lone = (size) => (results) => besides(duel(results, size, 1), 'service', 'peer2', 'p50');
const single = (value) => (Number.isFinite(value) ? { median: value, low: value, high: value } : undefined);
const compareRow = (results, format) =>
  results.compare?.find((row) => row.count === 10_000 && row.format === format);
const around = (size) => (results) =>
  results.stages?.find((row) => row.size === size && row.format === 'JPEG')?.around;

export const FLOORS = [
  {
    figure: 'recogniser: rewritten beside untouched graph, one thread',
    atLeast: 1.6,
    measure: (results) => results.inference?.recogniser?.speedup,
  },
  {
    figure: 'detector at 640: rewritten beside untouched graph, one thread',
    atLeast: 1.15,
    measure: (results) => results.inference?.['detector 640']?.speedup,
  },
  {
    figure: 'throughput 250×250, 8 connections: service beside untouched ONNX Runtime on two threads',
    atLeast: 1.25,
    measure: throughput('250', 'service', 'reference'),
  },
  {
    figure: 'throughput 250×250, 8 connections: service beside two-process peer',
    atLeast: 1.45,
    aim: 1.6,
    measure: throughput('250', 'service', 'peer2'),
  },
  {
    figure: 'throughput 1280×960, 8 connections: service beside two-process peer',
    atLeast: 1.6,
    aim: 1.8,
    measure: throughput('1280', 'service', 'peer2'),
  },
  {
    figure: 'median of a lone request 250×250: service beside two-process peer',
    atMost: 0.6,
    measure: lone('250'),
  },
  {
    figure: 'median of a lone request 1280×960: service beside two-process peer',
    atMost: 0.6,
    measure: lone('1280'),
  },
  {
    figure: 'throughput 250×250, one large face: detection=fast beside two-process peer',
    atLeast: 3,
    aim: 3.5,
    measure: throughput('250', 'fast', 'peer2', 'portraits'),
  },
  {
    figure: 'throughput 1280×960, one large face: detection=fast beside two-process peer',
    atLeast: 3,
    aim: 3.5,
    measure: throughput('1280', 'fast', 'peer2', 'portraits'),
  },
  {
    figure: 'resident memory after ordinary pictures: service beside two-process peer',
    atMost: 0.4,
    measure: ({ memory = {} }) =>
      single(memory.service?.ordinary?.resident / memory.peer2?.ordinary?.resident),
  },
  {
    figure: 'all but inference, 250×250 JPEG, as a share of untouched ONNX Runtime',
    atMost: 0.1,
    measure: around('250'),
  },
  {
    figure: 'all but inference, 1280×960 JPEG, as a share of untouched ONNX Runtime',
    atMost: 0.25,
    measure: around('1280'),
  },
  {
    figure: 'compare with 10,000 references as base64, ms',
    atMost: 150,
    measure: (results) => compareRow(results, 'base64')?.later,
  },
  {
    figure: 'compare with 10,000 references as numbers, ms',
    atMost: 1000,
    measure: (results) => compareRow(results, 'numbers')?.later,
  },
  {
    figure: 'longest event-loop delay during any compare, ms',
    atMost: 20,
    measure: ({ compare }) => compare && single(Math.max(...compare.map((row) => row.eventLoopDelay.max))),
  },
  { figure: 'process start to ready, ms', atMost: 1000, measure: ({ start }) => start?.service },
  {
    figure: 'resident memory of two workers after ordinary pictures, MiB',
    atMost: 300,
    measure: ({ memory }) => single(memory?.service?.ordinary?.resident),
  },
];

/** @returns rows {figure, floor, aim, measured, verdict: 'met' | 'missed' | 'not measured'}. */
export function judgeFloors(results) {
  return FLOORS.map(({ figure, atLeast, atMost, aim, measure }) => {
    const measured = measure(results);
    const met = atLeast === undefined ? measured?.median <= atMost : measured?.median >= atLeast;
    const verdict = measured === undefined ? 'not measured' : met ? 'met' : 'missed';
    return {
      figure,
      floor: atLeast ?? atMost,
      bound: atLeast === undefined ? '≤' : '≥',
      aim,
      measured,
      verdict,
    };
  });
}
