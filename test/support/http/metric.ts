/**
 * The value of one series in Prometheus' text format, or undefined when it is not there.
 *
 * @param series a name, with labels or without, as Prometheus writes it.
 */
export function seriesValue(text: string, series: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

/** The present value of a series of a running service. */
export async function metric(address: string, series: string): Promise<number | undefined> {
  return seriesValue(await (await fetch(`${address}/metrics`)).text(), series);
}
