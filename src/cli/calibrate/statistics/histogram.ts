const FEWEST_BINS = 20;
const MOST_BINS = 80;

/**
 * How the distances of both classes are spread, each as shares of its class. Fewer pairs get wider bins, so that the
 * shape is not made of chance.
 *
 * @returns {width, genuine, impostor}: bin width, and the share in each bin from 0 on.
 */
export function histogramOf({ genuine, impostor }) {
  const most = Math.max(genuine.at(-1), impostor.at(-1));
  const wanted = 2 * Math.sqrt(Math.min(genuine.length, impostor.length));
  const bins = Math.round(Math.min(MOST_BINS, Math.max(FEWEST_BINS, wanted)));
  // The largest value belongs to the last bin.
  const width = (most > 0 ? most * (1 + 1e-9) : 1) / bins;
  const sharesOf = (distances) => {
    const shares = new Array(bins).fill(0);
    for (const distance of distances) shares[Math.floor(distance / width)] += 1 / distances.length;
    return shares;
  };
  return { width, genuine: sharesOf(genuine), impostor: sharesOf(impostor) };
}
