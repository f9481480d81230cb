import type { Figures } from '../analysis.ts';
import type { ScoredPairs } from '../scored-pairs.ts';

/** The content of report.json. */
export interface CalibrationReport {
  report_version: 1;
  /** ISO 8601, UTC. */
  created: string;
  source: string;
  seed: number;
  model: {
    name: string;
    embedding_space: string;
    embedding_size: number;
    licence: string;
    service_version: string;
    detection: string;
    detection_threshold: number;
  };
  pictures: { total: number; embedded: number; failed: number };
  /** Pairs that were collected, those left out included. */
  pairs: number;
  left_out: ScoredPairs['leftOut'];
  figures: Figures;
  failures: { image: string; code: string; reason: string }[];
}
