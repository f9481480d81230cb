import { StartupError } from '../errors.ts';
import type { Logger } from './log.ts';
import type { Tracing, TracingOptions } from './span-export.ts';

export type { Tracing };

/** The installed exporter's protocol. Collectors accept both forms of OTLP over HTTP at one address. */
const PROTOCOL = 'http/json';

/**
 * Starts exporting traces if the environment names a collector; otherwise the SDK is not loaded.
 *
 * @returns undefined when no OTLP endpoint is set, or traces are switched off.
 * @throws {StartupError} when the endpoint is no HTTP address.
 */
export async function startTracing(options: TracingOptions): Promise<Tracing | undefined> {
  const { environment, log } = options;
  const endpointVariable = firstSet(environment, [
    'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
  ]);
  if (endpointVariable === undefined || isSwitchedOff(environment)) return undefined;
  if (!isHttpAddress(environment[endpointVariable]))
    // The value may hold a password and is not repeated.
    throw new StartupError(`${endpointVariable} is no http:// or https:// address.`);
  warnOfOtherProtocol(environment, log);
  const { startSpanExport } = await import('./span-export.ts');
  return startSpanExport(options);
}

/** The exporter appends a path; if the result is not a URL, it silently uses its default instead. */
const isHttpAddress = (endpoint = '') => /^https?:/i.test(endpoint) && URL.canParse(`${endpoint}/`);

function isSwitchedOff(environment: TracingOptions['environment']): boolean {
  return (
    environment.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true' ||
    environment.OTEL_TRACES_EXPORTER?.trim() === 'none'
  );
}

function warnOfOtherProtocol(environment: TracingOptions['environment'], log: Logger): void {
  const variable = firstSet(environment, [
    'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL',
    'OTEL_EXPORTER_OTLP_PROTOCOL',
  ]);
  const protocol = variable && environment[variable]?.trim();
  if (protocol === undefined || protocol === PROTOCOL || protocol === 'http/protobuf') return;
  log.warn({ variable, protocol, used: PROTOCOL }, 'OTLP protocol is not supported, using another');
}

/** By the OpenTelemetry specification an empty variable counts as unset. */
function firstSet(environment: TracingOptions['environment'], variables: string[]): string | undefined {
  return variables.find((variable) => environment[variable]?.trim());
}
