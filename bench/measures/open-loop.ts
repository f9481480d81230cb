import { percentile, summariseLatencies } from '../statistics.ts';
import { requestSet } from './request-sets.ts';

const FRACTIONS = [0.3, 0.5, 0.7, 0.85, 0.95, 1.05];
const QUICK_FRACTIONS = [0.4, 0.7, 0.95];

/**
 * The service over HTTP, open loop at fixed rates: fractions of what it answered in the closed loop.
 *
 * @param capacities system → answers a second.
 */
export async function measureOpenLoop(context, { capacities, size, seconds, quick }) {
  const load = await requestSet(context, { size, kind: 'photographs', transport: 'json' });
  const results = [];
  for (const fraction of quick ? QUICK_FRACTIONS : FRACTIONS) {
    for (const [system, capacity] of Object.entries(capacities)) {
      context.log(`open loop: ${system} at ${Math.round(fraction * 100)} % of its capacity`);
      const rate = fraction * capacity;
      const { address } = context.systems[system];
      const outcome = await context.generator.openLoop({ ...load, address, rate, seconds });
      const answered = outcome.ms.length - outcome.unfinished;
      results.push({
        system,
        size,
        fraction,
        rate,
        answered: (answered * 1000) / Math.max(outcome.elapsed, 1),
        due: outcome.due,
        unfinished: outcome.unfinished,
        failures: outcome.failures,
        // For the curve; the table leaves out percentiles of too few.
        curve: { p50: percentile(outcome.ms, 50), p95: percentile(outcome.ms, 95) },
        latency: summariseLatencies(outcome.ms),
      });
    }
  }
  return results;
}
