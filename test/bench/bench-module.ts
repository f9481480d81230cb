import { plainModule } from '../support/plain-module.ts';

/** A module of the benchmark. */
export const benchModule = (path: string) => plainModule(`bench/${path}`);
