export type * as api from './api.ts';
export { type ClientState, FaceEmbeddingClient } from './client.ts';
export { type ClientCode, FaceEmbeddingError, type ServiceCode } from './errors.ts';
export type { ImageSource } from './image.ts';
export type { ManyOptions } from './many.ts';
export type { CallOptions, ClientOptions } from './transport.ts';
export type {
  AlignedFaceResult,
  BatchOptions,
  CompareRequest,
  Comparison,
  Comparisons,
  EmbeddedAlignedFace,
  EmbeddedBatch,
  EmbeddedFace,
  EmbeddedFaces,
  Embedding,
  EmbedOptions,
  FaceResult,
  FacesResult,
  FailedImage,
  FusedBatch,
  Health,
  ModelInfo,
} from './types.ts';
