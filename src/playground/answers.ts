/* What of the service's answers the page reads; docs/API.md describes them. */

export interface Quality {
  brightness: number;
  contrast: number;
  sharpness: number;
  /** Pixels. */
  size: number;
  /** Degrees. */
  pose: { roll: number; yaw: number; pitch: number };
  margin: number;
  /** Absent for a face that was refused before it was recognised, as is `score`. */
  embedding_norm?: number;
  score?: number;
}

export interface Liveness {
  score: number | null;
  live: boolean | null;
  reason?: string;
}

export interface Face {
  /** Base64; absent for a face of a list that was refused. */
  embedding?: string;
  detection_score: number;
  bbox: { x: number; y: number; width: number; height: number };
  landmarks: [number, number][];
  quality?: Quality;
  liveness?: Liveness;
  face_image?: string;
  low_quality?: string[];
  reasons?: string[];
  liveness_failed?: string;
}

/** The answer of /v1/embed: one face, or with `faces=all` a list of them. */
export interface EmbedAnswer extends Face {
  faces?: Face[];
  faces_omitted?: number;
  image: { width: number; height: number };
  /** Degrees, clockwise. */
  rotation?: number;
  model: { embedding_space: string; embedding_size: number };
}

export interface Match {
  id: string;
  distance: number;
  similarity: number;
  is_match?: boolean;
  far?: { estimate?: number; low?: number; high: number };
}

export interface CompareAnswer {
  matches: Match[];
  provisional?: boolean;
}

export interface MeasuredThreshold {
  far: number;
  metric: string;
  threshold: number;
  tar: number;
  source: string;
  provisional?: boolean;
}

export interface ModelInfo {
  name: string;
  embedding_size: number;
  embedding_space: string;
  device: string;
  licence: string;
  commercial_use: 'allowed' | 'disputed' | 'excluded' | 'unknown';
  synthetic: boolean;
  quality: { evidence: string };
  thresholds: MeasuredThreshold[];
  limits: { max_image_size: number; max_image_pixels: number };
  liveness?: { model: string; threshold?: number; default: string };
}

export const facesOf = (answer: EmbedAnswer): Face[] => answer.faces ?? [answer];
