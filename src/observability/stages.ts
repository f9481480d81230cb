/** What a worker does with an image, in this order. */
export const VISION_STAGES = ['decode', 'detect', 'align', 'quality', 'liveness', 'recognise'] as const;

export type VisionStage = (typeof VISION_STAGES)[number];

/** Milliseconds of each stage. */
export type VisionTimes = Record<Exclude<VisionStage, 'liveness'>, number> & {
  /** Absent if no face was scored. */
  liveness?: number;
};
