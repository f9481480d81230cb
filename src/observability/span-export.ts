import { setTimeout as sleep } from 'node:timers/promises';
import { DiagLogLevel, diag } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
} from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Logger } from './log.ts';
import type { RequestRecord } from './request-record.ts';
import { RequestIds, recordSpans } from './request-spans.ts';
import { problemText, SdkDiagnostics } from './span-diagnostics.ts';

/** Exports requests as traces to an OpenTelemetry collector. */
export interface Tracing {
  /** Records an answered request, whose spans are exported later in a batch. Neither waits nor throws. */
  record(request: RequestRecord): void;
  /**
   * Exports what is left, for a few seconds at most, and never rejects. An abandoned attempt may keep its socket open: the
   * process is expected to exit next.
   */
  shutdown(): Promise<void>;
}

export interface TracingOptions {
  /** The process's own: the SDK reads other variables from `process.env` by itself. */
  environment: Readonly<Record<string, string | undefined>>;
  /** OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES take precedence. */
  serviceName: string;
  version: string;
  log: Logger;
}

/** Most of the grace period is for accepted requests. */
const SHUTDOWN_LIMIT_MS = 3_000;

/** Loads the OpenTelemetry SDK: import this module dynamically, and only if traces are exported. */
export function startSpanExport({ serviceName, version, log }: Omit<TracingOptions, 'environment'>): Tracing {
  const diagnostics = new SdkDiagnostics(log);
  diag.setLogger(diagnostics, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const ids = new RequestIds();
  const provider = new BasicTracerProvider({
    resource: resourceOf(serviceName, version),
    idGenerator: ids,
    // Its queue is bounded: spans are dropped when the collector is slow.
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  const tracer = provider.getTracer(serviceName, version);
  diagnostics.startThrottling();

  return {
    record(request) {
      try {
        recordSpans(tracer, ids, request);
      } catch (error) {
        diagnostics.error(problemText(error));
      }
    },
    async shutdown() {
      const problem = await Promise.race([
        provider.shutdown().then(() => undefined, problemText),
        sleep(SHUTDOWN_LIMIT_MS, 'the collector does not answer', { ref: false }),
      ]);
      if (problem !== undefined) log.warn({ reason: problem }, 'the last traces were not exported');
      diag.disable();
    },
  };
}

/** The operator's attributes come last and take precedence. */
function resourceOf(serviceName: string, version: string) {
  return defaultResource()
    .merge(resourceFromAttributes({ 'service.name': serviceName, 'service.version': version }))
    .merge(detectResources({ detectors: [serviceInstanceIdDetector, envDetector] }));
}
