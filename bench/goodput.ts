/** What a server did in some time. */
export interface Work {
  /** Requests answered with 200. */
  answered: number;
  /** Requests refused, or answered without any work for them. */
  refused: number;
  /** Its processor time. */
  processorSeconds: number;
}

export interface Goodput {
  /** Processor time of a request that is answered, in milliseconds. */
  answerMs: number;
  /** Processor time of a request that is refused, in milliseconds. */
  refusalMs: number;
  /** Answers under overload over the capacity, when the load comes from another machine. */
  goodput: number;
}

/**
 * What remains of the capacity under overload. The load generator takes processor time from the server, so that this cannot be
 * read from answers per second; but what an answer (a) and a refusal (r) take of the server's own processor time can be measured,
 * and of P seconds it answers N requests, where N a + (load P / a − N) r = P.
 *
 * @param load requests for each one that the server could answer.
 * @param capacity work without refusals.
 */
export function goodputUnder(load: number, capacity: Work, overload: Work): Goodput {
  const answer = capacity.processorSeconds / capacity.answered;
  const refusal = (overload.processorSeconds - overload.answered * answer) / overload.refused;
  const ratio = refusal / answer;
  return { answerMs: answer * 1000, refusalMs: refusal * 1000, goodput: (1 - load * ratio) / (1 - ratio) };
}

export function sumOfWork(parts: readonly Work[]): Work {
  const sum = (value: (part: Work) => number) => parts.reduce((total, part) => total + value(part), 0);
  return {
    answered: sum(({ answered }) => answered),
    refused: sum(({ refused }) => refused),
    processorSeconds: sum(({ processorSeconds }) => processorSeconds),
  };
}
