/** Formats of an aligned face that is returned. Apart from the encoder, so that reading options does not load it. */
export const FACE_FORMATS = ['jpeg', 'png'] as const;

export type FaceFormat = (typeof FACE_FORMATS)[number];
