import { resolve } from 'node:path';
import { resolvePack } from '../../src/packs/resolve.ts';
import { loadNetworks, type Networks } from '../../src/vision/networks.ts';

export interface PackLocation {
  pack: string;
  /** The folder that holds the pack's folder. */
  models: string;
}

/** Loads the networks as a worker of the service does. */
export async function openNetworks(
  { pack, models }: PackLocation,
  detectionSizes?: readonly number[],
): Promise<Networks> {
  return loadNetworks({
    pack: await resolvePack({ name: pack, modelsDir: resolve(models) }),
    device: 'cpu',
    intraOpThreads: 1,
    loneRequestThreads: 1,
    detectionSizes,
    rewrites: true,
  });
}
