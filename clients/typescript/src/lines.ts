import type { Reading } from './transport.ts';

/**
 * The objects of newline-delimited JSON, one by one as they come. A last line without its end is left out: it was cut off.
 */
export async function* readLines(
  response: Response,
  { progress, signal }: Reading,
): AsyncGenerator<Record<string, unknown>, void, undefined> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  const decoder = new TextDecoder();
  // In parts, since a line may come in many.
  let parts: string[] = [];
  const cancel = () => void reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener('abort', cancel);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) return;
      progress();
      const [rest = '', ...lines] = decoder.decode(value, { stream: true }).split('\n');
      parts.push(rest);
      for (const next of lines) {
        yield JSON.parse(parts.join(''));
        parts = [next];
      }
    }
  } finally {
    signal.removeEventListener('abort', cancel);
    cancel();
  }
}
