/**
 * The objects of newline-delimited JSON, one by one as they come. A last line without its end is left out: it was cut off.
 *
 * @param progress called for each piece that comes.
 */
export async function* readLines(
  response: Response,
  progress: () => void,
): AsyncGenerator<Record<string, unknown>, void, undefined> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  const decoder = new TextDecoder();
  // In parts, since a line may come in many.
  let parts: string[] = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
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
    await reader.cancel().catch(() => {});
  }
}
