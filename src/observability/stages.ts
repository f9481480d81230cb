/** What a worker does with an image, in this order. */
export const VISION_STAGES = ['decode', 'detect', 'align', 'quality', 'recognise'] as const;

export type VisionStage = (typeof VISION_STAGES)[number];
