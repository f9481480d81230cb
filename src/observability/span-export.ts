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
import { RequestIds, recordSpans } from './request-spans.ts';
import { problemText, SdkDiagnostics } from './span-diagnostics.ts';
import type { Tracing, TracingOptions } from './tracing.ts';

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
