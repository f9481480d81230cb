/** What a worker does with an image, in this order. In a file of its own, so that knowing it loads no native library. */
export const VISION_STAGES = ['decode', 'detect', 'align', 'quality', 'recognise'] as const;

export type VisionStage = (typeof VISION_STAGES)[number];
