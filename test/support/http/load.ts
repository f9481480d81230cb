export interface Outcome {
  /** When it was sent, on the clock of performance.now(). */
  at: number;
  /** Until its end, in milliseconds. */
  ms: number;
  /** 0 when there was no answer. */
  status: number;
  /** The error code of an answer other than 200, or what broke the connection. */
  code: string;
}

export interface LoadRequest {
  headers: Record<string, string>;
  body: Uint8Array<ArrayBuffer>;
}

/** Posts one request and reads its answer to the end. Never rejects. */
export async function post(url: string, { headers, body }: LoadRequest): Promise<Outcome> {
  const at = performance.now();
  const outcome = await fetch(url, { method: 'POST', headers, body }).then(
    async (answer) => ({ status: answer.status, code: errorCode(await answer.text()) }),
    (error) => ({ status: 0, code: String(error.cause?.code ?? error.message) }),
  );
  return { at, ms: performance.now() - at, ...outcome };
}

function errorCode(text: string): string {
  try {
    return JSON.parse(text).error_code ?? '';
  } catch {
    return text.slice(0, 60);
  }
}

export interface ClosedLoop {
  url: string;
  /** Sent in turn. */
  requests: readonly LoadRequest[];
  /** Requests that are open at a time. */
  callers: number;
  /** Whether to go on after this many outcomes. */
  until: (outcomes: readonly Outcome[]) => boolean;
}

/** Each caller sends its next request when it has the answer to its last one. */
export async function closedLoop({ url, requests, callers, until }: ClosedLoop): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let sent = 0;
  const call = async () => {
    while (!until(outcomes)) {
      const request = requests[sent++ % requests.length] as LoadRequest;
      outcomes.push(await post(url, request));
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  return outcomes;
}

/** How many outcomes there are of each status and code: "503 OVERLOADED": 12. */
export function tally(outcomes: readonly Outcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, code } of outcomes) {
    const key = `${status} ${code}`.trim();
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}
