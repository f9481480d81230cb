import { plainModule } from '../../support/plain-module.ts';

/** A module of the calibration. */
export const calibrateModule = (path: string) => plainModule(`calibrate/${path}`);
