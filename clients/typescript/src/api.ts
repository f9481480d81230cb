// Generated from the OpenAPI document of the service by "npm run generate". Do not edit.

/** The bytes of a file. */
export type Binary = Blob | Uint8Array;

/** `EmbeddedFace` for an image, `EmbeddedFaces` with `faces=all`, `EmbeddedAlignedFace` with `aligned=true`, `EmbeddedBatch` for several images. */
export type EmbedResponse = EmbeddedFace | EmbeddedFaces | EmbeddedBatch | EmbeddedAlignedFace;

/** The answer for `faces` = `single` and `largest`. */
export interface EmbeddedFace {
  embedding: Embedding;
  /** Confidence of the detector, 0..1. */
  detection_score: number;
  bbox: BoundingBox;
  /** Left eye, right eye, nose, left and right mouth corner, as seen in the picture: [x, y] each. */
  landmarks: number[][];
  /** With `return_face=true`: the aligned face as a data URL, in the format of `face_format`. */
  face_image?: string;
  quality?: Quality;
  liveness?: Liveness;
  face_detected: true;
  image: ImageSize;
  rotation?: Rotation;
  model: EmbeddingModel;
}

/** L2 norm 1, in the form that `encoding_format` selects. */
export type Embedding = number[] | string;

/** In pixels of the upright image. It may reach beyond the edges. */
export interface BoundingBox {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Absent with `quality=false`. */
export interface Quality {
  /** Mean luma of the aligned face. */
  brightness: number;
  /** Standard deviation of the luma. */
  contrast: number;
  /** `1 − exp(−v / 100)`, where v is the variance of the Laplacian of the aligned face in grey. */
  sharpness: number;
  /** Shorter side of the box, in pixels of the picture. */
  size: number;
  pose: Pose;
  /** Share of the aligned face that lies inside the picture. */
  margin: number;
  /** L2 norm of the embedding before it is normalised. It falls with recognisability; its scale is that of the recogniser. */
  embedding_norm: number;
  /** Estimated probability that this face matches a good photograph of the same person. docs/QUALITY.md says how it was chosen and how well it works. */
  score: number;
}

/** In degrees. Yaw and pitch are estimated from five landmarks, to about ten degrees. */
export interface Pose {
  /** Slope of the line between the eyes; positive when it is rotated clockwise. */
  roll: number;
  /** Positive when the nose points to the right of the picture. */
  yaw: number;
  /** Positive when the nose points up. */
  pitch: number;
}

/** With `liveness` = `report` and `require`. */
export interface Liveness {
  /** Probability that the face is live, as the model estimates it; null with `reason`. */
  score: number | null;
  /** Whether the score reaches the threshold; null without a score, and without a threshold. */
  live: boolean | null;
  /** What gave the score, as `/v1/model-info` names it. */
  model: string;
  reason?: LivenessReason;
}

/** Why there is no score: the face has too few pixels for the model, over 30 % of it is outside the picture, or it is blurred. */
export type LivenessReason = 'TOO_SMALL' | 'CUT_OFF' | 'TOO_BLURRED';

/** Size in pixels of the upright image: EXIF orientation applied, then turned by `rotation`. */
export interface ImageSize {
  width: number;
  height: number;
}

/** With `orientation=auto`: the degrees by which the image was turned clockwise, after its EXIF orientation, to be upright. Absent if it was not turned. `image`, `bbox` and `landmarks` are of the turned image. */
export type Rotation = 90 | 180 | 270;

/** The model that made the embeddings. */
export interface EmbeddingModel {
  name: string;
  embedding_size: number;
  /** Embeddings are comparable only within one space. Store it beside the embedding. */
  embedding_space: string;
}

/** The answer for `faces` = `all`. */
export interface EmbeddedFaces {
  /** Best detection score first; may be empty. A face below `min_quality` or `min_face_size` has `low_quality` and `reasons` instead of `embedding`, and one that is not live `liveness_failed`, with `liveness=require`. */
  faces: (Face | LowQualityFace | NotLiveFace)[];
  face_detected: boolean;
  /** Faces beyond `MAX_FACES`, which were not embedded. Absent when there are none. */
  faces_omitted?: number;
  image: ImageSize;
  rotation?: Rotation;
  model: EmbeddingModel;
}

export interface Face {
  embedding: Embedding;
  /** Confidence of the detector, 0..1. */
  detection_score: number;
  bbox: BoundingBox;
  /** Left eye, right eye, nose, left and right mouth corner, as seen in the picture: [x, y] each. */
  landmarks: number[][];
  /** With `return_face=true`: the aligned face as a data URL, in the format of `face_format`. */
  face_image?: string;
  quality?: Quality;
  liveness?: Liveness;
}

export interface LowQualityFace {
  /** What is low, worst first, in words that can be shown to the person in the photograph. */
  low_quality: QualityAdvice[];
  /** What is low, worst first, in codes for programs. */
  reasons: QualityReason[];
  /** Confidence of the detector, 0..1. */
  detection_score: number;
  bbox: BoundingBox;
  /** Left eye, right eye, nose, left and right mouth corner, as seen in the picture: [x, y] each. */
  landmarks: number[][];
  /** With `return_face=true`: the aligned face as a data URL, in the format of `face_format`. */
  face_image?: string;
  quality?: RefusedQuality;
  liveness?: Liveness;
}

export type QualityAdvice = 'too dark' | 'too bright' | 'low contrast' | 'too blurred' | 'come closer' | 'turn to the camera' | 'face cut off' | 'face hard to recognise';

export type QualityReason = 'TOO_DARK' | 'TOO_BRIGHT' | 'LOW_CONTRAST' | 'TOO_BLURRED' | 'TOO_SMALL' | 'TURNED_AWAY' | 'CUT_OFF' | 'HARD_TO_RECOGNISE';

/** The quality of a face that is not embedded. Below `min_face_size`, it is not passed to the recogniser. */
export interface RefusedQuality {
  /** Mean luma of the aligned face. */
  brightness: number;
  /** Standard deviation of the luma. */
  contrast: number;
  /** `1 − exp(−v / 100)`, where v is the variance of the Laplacian of the aligned face in grey. */
  sharpness: number;
  /** Shorter side of the box, in pixels of the picture. */
  size: number;
  pose: Pose;
  /** Share of the aligned face that lies inside the picture. */
  margin: number;
  /** L2 norm of the embedding before it is normalised. It falls with recognisability; its scale is that of the recogniser. */
  embedding_norm?: number;
  /** Estimated probability that this face matches a good photograph of the same person. docs/QUALITY.md says how it was chosen and how well it works. */
  score?: number;
}

export interface NotLiveFace {
  /** Why the face does not pass. */
  liveness_failed: string;
  /** Confidence of the detector, 0..1. */
  detection_score: number;
  bbox: BoundingBox;
  /** Left eye, right eye, nose, left and right mouth corner, as seen in the picture: [x, y] each. */
  landmarks: number[][];
  /** With `return_face=true`: the aligned face as a data URL, in the format of `face_format`. */
  face_image?: string;
  quality?: RefusedQuality;
  liveness: Liveness;
}

/** The answer to a batch. */
export interface EmbeddedBatch {
  /** One for each image, in request order. */
  results: EmbedResult[];
  template?: Template;
  model: EmbeddingModel;
}

/** The outcome of one image: the answer to a request with this image only, without `model`, or its error. */
export type EmbedResult = FaceResult | FacesResult | FailedResult | AlignedFaceResult;

export interface FaceResult {
  /** Position of the image in the request, from 0. */
  index: number;
  embedding: Embedding;
  /** Confidence of the detector, 0..1. */
  detection_score: number;
  bbox: BoundingBox;
  /** Left eye, right eye, nose, left and right mouth corner, as seen in the picture: [x, y] each. */
  landmarks: number[][];
  /** With `return_face=true`: the aligned face as a data URL, in the format of `face_format`. */
  face_image?: string;
  quality?: Quality;
  liveness?: Liveness;
  face_detected: true;
  image: ImageSize;
  rotation?: Rotation;
}

export interface FacesResult {
  /** Position of the image in the request, from 0. */
  index: number;
  /** Best detection score first; may be empty. A face below `min_quality` or `min_face_size` has `low_quality` and `reasons` instead of `embedding`, and one that is not live `liveness_failed`, with `liveness=require`. */
  faces: (Face | LowQualityFace | NotLiveFace)[];
  face_detected: boolean;
  /** Faces beyond `MAX_FACES`, which were not embedded. Absent when there are none. */
  faces_omitted?: number;
  image: ImageSize;
  rotation?: Rotation;
}

export interface FailedResult {
  /** Position of the image in the request, from 0. */
  index: number;
  /** A sentence for people; its wording may change. */
  error: string;
  error_code: ErrorCode;
  /** What exactly was wrong. */
  detail?: string;
  /** Also in the X-Request-Id header and in the log. */
  request_id: string;
  /** What is low, worst first, in codes for programs. */
  reasons?: QualityReason[];
  quality?: RefusedQuality;
}

/** For programs. */
export type ErrorCode = 'INVALID_REQUEST' | 'UNAUTHORIZED' | 'NOT_FOUND' | 'METHOD_NOT_ALLOWED' | 'IMAGE_TOO_LARGE' | 'REQUEST_TOO_LARGE' | 'UNSUPPORTED_MEDIA_TYPE' | 'UNSUPPORTED_FORMAT' | 'INVALID_IMAGE' | 'NO_FACE_DETECTED' | 'MULTIPLE_FACES_DETECTED' | 'LOW_QUALITY' | 'PICTURES_DISAGREE' | 'INVALID_EMBEDDING' | 'EMBEDDING_SPACE_MISMATCH' | 'LIVENESS_FAILED' | 'RATE_LIMITED' | 'PROCESSING_ERROR' | 'OVERLOADED' | 'MODEL_NOT_LOADED' | 'DEADLINE_EXCEEDED';

export interface AlignedFaceResult {
  /** Position of the image in the request, from 0. */
  index: number;
  embedding: Embedding;
  /** With `return_face=true`: the aligned face as a data URL, in the format of `face_format`. */
  face_image?: string;
  quality?: AlignedQuality;
  face_detected: true;
  image: ImageSize;
}

/** What an aligned face shows by itself. Absent with `quality=false`. */
export interface AlignedQuality {
  /** Mean luma of the aligned face. */
  brightness: number;
  /** Standard deviation of the luma. */
  contrast: number;
  /** `1 − exp(−v / 100)`, where v is the variance of the Laplacian of the aligned face in grey. */
  sharpness: number;
  /** L2 norm of the embedding before it is normalised. It falls with recognisability; its scale is that of the recogniser. */
  embedding_norm: number;
}

/** With `fuse=true`: one embedding of one person from the images of the batch. */
export type Template = FusedTemplate | FailedTemplate;

export interface FusedTemplate {
  embedding: Embedding;
  /** The images that it is made of, ascending. */
  used: number[];
  /** Images of somebody else, or too poor to tell, which were left out. Images that failed are in neither. */
  outliers: number[];
}

/** `PICTURES_DISAGREE` if no more than half of the images with an embedding show the same person. */
export interface FailedTemplate {
  /** A sentence for people; its wording may change. */
  error: string;
  error_code: ErrorCode;
  /** What exactly was wrong. */
  detail?: string;
  /** Also in the X-Request-Id header and in the log. */
  request_id: string;
}

/** The answer with `aligned=true`. */
export interface EmbeddedAlignedFace {
  embedding: Embedding;
  /** With `return_face=true`: the aligned face as a data URL, in the format of `face_format`. */
  face_image?: string;
  quality?: AlignedQuality;
  face_detected: true;
  image: ImageSize;
  model: EmbeddingModel;
}

/** The body of every error; with `LOW_QUALITY`, also `reasons` and `quality`. */
export interface EmbedErrorResponse {
  /** A sentence for people; its wording may change. */
  error: string;
  error_code: ErrorCode;
  /** What exactly was wrong. */
  detail?: string;
  /** Also in the X-Request-Id header and in the log. */
  request_id: string;
  /** What is low, worst first, in codes for programs. */
  reasons?: QualityReason[];
  quality?: RefusedQuality;
}

export interface EmbedRequest {
  /** `single`: exactly one face, else an error. `largest`: the largest, most central face. `all`: every face, best detection score first. Default: `single`. */
  faces?: FaceSelection;
  /** `float`: an array of numbers. `base64`: little-endian float32 in padded standard base64. Default: `float`. */
  encoding_format?: EncodingFormat;
  /** `fast`, with `faces=largest` only: stops after the coarse pass of the detector when its choice is large and its score high. Default: the service’s `DETECTION`. */
  detection?: DetectionMode;
  /** Minimum detection score of a face. Default: the service’s `DETECTION_THRESHOLD`. With a low one, only the 1500 candidates with the best scores are considered, and at most 1000 faces are found. */
  detection_threshold?: number;
  /** `exif`: the picture is upright when its EXIF orientation is applied. `auto`: if its faces are not upright then, it is turned by 90, 180 or 270 degrees, and the answer says how far (`rotation`). Default: the service’s `ORIENTATION`. */
  orientation?: OrientationMode;
  /** Whether the quality of each face is returned. Default: `true`. */
  quality?: boolean;
  /** Minimum `quality.score`. A face below it is refused with `LOW_QUALITY`, or, with `faces=all`, marked and not embedded. Also works with `quality=false`: the quality is then measured and not returned. */
  min_quality?: number;
  /** Minimum `quality.size`, the shorter side of the box in pixels. A face below it is refused in the same way. */
  min_face_size?: number;
  /** Whether `face_image` is returned: the aligned face, 112×112 pixels (or what the recogniser takes), as a data URL. Default: `false`. */
  return_face?: boolean;
  /** `report`: each face has `liveness`. `require`: a face that is not live, or that cannot be judged, is refused with `LIVENESS_FAILED`, or, with `faces=all`, marked and not embedded. Both need `LIVENESS_MODEL`, and `require` a threshold. This is no certified presentation attack detection: docs/LIVENESS.md. Default: the service’s `LIVENESS`. */
  liveness?: LivenessMode;
  /** The format of `face_image`. `png` keeps every pixel: sent back with `aligned=true`, it has the same embedding. Default: `jpeg`. */
  face_format?: FaceFormat;
  /** Whether the image is an aligned face, as `return_face` gives it, of the size that the recogniser takes. No face is searched for: `bbox`, `landmarks` and `detection_score` are absent, and `quality` has what the pixels show. For new embeddings of stored faces after a change of model. Default: `false`. */
  aligned?: boolean;
  /** For a batch of pictures of one person, with `faces=single` or `largest`: whether `template` is returned, one embedding from all of them, without pictures of somebody else. Default: `false`. */
  fuse?: boolean;
  /** A data URL (`data:image/jpeg;base64,…`) or bare base64, standard or URL-safe, padded or not. */
  image: string;
}

export interface EmbedBatchRequest {
  /** `single`: exactly one face, else an error. `largest`: the largest, most central face. `all`: every face, best detection score first. Default: `single`. */
  faces?: FaceSelection;
  /** `float`: an array of numbers. `base64`: little-endian float32 in padded standard base64. Default: `float`. */
  encoding_format?: EncodingFormat;
  /** `fast`, with `faces=largest` only: stops after the coarse pass of the detector when its choice is large and its score high. Default: the service’s `DETECTION`. */
  detection?: DetectionMode;
  /** Minimum detection score of a face. Default: the service’s `DETECTION_THRESHOLD`. With a low one, only the 1500 candidates with the best scores are considered, and at most 1000 faces are found. */
  detection_threshold?: number;
  /** `exif`: the picture is upright when its EXIF orientation is applied. `auto`: if its faces are not upright then, it is turned by 90, 180 or 270 degrees, and the answer says how far (`rotation`). Default: the service’s `ORIENTATION`. */
  orientation?: OrientationMode;
  /** Whether the quality of each face is returned. Default: `true`. */
  quality?: boolean;
  /** Minimum `quality.score`. A face below it is refused with `LOW_QUALITY`, or, with `faces=all`, marked and not embedded. Also works with `quality=false`: the quality is then measured and not returned. */
  min_quality?: number;
  /** Minimum `quality.size`, the shorter side of the box in pixels. A face below it is refused in the same way. */
  min_face_size?: number;
  /** Whether `face_image` is returned: the aligned face, 112×112 pixels (or what the recogniser takes), as a data URL. Default: `false`. */
  return_face?: boolean;
  /** `report`: each face has `liveness`. `require`: a face that is not live, or that cannot be judged, is refused with `LIVENESS_FAILED`, or, with `faces=all`, marked and not embedded. Both need `LIVENESS_MODEL`, and `require` a threshold. This is no certified presentation attack detection: docs/LIVENESS.md. Default: the service’s `LIVENESS`. */
  liveness?: LivenessMode;
  /** The format of `face_image`. `png` keeps every pixel: sent back with `aligned=true`, it has the same embedding. Default: `jpeg`. */
  face_format?: FaceFormat;
  /** Whether the image is an aligned face, as `return_face` gives it, of the size that the recogniser takes. No face is searched for: `bbox`, `landmarks` and `detection_score` are absent, and `quality` has what the pixels show. For new embeddings of stored faces after a change of model. Default: `false`. */
  aligned?: boolean;
  /** For a batch of pictures of one person, with `faces=single` or `largest`: whether `template` is returned, one embedding from all of them, without pictures of somebody else. Default: `false`. */
  fuse?: boolean;
  /** A batch: at most `MAX_BATCH_SIZE` images. The options apply to all of them. */
  images: string[];
}

export interface EmbedForm {
  /** `single`: exactly one face, else an error. `largest`: the largest, most central face. `all`: every face, best detection score first. Default: `single`. */
  faces?: FaceSelection;
  /** `float`: an array of numbers. `base64`: little-endian float32 in padded standard base64. Default: `float`. */
  encoding_format?: EncodingFormat;
  /** `fast`, with `faces=largest` only: stops after the coarse pass of the detector when its choice is large and its score high. Default: the service’s `DETECTION`. */
  detection?: DetectionMode;
  /** Minimum detection score of a face. Default: the service’s `DETECTION_THRESHOLD`. With a low one, only the 1500 candidates with the best scores are considered, and at most 1000 faces are found. */
  detection_threshold?: number;
  /** `exif`: the picture is upright when its EXIF orientation is applied. `auto`: if its faces are not upright then, it is turned by 90, 180 or 270 degrees, and the answer says how far (`rotation`). Default: the service’s `ORIENTATION`. */
  orientation?: OrientationMode;
  /** Whether the quality of each face is returned. Default: `true`. */
  quality?: boolean;
  /** Minimum `quality.score`. A face below it is refused with `LOW_QUALITY`, or, with `faces=all`, marked and not embedded. Also works with `quality=false`: the quality is then measured and not returned. */
  min_quality?: number;
  /** Minimum `quality.size`, the shorter side of the box in pixels. A face below it is refused in the same way. */
  min_face_size?: number;
  /** Whether `face_image` is returned: the aligned face, 112×112 pixels (or what the recogniser takes), as a data URL. Default: `false`. */
  return_face?: boolean;
  /** `report`: each face has `liveness`. `require`: a face that is not live, or that cannot be judged, is refused with `LIVENESS_FAILED`, or, with `faces=all`, marked and not embedded. Both need `LIVENESS_MODEL`, and `require` a threshold. This is no certified presentation attack detection: docs/LIVENESS.md. Default: the service’s `LIVENESS`. */
  liveness?: LivenessMode;
  /** The format of `face_image`. `png` keeps every pixel: sent back with `aligned=true`, it has the same embedding. Default: `jpeg`. */
  face_format?: FaceFormat;
  /** Whether the image is an aligned face, as `return_face` gives it, of the size that the recogniser takes. No face is searched for: `bbox`, `landmarks` and `detection_score` are absent, and `quality` has what the pixels show. For new embeddings of stored faces after a change of model. Default: `false`. */
  aligned?: boolean;
  /** For a batch of pictures of one person, with `faces=single` or `largest`: whether `template` is returned, one embedding from all of them, without pictures of somebody else. Default: `false`. */
  fuse?: boolean;
  /** A file part; or several of this name, which form a batch of at most `MAX_BATCH_SIZE` images. */
  image: Binary[];
}

/** A line for each image as soon as it is done, and then a last line. */
export type EmbedLine = FaceResult | FacesResult | FailedResult | AlignedFaceResult | EmbedEnd;

/** The last line. An answer without it is incomplete. */
export interface EmbedEnd {
  done: true;
  template?: Template;
  model: EmbeddingModel;
}

/** The answer to `query_embedding` and `query_image`. */
export interface CompareResponse {
  query?: ComparedFace;
  /** Nearest first, ties in request order. */
  matches: Match[];
  /** The first match; null without references. */
  best_match: Match | null;
  distance_metric: DistanceMetric;
  threshold?: number;
  max_far?: number;
  max_fpir?: number;
  /** There if `far` is of the provisional figures that come with the service. */
  provisional?: true;
  /** The model that embedded the pictures, if there are any. */
  model?: EmbeddingModel;
}

/** The face of a picture, as `/v1/embed` describes it; with `embedding` if `return_embeddings` is true. It is the `query` of a request with `query_image`, and the `face` of a match whose reference has an `image`. */
export interface ComparedFace {
  embedding?: Embedding;
  /** Confidence of the detector, 0..1. */
  detection_score: number;
  bbox: BoundingBox;
  /** Left eye, right eye, nose, left and right mouth corner, as seen in the picture: [x, y] each. */
  landmarks: number[][];
  /** With `return_face=true`: the aligned face as a data URL, in the format of `face_format`. */
  face_image?: string;
  quality?: Quality;
  liveness?: Liveness;
  image: ImageSize;
  rotation?: Rotation;
}

export interface Match {
  id: string;
  /** 0..2 in the chosen metric. */
  distance: number;
  /** (1 + cos) / 2, 0..1, whatever the metric. */
  similarity: number;
  /** distance ≤ `threshold`, far.estimate ≤ `max_far`, or the same of the search’s rate and `max_fpir`; only with one of them. */
  is_match?: boolean;
  far?: RateInterval;
  fpir?: RateInterval;
  face?: ComparedFace;
}

/** A rate, 0..1, with its 95 % interval: what another group of as many people as were measured would show. Only `high` where the measured pairs are too few for an estimate. `far` of a match: the share of pairs of strangers that are at least as near; with measured thresholds of the loaded pack. `fpir`, in `best_match` only: the share of strangers who find something at least as near among as many references as the request has, 1 − (1 − far)^n. Each of k embeddings of one person counts in n; the `far` of their match has the `low` of one pair, and 1 − (1 − far)^k for `estimate` and `high`. */
export interface RateInterval {
  estimate?: number;
  low?: number;
  high: number;
}

/** The answer to `query_embeddings`. */
export interface CompareManyResponse {
  /** One ranking for each query, in request order. */
  results: QueryRanking[];
  distance_metric: DistanceMetric;
  threshold?: number;
  max_far?: number;
  max_fpir?: number;
  /** There if `far` is of the provisional figures that come with the service. */
  provisional?: true;
  /** The model that embedded the pictures, if there are any. */
  model?: EmbeddingModel;
}

export interface QueryRanking {
  id: string;
  /** Nearest first, ties in request order. */
  matches: Match[];
  /** The first match; null without references. */
  best_match: Match | null;
}

/** The body of every error. */
export interface ErrorResponse {
  /** A sentence for people; its wording may change. */
  error: string;
  error_code: ErrorCode;
  /** What exactly was wrong. */
  detail?: string;
  /** Also in the X-Request-Id header and in the log. */
  request_id: string;
}

/** Exactly one of `query_embedding`, `query_embeddings` and `query_image`. `faces`, `detection`, `detection_threshold`, `orientation`, `return_embeddings`, `encoding_format` and `liveness` apply to pictures. */
export interface CompareRequest {
  query_embedding?: GivenEmbedding;
  /** Several queries, as a list or a block. Each gets its own `matches`. */
  query_embeddings?: QueryEmbedding[] | EmbeddingBlock;
  /** A picture, as in a JSON body of `/v1/embed`: a data URL or bare base64. */
  query_image?: string;
  /** As `/v1/embed` returned it. Different values in one request are refused. */
  embedding_space?: string;
  /** A list, whose items have one of `embedding`, `embeddings` and `image`, or a block. */
  reference_embeddings: ReferenceEmbedding[] | EmbeddingBlock;
  /** `cosine`: 1 − cos. `euclidean`: ‖q − r‖ of the unit vectors. Both are 0..2. Default: `cosine`. */
  distance_metric?: DistanceMetric;
  /** Maximum distance, in the chosen metric, that counts as a match. Without it, matches have no `is_match`. */
  threshold?: number;
  /** In place of `threshold`: a match is what has a `far.estimate` of at most this. It takes measured thresholds of the pack that carry the rate; else the request is refused, and `detail` says what they carry. */
  max_far?: number;
  /** In place of `threshold`, for a search: a match is what is found by at most this share of strangers who search among as many references as the request has, 1 − (1 − far)^n. */
  max_fpir?: number;
  /** Whether `far`, `max_far` and `max_fpir` may use the provisional figures that come with the service, if the pack has no measured ones. They are of other photographs than yours; the answer says `provisional`. Default: `false`. */
  allow_provisional?: boolean;
  /** Maximum matches of a query. */
  top_k?: number;
  /** Which face of a picture is compared. `largest`: the largest, most central face. `single`: exactly one face, else an error. Default: `largest`. */
  faces?: ComparedSelection;
  /** `fast`, with `faces=largest` only: stops after the coarse pass of the detector when its choice is large and its score high. Default: the service’s `DETECTION`. */
  detection?: DetectionMode;
  /** Minimum detection score of a face. Default: the service’s `DETECTION_THRESHOLD`. With a low one, only the 1500 candidates with the best scores are considered, and at most 1000 faces are found. */
  detection_threshold?: number;
  /** `exif`: the picture is upright when its EXIF orientation is applied. `auto`: if its faces are not upright then, it is turned by 90, 180 or 270 degrees, and the answer says how far (`rotation`). Default: the service’s `ORIENTATION`. */
  orientation?: OrientationMode;
  /** Whether the embeddings of the pictures are returned. Default: `false`. */
  return_embeddings?: boolean;
  /** `float`: an array of numbers. `base64`: little-endian float32 in padded standard base64. Default: `float`. */
  encoding_format?: EncodingFormat;
  /** Of `query_image`, as in `/v1/embed`; references are not judged. Default: the service’s `LIVENESS`. */
  liveness?: LivenessMode;
  /** The distance to a reference with `embeddings`. `nearest`: that to the nearest of them. `mean`: that to the mean of their unit vectors, scaled to norm 1. Default: `nearest`. */
  person_distance?: PersonDistance;
}

/** Numbers, or the base64 of little-endian float32 that `/v1/embed` returns. It is scaled to L2 norm 1. */
export type GivenEmbedding = number[] | string;

export interface QueryEmbedding {
  /** The caller's id for this query or reference. */
  id: string;
  embedding: GivenEmbedding;
  /** As `/v1/embed` returned it. Different values in one request are refused. */
  embedding_space?: string;
}

/** Many embeddings in one string: the smallest and fastest form for thousands of them. */
export interface EmbeddingBlock {
  ids: string[];
  /** One base64 string of ids.length × n little-endian float32 values: the embeddings in the order of the ids. */
  embeddings: string;
  /** As `/v1/embed` returned it. Different values in one request are refused. */
  embedding_space?: string;
}

/** One of `embedding`, `embeddings` and `image`. */
export interface ReferenceEmbedding {
  /** The caller's id for this query or reference. */
  id: string;
  embedding?: GivenEmbedding;
  /** Several embeddings of one person, in place of `embedding`. Each counts as a reference in `MAX_REFERENCES` and `MAX_COMPARISONS`. */
  embeddings?: GivenEmbedding[];
  /** A picture, as in a JSON body of `/v1/embed`: a data URL or bare base64. */
  image?: string;
  /** As `/v1/embed` returned it. Different values in one request are refused. */
  embedding_space?: string;
}

export interface Alive {
  status: 'alive';
}

export interface Ready {
  status: 'ready';
}

export interface NotReadyResponse {
  status: HealthStatus;
  /** A sentence for people; its wording may change. */
  error: string;
  error_code: ErrorCode;
  /** What exactly was wrong. */
  detail?: string;
  /** Also in the X-Request-Id header and in the log. */
  request_id: string;
}

export type HealthStatus = 'healthy' | 'starting' | 'draining' | 'unhealthy';

export interface Health {
  status: HealthStatus;
  model_loaded: boolean;
  model_name: string;
}

export interface UnhealthyResponse {
  status: HealthStatus;
  model_loaded: boolean;
  model_name: string;
  /** A sentence for people; its wording may change. */
  error: string;
  error_code: ErrorCode;
  /** What exactly was wrong. */
  detail?: string;
  /** Also in the X-Request-Id header and in the log. */
  request_id: string;
}

export interface ModelInfo {
  name: string;
  embedding_size: number;
  embedding_space: string;
  backend: 'onnxruntime';
  /** Where both networks run. */
  device: 'cpu' | 'cuda' | 'webgpu' | 'coreml';
  /** With `DEVICE=auto` only: why the devices before it in the order cuda, coreml, webgpu, cpu were not taken. */
  device_passed_over?: Record<string, string>;
  detector: DetectorInfo;
  recogniser: RecogniserInfo;
  quality: QualityInfo;
  /** Licence of the weights. */
  licence: string;
  /** What is known of the data that the weights were trained with. */
  training_data: string;
  /** What publishers state, which is no legal advice. `allowed`: by the licence of the weights, and by the terms of their training data as far as they are known. `disputed`: by the licence, but the training data has terms that exclude it, or is not disclosed. `excluded`: the licence excludes it. `unknown`: the pack does not say. */
  commercial_use: 'allowed' | 'disputed' | 'unknown' | 'excluded';
  /** True for the synthetic pack, which cannot recognise people and is for integration tests only. */
  synthetic: boolean;
  detection_threshold: number;
  /** Measured with `npm run calibrate` in this embedding space. If none were, the `provisional` ones of the recogniser, or none. They hold for pictures like those that were measured. */
  thresholds: MeasuredThreshold[];
  /** The default for `faces=largest`. */
  detection: DetectionMode;
  /** Settings in force, in lower case. */
  limits: Record<string, number>;
  workers: number;
  /** Version of the service. */
  version: string;
  liveness?: LivenessModel;
}

export interface DetectorInfo {
  /** The rewrites that were applied to the graph at load; see `GRAPH_REWRITES`. */
  rewrites: GraphRewrite[];
  file: string;
  sha256: string;
  /** Whether the hash was compared with a known one. */
  pinned: boolean;
  family: 'scrfd' | 'yunet' | 'rfb';
  /** Sides of the square inputs, in pixels; for the family `rfb` the longer side of its input, which is 320×240. */
  input_sizes: number[];
  landmarks?: LandmarksInfo;
}

export interface GraphRewrite {
  pass: 'deferred-heads' | 'separable-heads' | 'sibling-convolutions' | 'narrow-convolutions' | 'grouped-convolutions' | 'prelu' | 'transposes' | 'gemms' | 'constant-scales';
  count: number;
}

/** The second network of the family `rfb`, which finds the landmarks in a box. */
export interface LandmarksInfo {
  /** The rewrites that were applied to the graph at load; see `GRAPH_REWRITES`. */
  rewrites: GraphRewrite[];
  file: string;
  sha256: string;
  /** Whether the hash was compared with a known one. */
  pinned: boolean;
}

export interface RecogniserInfo {
  /** The rewrites that were applied to the graph at load; see `GRAPH_REWRITES`. */
  rewrites: GraphRewrite[];
  file: string;
  sha256: string;
  /** Whether the hash was compared with a known one. */
  pinned: boolean;
  input_size: number;
}

export interface QualityInfo {
  /** What `quality.score` was measured with. `measured`: with these networks. `transferred`: with others; it orders faces, but is no probability. */
  evidence: 'measured' | 'transferred';
}

export interface MeasuredThreshold {
  /** Target false accept rate, 0..1. */
  far: number;
  /** Two faces match when the distance is at most, or the `similarity` at least, `threshold`. */
  metric: 'cosine' | 'euclidean' | 'similarity';
  threshold: number;
  /** 95 % confidence interval by bootstrap over people: [low, high]. */
  threshold_interval?: number[];
  /** Share of impostor pairs accepted, 0..1. */
  measured_far: number;
  /** 95 % confidence interval: [low, high]. */
  measured_far_interval: number[];
  /** True accept rate: share of genuine pairs accepted, 0..1. */
  tar: number;
  /** 95 % confidence interval: [low, high]. */
  tar_interval: number[];
  /** `rule_of_30`: at least 30 false accepts were expected: a reliable figure. `rule_of_3`: at least 3: a rough figure. */
  evidence: 'rule_of_30' | 'rule_of_3';
  genuine_pairs: number;
  impostor_pairs: number;
  people: number;
  /** What the pairs are, as given to `npm run calibrate`. */
  source: string;
  created: string;
  /** There if the figures come with the service: of the photographs that `source` names, not of yours. They show the order of magnitude until you have measured your own. */
  provisional?: true;
}

/** Absent without `LIVENESS_MODEL`. */
export interface LivenessModel {
  /** Family, and the first 12 hex digits of the hash; scores of different models cannot be compared. */
  model: string;
  family: 'minifasnet' | 'facenox' | 'insightface';
  files: LivenessFile[];
  licence: string;
  /** Score from which a face is live. Absent if nothing says which. */
  threshold?: number;
  calibration?: LivenessCalibration;
  /** The default of `liveness`. */
  default: LivenessMode;
}

export interface LivenessFile {
  file: string;
  sha256: string;
  pinned: boolean;
}

/** Measured with `npm run calibrate -- --liveness`, at its own threshold. */
export interface LivenessCalibration {
  threshold: number;
  /** Share of spoofs called live, of the worst kind of them. */
  apcer: number;
  /** 95 % confidence interval: [low, high]. */
  apcer_interval: number[];
  /** Share of live faces called spoofs. */
  bpcer: number;
  /** 95 % confidence interval: [low, high]. */
  bpcer_interval: number[];
  /** The mean of both. */
  acer: number;
  /** 95 % confidence interval: [low, high]. */
  acer_interval: number[];
  live_pictures: number;
  spoof_pictures: number;
  source: string;
  created: string;
}

export type OpenApiDocument = Record<string, unknown>;

export type FaceSelection = 'single' | 'largest' | 'all';

export type ComparedSelection = 'largest' | 'single';

export type EncodingFormat = 'float' | 'base64';

export type DetectionMode = 'full' | 'fast';

export type OrientationMode = 'exif' | 'auto';

export type LivenessMode = 'off' | 'report' | 'require';

export type FaceFormat = 'jpeg' | 'png';

export type DistanceMetric = 'cosine' | 'euclidean';

export type PersonDistance = 'nearest' | 'mean';

/** What each path takes and answers. */
export interface Paths {
  '/v1/embed': {
    /** Embed the faces of an image */
    post: {
      query: {
        /** `single`: exactly one face, else an error. `largest`: the largest, most central face. `all`: every face, best detection score first. */
        faces?: FaceSelection;
        /** `float`: an array of numbers. `base64`: little-endian float32 in padded standard base64. */
        encoding_format?: EncodingFormat;
        /** `fast`, with `faces=largest` only: stops after the coarse pass of the detector when its choice is large and its score high. Default: the service’s `DETECTION`. */
        detection?: DetectionMode;
        /** Minimum detection score of a face. Default: the service’s `DETECTION_THRESHOLD`. With a low one, only the 1500 candidates with the best scores are considered, and at most 1000 faces are found. */
        detection_threshold?: number;
        /** `exif`: the picture is upright when its EXIF orientation is applied. `auto`: if its faces are not upright then, it is turned by 90, 180 or 270 degrees, and the answer says how far (`rotation`). Default: the service’s `ORIENTATION`. */
        orientation?: OrientationMode;
        /** Whether the quality of each face is returned. */
        quality?: boolean;
        /** Minimum `quality.score`. A face below it is refused with `LOW_QUALITY`, or, with `faces=all`, marked and not embedded. Also works with `quality=false`: the quality is then measured and not returned. */
        min_quality?: number;
        /** Minimum `quality.size`, the shorter side of the box in pixels. A face below it is refused in the same way. */
        min_face_size?: number;
        /** Whether `face_image` is returned: the aligned face, 112×112 pixels (or what the recogniser takes), as a data URL. */
        return_face?: boolean;
        /** `report`: each face has `liveness`. `require`: a face that is not live, or that cannot be judged, is refused with `LIVENESS_FAILED`, or, with `faces=all`, marked and not embedded. Both need `LIVENESS_MODEL`, and `require` a threshold. This is no certified presentation attack detection: docs/LIVENESS.md. Default: the service’s `LIVENESS`. */
        liveness?: LivenessMode;
        /** The format of `face_image`. `png` keeps every pixel: sent back with `aligned=true`, it has the same embedding. */
        face_format?: FaceFormat;
        /** Whether the image is an aligned face, as `return_face` gives it, of the size that the recogniser takes. No face is searched for: `bbox`, `landmarks` and `detection_score` are absent, and `quality` has what the pixels show. For new embeddings of stored faces after a change of model. */
        aligned?: boolean;
        /** For a batch of pictures of one person, with `faces=single` or `largest`: whether `template` is returned, one embedding from all of them, without pictures of somebody else. */
        fuse?: boolean;
      };
      body: {
        'application/json': EmbedRequest | EmbedBatchRequest;
      };
      answers: {
        200: {
          'application/json': EmbedResponse;
        };
        400: {
          'application/json': EmbedErrorResponse;
        };
        401: {
          'application/json': EmbedErrorResponse;
        };
        413: {
          'application/json': EmbedErrorResponse;
        };
        415: {
          'application/json': EmbedErrorResponse;
        };
        422: {
          'application/json': EmbedErrorResponse;
        };
        429: {
          'application/json': EmbedErrorResponse;
        };
        500: {
          'application/json': EmbedErrorResponse;
        };
        503: {
          'application/json': EmbedErrorResponse;
        };
        504: {
          'application/json': EmbedErrorResponse;
        };
      };
    };
  };
  '/v1/embed/form': {
    /** Embed the faces of an image in a form */
    post: {
      query: {
        /** `single`: exactly one face, else an error. `largest`: the largest, most central face. `all`: every face, best detection score first. */
        faces?: FaceSelection;
        /** `float`: an array of numbers. `base64`: little-endian float32 in padded standard base64. */
        encoding_format?: EncodingFormat;
        /** `fast`, with `faces=largest` only: stops after the coarse pass of the detector when its choice is large and its score high. Default: the service’s `DETECTION`. */
        detection?: DetectionMode;
        /** Minimum detection score of a face. Default: the service’s `DETECTION_THRESHOLD`. With a low one, only the 1500 candidates with the best scores are considered, and at most 1000 faces are found. */
        detection_threshold?: number;
        /** `exif`: the picture is upright when its EXIF orientation is applied. `auto`: if its faces are not upright then, it is turned by 90, 180 or 270 degrees, and the answer says how far (`rotation`). Default: the service’s `ORIENTATION`. */
        orientation?: OrientationMode;
        /** Whether the quality of each face is returned. */
        quality?: boolean;
        /** Minimum `quality.score`. A face below it is refused with `LOW_QUALITY`, or, with `faces=all`, marked and not embedded. Also works with `quality=false`: the quality is then measured and not returned. */
        min_quality?: number;
        /** Minimum `quality.size`, the shorter side of the box in pixels. A face below it is refused in the same way. */
        min_face_size?: number;
        /** Whether `face_image` is returned: the aligned face, 112×112 pixels (or what the recogniser takes), as a data URL. */
        return_face?: boolean;
        /** `report`: each face has `liveness`. `require`: a face that is not live, or that cannot be judged, is refused with `LIVENESS_FAILED`, or, with `faces=all`, marked and not embedded. Both need `LIVENESS_MODEL`, and `require` a threshold. This is no certified presentation attack detection: docs/LIVENESS.md. Default: the service’s `LIVENESS`. */
        liveness?: LivenessMode;
        /** The format of `face_image`. `png` keeps every pixel: sent back with `aligned=true`, it has the same embedding. */
        face_format?: FaceFormat;
        /** Whether the image is an aligned face, as `return_face` gives it, of the size that the recogniser takes. No face is searched for: `bbox`, `landmarks` and `detection_score` are absent, and `quality` has what the pixels show. For new embeddings of stored faces after a change of model. */
        aligned?: boolean;
        /** For a batch of pictures of one person, with `faces=single` or `largest`: whether `template` is returned, one embedding from all of them, without pictures of somebody else. */
        fuse?: boolean;
      };
      body: {
        'multipart/form-data': EmbedForm;
      };
      answers: {
        200: {
          'application/json': EmbedResponse;
        };
        400: {
          'application/json': EmbedErrorResponse;
        };
        401: {
          'application/json': EmbedErrorResponse;
        };
        413: {
          'application/json': EmbedErrorResponse;
        };
        415: {
          'application/json': EmbedErrorResponse;
        };
        422: {
          'application/json': EmbedErrorResponse;
        };
        429: {
          'application/json': EmbedErrorResponse;
        };
        500: {
          'application/json': EmbedErrorResponse;
        };
        503: {
          'application/json': EmbedErrorResponse;
        };
        504: {
          'application/json': EmbedErrorResponse;
        };
      };
    };
  };
  '/v1/embed/image': {
    /** Embed the faces of an image that is the body */
    post: {
      query: {
        /** `single`: exactly one face, else an error. `largest`: the largest, most central face. `all`: every face, best detection score first. */
        faces?: FaceSelection;
        /** `float`: an array of numbers. `base64`: little-endian float32 in padded standard base64. */
        encoding_format?: EncodingFormat;
        /** `fast`, with `faces=largest` only: stops after the coarse pass of the detector when its choice is large and its score high. Default: the service’s `DETECTION`. */
        detection?: DetectionMode;
        /** Minimum detection score of a face. Default: the service’s `DETECTION_THRESHOLD`. With a low one, only the 1500 candidates with the best scores are considered, and at most 1000 faces are found. */
        detection_threshold?: number;
        /** `exif`: the picture is upright when its EXIF orientation is applied. `auto`: if its faces are not upright then, it is turned by 90, 180 or 270 degrees, and the answer says how far (`rotation`). Default: the service’s `ORIENTATION`. */
        orientation?: OrientationMode;
        /** Whether the quality of each face is returned. */
        quality?: boolean;
        /** Minimum `quality.score`. A face below it is refused with `LOW_QUALITY`, or, with `faces=all`, marked and not embedded. Also works with `quality=false`: the quality is then measured and not returned. */
        min_quality?: number;
        /** Minimum `quality.size`, the shorter side of the box in pixels. A face below it is refused in the same way. */
        min_face_size?: number;
        /** Whether `face_image` is returned: the aligned face, 112×112 pixels (or what the recogniser takes), as a data URL. */
        return_face?: boolean;
        /** `report`: each face has `liveness`. `require`: a face that is not live, or that cannot be judged, is refused with `LIVENESS_FAILED`, or, with `faces=all`, marked and not embedded. Both need `LIVENESS_MODEL`, and `require` a threshold. This is no certified presentation attack detection: docs/LIVENESS.md. Default: the service’s `LIVENESS`. */
        liveness?: LivenessMode;
        /** The format of `face_image`. `png` keeps every pixel: sent back with `aligned=true`, it has the same embedding. */
        face_format?: FaceFormat;
        /** Whether the image is an aligned face, as `return_face` gives it, of the size that the recogniser takes. No face is searched for: `bbox`, `landmarks` and `detection_score` are absent, and `quality` has what the pixels show. For new embeddings of stored faces after a change of model. */
        aligned?: boolean;
        /** For a batch of pictures of one person, with `faces=single` or `largest`: whether `template` is returned, one embedding from all of them, without pictures of somebody else. */
        fuse?: boolean;
      };
      body: {
        'application/octet-stream': Binary;
      };
      answers: {
        200: {
          'application/json': EmbedResponse;
        };
        400: {
          'application/json': EmbedErrorResponse;
        };
        401: {
          'application/json': EmbedErrorResponse;
        };
        413: {
          'application/json': EmbedErrorResponse;
        };
        415: {
          'application/json': EmbedErrorResponse;
        };
        422: {
          'application/json': EmbedErrorResponse;
        };
        429: {
          'application/json': EmbedErrorResponse;
        };
        500: {
          'application/json': EmbedErrorResponse;
        };
        503: {
          'application/json': EmbedErrorResponse;
        };
        504: {
          'application/json': EmbedErrorResponse;
        };
      };
    };
  };
  '/v1/embed/lines': {
    /** Embed the faces of images, and answer with a line for each */
    post: {
      query: {
        /** `single`: exactly one face, else an error. `largest`: the largest, most central face. `all`: every face, best detection score first. */
        faces?: FaceSelection;
        /** `float`: an array of numbers. `base64`: little-endian float32 in padded standard base64. */
        encoding_format?: EncodingFormat;
        /** `fast`, with `faces=largest` only: stops after the coarse pass of the detector when its choice is large and its score high. Default: the service’s `DETECTION`. */
        detection?: DetectionMode;
        /** Minimum detection score of a face. Default: the service’s `DETECTION_THRESHOLD`. With a low one, only the 1500 candidates with the best scores are considered, and at most 1000 faces are found. */
        detection_threshold?: number;
        /** `exif`: the picture is upright when its EXIF orientation is applied. `auto`: if its faces are not upright then, it is turned by 90, 180 or 270 degrees, and the answer says how far (`rotation`). Default: the service’s `ORIENTATION`. */
        orientation?: OrientationMode;
        /** Whether the quality of each face is returned. */
        quality?: boolean;
        /** Minimum `quality.score`. A face below it is refused with `LOW_QUALITY`, or, with `faces=all`, marked and not embedded. Also works with `quality=false`: the quality is then measured and not returned. */
        min_quality?: number;
        /** Minimum `quality.size`, the shorter side of the box in pixels. A face below it is refused in the same way. */
        min_face_size?: number;
        /** Whether `face_image` is returned: the aligned face, 112×112 pixels (or what the recogniser takes), as a data URL. */
        return_face?: boolean;
        /** `report`: each face has `liveness`. `require`: a face that is not live, or that cannot be judged, is refused with `LIVENESS_FAILED`, or, with `faces=all`, marked and not embedded. Both need `LIVENESS_MODEL`, and `require` a threshold. This is no certified presentation attack detection: docs/LIVENESS.md. Default: the service’s `LIVENESS`. */
        liveness?: LivenessMode;
        /** The format of `face_image`. `png` keeps every pixel: sent back with `aligned=true`, it has the same embedding. */
        face_format?: FaceFormat;
        /** Whether the image is an aligned face, as `return_face` gives it, of the size that the recogniser takes. No face is searched for: `bbox`, `landmarks` and `detection_score` are absent, and `quality` has what the pixels show. For new embeddings of stored faces after a change of model. */
        aligned?: boolean;
        /** For a batch of pictures of one person, with `faces=single` or `largest`: whether `template` is returned, one embedding from all of them, without pictures of somebody else. */
        fuse?: boolean;
      };
      body: {
        'application/json': EmbedRequest | EmbedBatchRequest;
      };
      answers: {
        200: {
          'application/x-ndjson': EmbedLine;
        };
        400: {
          'application/json': EmbedErrorResponse;
        };
        401: {
          'application/json': EmbedErrorResponse;
        };
        413: {
          'application/json': EmbedErrorResponse;
        };
        415: {
          'application/json': EmbedErrorResponse;
        };
        422: {
          'application/json': EmbedErrorResponse;
        };
        429: {
          'application/json': EmbedErrorResponse;
        };
        500: {
          'application/json': EmbedErrorResponse;
        };
        503: {
          'application/json': EmbedErrorResponse;
        };
        504: {
          'application/json': EmbedErrorResponse;
        };
      };
    };
  };
  '/v1/compare': {
    /** Rank references by their distance to a query */
    post: {
      query: {
        /** `cosine`: 1 − cos. `euclidean`: ‖q − r‖ of the unit vectors. Both are 0..2. */
        distance_metric?: DistanceMetric;
        /** Maximum distance, in the chosen metric, that counts as a match. Without it, matches have no `is_match`. */
        threshold?: number;
        /** In place of `threshold`: a match is what has a `far.estimate` of at most this. It takes measured thresholds of the pack that carry the rate; else the request is refused, and `detail` says what they carry. */
        max_far?: number;
        /** In place of `threshold`, for a search: a match is what is found by at most this share of strangers who search among as many references as the request has, 1 − (1 − far)^n. */
        max_fpir?: number;
        /** Whether `far`, `max_far` and `max_fpir` may use the provisional figures that come with the service, if the pack has no measured ones. They are of other photographs than yours; the answer says `provisional`. */
        allow_provisional?: boolean;
        /** Maximum matches of a query. */
        top_k?: number;
        /** Which face of a picture is compared. `largest`: the largest, most central face. `single`: exactly one face, else an error. */
        faces?: ComparedSelection;
        /** `fast`, with `faces=largest` only: stops after the coarse pass of the detector when its choice is large and its score high. Default: the service’s `DETECTION`. */
        detection?: DetectionMode;
        /** Minimum detection score of a face. Default: the service’s `DETECTION_THRESHOLD`. With a low one, only the 1500 candidates with the best scores are considered, and at most 1000 faces are found. */
        detection_threshold?: number;
        /** `exif`: the picture is upright when its EXIF orientation is applied. `auto`: if its faces are not upright then, it is turned by 90, 180 or 270 degrees, and the answer says how far (`rotation`). Default: the service’s `ORIENTATION`. */
        orientation?: OrientationMode;
        /** Whether the embeddings of the pictures are returned. */
        return_embeddings?: boolean;
        /** `float`: an array of numbers. `base64`: little-endian float32 in padded standard base64. */
        encoding_format?: EncodingFormat;
        /** Of `query_image`, as in `/v1/embed`; references are not judged. Default: the service’s `LIVENESS`. */
        liveness?: LivenessMode;
        /** The distance to a reference with `embeddings`. `nearest`: that to the nearest of them. `mean`: that to the mean of their unit vectors, scaled to norm 1. */
        person_distance?: PersonDistance;
      };
      body: {
        'application/json': CompareRequest;
      };
      answers: {
        200: {
          'application/json': CompareResponse | CompareManyResponse;
        };
        400: {
          'application/json': ErrorResponse;
        };
        401: {
          'application/json': ErrorResponse;
        };
        413: {
          'application/json': ErrorResponse;
        };
        415: {
          'application/json': ErrorResponse;
        };
        422: {
          'application/json': ErrorResponse;
        };
        429: {
          'application/json': ErrorResponse;
        };
        500: {
          'application/json': ErrorResponse;
        };
        503: {
          'application/json': ErrorResponse;
        };
        504: {
          'application/json': ErrorResponse;
        };
      };
    };
  };
  '/livez': {
    /** Whether the process is alive */
    get: {
      answers: {
        200: {
          'application/json': Alive;
        };
      };
    };
  };
  '/readyz': {
    /** Whether the process should receive traffic */
    get: {
      answers: {
        200: {
          'application/json': Ready;
        };
        500: {
          'application/json': ErrorResponse;
        };
        503: {
          'application/json': NotReadyResponse;
        };
      };
    };
  };
  '/v1/health': {
    /** Whether the service can embed faces */
    get: {
      answers: {
        200: {
          'application/json': Health;
        };
        500: {
          'application/json': ErrorResponse;
        };
        503: {
          'application/json': UnhealthyResponse;
        };
      };
    };
  };
  '/v1/model-info': {
    /** The loaded model, and the limits in force */
    get: {
      answers: {
        200: {
          'application/json': ModelInfo;
        };
        401: {
          'application/json': ErrorResponse;
        };
        429: {
          'application/json': ErrorResponse;
        };
        500: {
          'application/json': ErrorResponse;
        };
        503: {
          'application/json': ErrorResponse;
        };
      };
    };
  };
  '/metrics': {
    /** Metrics of this process, for Prometheus */
    get: {
      answers: {
        200: {
          'text/plain': string;
        };
        401: {
          'application/json': ErrorResponse;
        };
        500: {
          'application/json': ErrorResponse;
        };
      };
    };
  };
  '/openapi.json': {
    /** The OpenAPI 3.1 document of this API */
    get: {
      answers: {
        200: {
          'application/json': OpenApiDocument;
        };
        304: never;
      };
    };
  };
  '/docs': {
    /** The interactive documentation of this API */
    get: {
      answers: {
        200: {
          'text/html': string;
        };
      };
    };
  };
}

/** The error codes after which the same request may succeed later. */
export const RETRYABLE_CODES: readonly string[] = ['RATE_LIMITED', 'OVERLOADED', 'MODEL_NOT_LOADED', 'DEADLINE_EXCEEDED'];
