import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { quantile } from '../../support/numbers.ts';
import type { Client, Received, SentRequest } from './client.ts';

/** A hostile request. */
export interface Attack {
  /** With the number by which it can be repeated. */
  name: string;
  request: SentRequest;
  /** The picture in it, if there is one. */
  picture?: Buffer;
}

/** A request whose answer is known. */
export interface Probe {
  name: string;
  request: SentRequest;
  /** What must be the same in every answer, to the bit. */
  answer: (body: Buffer) => string;
}

export interface AttackOptions {
  client: Client;
  /** By its number. */
  attack: (index: number) => Attack;
  first: number;
  count: number;
  /** Requests that are open at a time. */
  callers: number;
  /** No attack starts later. */
  maxMinutes: number;
  probes: readonly Probe[];
  /** Attacks between two probes. */
  probeEvery: number;
  /** Called after each answer. */
  onProgress?: (done: number) => void;
}

export interface AttackReport {
  sent: number;
  /** How many answers there were of each status and code. */
  answers: Record<string, number>;
  /** What must not happen, described. */
  faults: string[];
  /** The attacks that took longest under load, slowest first. */
  slowest: { attack: Attack; ms: number }[];
  /** Those that were refused because the queue was full were sent again. */
  probes: { sent: number; refused: number; median: number; slowest: number };
  median: number;
}

const MAX_FAULTS = 50;
const SLOWEST = 40;
/** What Retry-After asks for, at least. */
const RETRY_MS = 1_000;

/** Sends attacks, several at a time, and requests with known answers between them. */
export async function runAttacks(options: AttackOptions): Promise<AttackReport> {
  const { client, attack, first, count, callers, maxMinutes, probes, probeEvery, onProgress } = options;
  const known = new Map<Probe, string>();
  for (const probe of probes) {
    const { status, body } = await client.send(probe.request);
    if (status !== 200)
      throw new Error(`The probe "${probe.name}" is answered with ${status}: ${excerpt(body)}`);
    known.set(probe, probe.answer(body));
  }
  const answers: Record<string, number> = {};
  const faults: string[] = [];
  const slowest: AttackReport['slowest'] = [];
  const times: number[] = [];
  const probeTimes: number[] = [];
  let refused = 0;

  const sendAttack = async (index: number) => {
    const one = attack(index);
    const received = await client.send(one.request);
    const { code, fault } = judge(received, one.request.method);
    answers[code] = (answers[code] ?? 0) + 1;
    if (fault !== undefined && faults.length < MAX_FAULTS) faults.push(`${one.name}: ${fault}; ${keep(one)}`);
    times.push(received.ms);
    if (slowest.length < SLOWEST || received.ms > (slowest.at(-1)?.ms ?? 0)) {
      slowest.push({ attack: one, ms: received.ms });
      slowest.sort((a, b) => b.ms - a.ms).splice(SLOWEST);
    }
  };
  const sendProbe = async (probe: Probe) => {
    let received = await client.send(probe.request);
    // Batches of the attacks may fill the queue.
    for (; received.status === 503 || received.status === 504; received = await client.send(probe.request)) {
      refused++;
      await sleep(RETRY_MS);
    }
    const { status, body, ms, failure } = received;
    probeTimes.push(ms);
    const answer = status === 200 ? probe.answer(body) : `${status} ${failure ?? excerpt(body)}`;
    if (answer !== known.get(probe))
      faults.push(`The probe "${probe.name}" has another answer: ${answer.slice(0, 200)}`);
  };

  let next = first;
  const end = performance.now() + maxMinutes * 60_000;
  const call = async () => {
    while (next < first + count && performance.now() < end) {
      const index = next++;
      await sendAttack(index);
      if (index % probeEvery === 0) await sendProbe(probes[(index / probeEvery) % probes.length] as Probe);
      onProgress?.(times.length);
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  const sorted = times.sort((a, b) => a - b);
  const sortedProbes = probeTimes.sort((a, b) => a - b);
  return {
    sent: times.length,
    answers,
    faults,
    slowest,
    median: quantile(sorted, 0.5),
    probes: {
      sent: probeTimes.length,
      refused,
      median: quantile(sortedProbes, 0.5),
      slowest: sortedProbes.at(-1) ?? 0,
    },
  };
}

/** Statuses that no request may be answered with, whatever it contains; 503 and 504 are about load. */
const isFault = (status: number) => status >= 500 && status !== 503 && status !== 504;

/** What an answer is counted as, and what is wrong with it, whatever was asked. */
export function judge(
  { status, headers, body, failure }: Received,
  method = 'POST',
): { code: string; fault?: string } {
  if (status === 0) return { code: `no answer (${failure})`, fault: `no answer: ${failure}` };
  const code = /"error_code":"(\w+)"/.exec(body.toString('latin1', 0, 2_000))?.[1];
  const counted = { code: `${status} ${status < 400 ? '' : (code ?? '')}`.trim() };
  if (isFault(status)) return { ...counted, fault: `${status}: ${excerpt(body)}` };
  if (status >= 400 && method !== 'HEAD') {
    const wrong = errorShapeProblem(headers, body);
    if (wrong !== undefined)
      return { ...counted, fault: `${status} without the shape of an error: ${wrong}` };
  }
  return counted;
}

function errorShapeProblem(headers: Received['headers'], body: Buffer): string | undefined {
  if (!headers['content-type']?.startsWith('application/json'))
    return `Content-Type ${headers['content-type']}`;
  try {
    const { error, error_code, request_id } = JSON.parse(body.toString());
    if ([error, error_code, request_id].every((member) => typeof member === 'string' && member !== ''))
      return undefined;
  } catch {}
  return excerpt(body);
}

const excerpt = (body: Buffer): string => JSON.stringify(body.toString('latin1', 0, 200));

/** Keeps the body of a request for whoever looks into the fault. */
export function keep({ name, request }: Attack): string {
  const folder = join(tmpdir(), 'soak-faults');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name.replace(/[^\w]+/g, '-').slice(-80));
  writeFileSync(path, request.body);
  return `${request.path} ${JSON.stringify(request.headers)} with the body in ${path}`;
}
