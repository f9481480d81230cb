import type { Device } from '../../config/devices.ts';
import { runProbe } from './run-probe.ts';

// A process of its own, started by probe.ts with a device as its argument.
process.stdout.write(`\n${JSON.stringify(await runProbe(process.argv[2] as Device))}`);
