import type { Device } from '../../config/devices.ts';
import { runProbe } from './run-probe.ts';

// A process of its own, started by probe.ts with a device as its argument. ONNX Runtime reports its use unless told not to.
process.env.ORT_DISABLE_TELEMETRY ??= '1';
process.stdout.write(JSON.stringify(await runProbe(process.argv[2] as Device)));
