/** Where the process is on its way to its end; independent of whether it can embed. */
export interface Lifecycle {
  /** Set once by a signal. Probes fail from then on, while requests are still served for SHUTDOWN_DELAY_MS. */
  draining: boolean;
}
