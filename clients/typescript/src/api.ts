// Generated from the OpenAPI document of the service by "npm run generate". Do not edit.

/** The bytes of a file. */
export type Binary = Blob | Uint8Array;

/** The answer for `faces` = `single` and `largest`. */
export interface EmbeddedFace {
  /** L2 norm 1, in the form that `encoding_format` selects. */
  embedding: number[] | string;
  /** Confidence of the detector, 0..1. */
  detection_score: number;
  /** In pixels of the upright image. It may reach beyond the edges. */
  bbox: {
    x: number;
    y: number;
    width: number;
    height: number;
  };
  /** Left eye, right eye, nose, left and right mouth corner, as seen in the picture: [x, y] each. */
  landmarks: number[][];
  /** With `return_face=true`: the aligned face as a JPEG data URL. */
  face_image?: string;
  quality?: Quality;
  face_detected: true;
  /** Size in pixels of the upright image: EXIF orientation applied, then turned by `rotation`. */
  image: {
    width: number;
    height: number;
  };
  /** With `orientation=auto`: the degrees by which the image was turned clockwise, after its EXIF orientation, to be upright. Absent if it was not turned. `image`, `bbox` and `landmarks` are of the turned image. */
  rotation?: 90 | 180 | 270;
  model: {
    name: string;
    embedding_size: number;
    /** Embeddings are comparable only within one space. Store it beside the embedding. */
    embedding_space: string;
  };
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
  /** In degrees. Yaw and pitch are estimated from five landmarks, to about ten degrees. */
  pose: {
    /** Slope of the line between the eyes; positive when it is rotated clockwise. */
    roll: number;
    /** Positive when the nose points to the right of the picture. */
    yaw: number;
    /** Positive when the nose points up. */
    pitch: number;
  };
  /** Share of the aligned face that lies inside the picture. */
  margin: number;
  /** L2 norm of the embedding before it is normalised. It falls with recognisability; its scale is that of the recogniser. */
  embedding_norm: number;
  /** Estimated probability that this face matches a good photograph of the same person. docs/QUALITY.md says how it was chosen and how well it works. */
  score: number;
}

/** The answer for `faces` = `all`. */
export interface EmbeddedFaces {
  /** Best detection score first; may be empty. A face below `min_quality` or `min_face_size` has `low_quality` instead of `embedding`. */
  faces: ({
    /** L2 norm 1, in the form that `encoding_format` selects. */
    embedding: number[] | string;
    /** Confidence of the detector, 0..1. */
    detection_score: number;
    /** In pixels of the upright image. It may reach beyond the edges. */
    bbox: {
      x: number;
      y: number;
      width: number;
      height: number;
    };
    /** Left eye, right eye, nose, left and right mouth corner, as seen in the picture: [x, y] each. */
    landmarks: number[][];
    /** With `return_face=true`: the aligned face as a JPEG data URL. */
    face_image?: string;
    quality?: Quality;
  } | {
    /** What is low, worst first, in words that can be shown to the person in the photograph. */
    low_quality: ('too dark' | 'too bright' | 'low contrast' | 'too blurred' | 'come closer' | 'turn to the camera' | 'face cut off' | 'face hard to recognise')[];
    /** Confidence of the detector, 0..1. */
    detection_score: number;
    /** In pixels of the upright image. It may reach beyond the edges. */
    bbox: {
      x: number;
      y: number;
      width: number;
      height: number;
    };
    /** Left eye, right eye, nose, left and right mouth corner, as seen in the picture: [x, y] each. */
    landmarks: number[][];
    /** With `return_face=true`: the aligned face as a JPEG data URL. */
    face_image?: string;
    quality?: {
      /** Mean luma of the aligned face. */
      brightness: number;
      /** Standard deviation of the luma. */
      contrast: number;
      /** `1 − exp(−v / 100)`, where v is the variance of the Laplacian of the aligned face in grey. */
      sharpness: number;
      /** Shorter side of the box, in pixels of the picture. */
      size: number;
      /** In degrees. Yaw and pitch are estimated from five landmarks, to about ten degrees. */
      pose: {
        /** Slope of the line between the eyes; positive when it is rotated clockwise. */
        roll: number;
        /** Positive when the nose points to the right of the picture. */
        yaw: number;
        /** Positive when the nose points up. */
        pitch: number;
      };
      /** Share of the aligned face that lies inside the picture. */
      margin: number;
      /** L2 norm of the embedding before it is normalised. It falls with recognisability; its scale is that of the recogniser. */
      embedding_norm?: number;
      /** Estimated probability that this face matches a good photograph of the same person. docs/QUALITY.md says how it was chosen and how well it works. */
      score?: number;
    };
  })[];
  face_detected: boolean;
  /** Faces beyond `MAX_FACES`, which were not embedded. Absent when there are none. */
  faces_omitted?: number;
  /** Size in pixels of the upright image: EXIF orientation applied, then turned by `rotation`. */
  image: {
    width: number;
    height: number;
  };
  /** With `orientation=auto`: the degrees by which the image was turned clockwise, after its EXIF orientation, to be upright. Absent if it was not turned. `image`, `bbox` and `landmarks` are of the turned image. */
  rotation?: 90 | 180 | 270;
  model: {
    name: string;
    embedding_size: number;
    /** Embeddings are comparable only within one space. Store it beside the embedding. */
    embedding_space: string;
  };
}

/** The answer to a batch. */
export interface EmbeddedBatch {
  /** One for each image, in request order. */
  results: EmbedResult[];
  model: {
    name: string;
    embedding_size: number;
    /** Embeddings are comparable only within one space. Store it beside the embedding. */
    embedding_space: string;
  };
}

/** The outcome of one image: the answer to a request with this image only, without `model`, or its error. */
export type EmbedResult = FaceResult | FacesResult | FailedResult;

export interface FaceResult {
  /** Position of the image in the request, from 0. */
  index: number;
  /** L2 norm 1, in the form that `encoding_format` selects. */
  embedding: number[] | string;
  /** Confidence of the detector, 0..1. */
  detection_score: number;
  /** In pixels of the upright image. It may reach beyond the edges. */
  bbox: {
    x: number;
    y: number;
    width: number;
    height: number;
  };
  /** Left eye, right eye, nose, left and right mouth corner, as seen in the picture: [x, y] each. */
  landmarks: number[][];
  /** With `return_face=true`: the aligned face as a JPEG data URL. */
  face_image?: string;
  quality?: Quality;
  face_detected: true;
  /** Size in pixels of the upright image: EXIF orientation applied, then turned by `rotation`. */
  image: {
    width: number;
    height: number;
  };
  /** With `orientation=auto`: the degrees by which the image was turned clockwise, after its EXIF orientation, to be upright. Absent if it was not turned. `image`, `bbox` and `landmarks` are of the turned image. */
  rotation?: 90 | 180 | 270;
}

export interface FacesResult {
  /** Position of the image in the request, from 0. */
  index: number;
  /** Best detection score first; may be empty. A face below `min_quality` or `min_face_size` has `low_quality` instead of `embedding`. */
  faces: ({
    /** L2 norm 1, in the form that `encoding_format` selects. */
    embedding: number[] | string;
    /** Confidence of the detector, 0..1. */
    detection_score: number;
    /** In pixels of the upright image. It may reach beyond the edges. */
    bbox: {
      x: number;
      y: number;
      width: number;
      height: number;
    };
    /** Left eye, right eye, nose, left and right mouth corner, as seen in the picture: [x, y] each. */
    landmarks: number[][];
    /** With `return_face=true`: the aligned face as a JPEG data URL. */
    face_image?: string;
    quality?: Quality;
  } | {
    /** What is low, worst first, in words that can be shown to the person in the photograph. */
    low_quality: ('too dark' | 'too bright' | 'low contrast' | 'too blurred' | 'come closer' | 'turn to the camera' | 'face cut off' | 'face hard to recognise')[];
    /** Confidence of the detector, 0..1. */
    detection_score: number;
    /** In pixels of the upright image. It may reach beyond the edges. */
    bbox: {
      x: number;
      y: number;
      width: number;
      height: number;
    };
    /** Left eye, right eye, nose, left and right mouth corner, as seen in the picture: [x, y] each. */
    landmarks: number[][];
    /** With `return_face=true`: the aligned face as a JPEG data URL. */
    face_image?: string;
    quality?: {
      /** Mean luma of the aligned face. */
      brightness: number;
      /** Standard deviation of the luma. */
      contrast: number;
      /** `1 − exp(−v / 100)`, where v is the variance of the Laplacian of the aligned face in grey. */
      sharpness: number;
      /** Shorter side of the box, in pixels of the picture. */
      size: number;
      /** In degrees. Yaw and pitch are estimated from five landmarks, to about ten degrees. */
      pose: {
        /** Slope of the line between the eyes; positive when it is rotated clockwise. */
        roll: number;
        /** Positive when the nose points to the right of the picture. */
        yaw: number;
        /** Positive when the nose points up. */
        pitch: number;
      };
      /** Share of the aligned face that lies inside the picture. */
      margin: number;
      /** L2 norm of the embedding before it is normalised. It falls with recognisability; its scale is that of the recogniser. */
      embedding_norm?: number;
      /** Estimated probability that this face matches a good photograph of the same person. docs/QUALITY.md says how it was chosen and how well it works. */
      score?: number;
    };
  })[];
  face_detected: boolean;
  /** Faces beyond `MAX_FACES`, which were not embedded. Absent when there are none. */
  faces_omitted?: number;
  /** Size in pixels of the upright image: EXIF orientation applied, then turned by `rotation`. */
  image: {
    width: number;
    height: number;
  };
  /** With `orientation=auto`: the degrees by which the image was turned clockwise, after its EXIF orientation, to be upright. Absent if it was not turned. `image`, `bbox` and `landmarks` are of the turned image. */
  rotation?: 90 | 180 | 270;
}

export interface FailedResult {
  /** Position of the image in the request, from 0. */
  index: number;
  /** A sentence for people; its wording may change. */
  error: string;
  /** For programs. */
  error_code: 'INVALID_REQUEST' | 'UNAUTHORIZED' | 'NOT_FOUND' | 'METHOD_NOT_ALLOWED' | 'IMAGE_TOO_LARGE' | 'REQUEST_TOO_LARGE' | 'UNSUPPORTED_MEDIA_TYPE' | 'UNSUPPORTED_FORMAT' | 'INVALID_IMAGE' | 'NO_FACE_DETECTED' | 'MULTIPLE_FACES_DETECTED' | 'LOW_QUALITY' | 'INVALID_EMBEDDING' | 'EMBEDDING_SPACE_MISMATCH' | 'RATE_LIMITED' | 'PROCESSING_ERROR' | 'OVERLOADED' | 'MODEL_NOT_LOADED' | 'DEADLINE_EXCEEDED';
  /** What exactly was wrong. */
  detail?: string;
  /** Also in the X-Request-Id header and in the log. */
  request_id: string;
}

/** A line for each image as soon as it is done, and then a last line. */
export type EmbedLine = FaceResult | FacesResult | FailedResult | EmbedEnd;

/** The last line. An answer without it is incomplete. */
export interface EmbedEnd {
  done: true;
  model: {
    name: string;
    embedding_size: number;
    /** Embeddings are comparable only within one space. Store it beside the embedding. */
    embedding_space: string;
  };
}

export interface Error {
  /** A sentence for people; its wording may change. */
  error: string;
  /** For programs. */
  error_code: 'INVALID_REQUEST' | 'UNAUTHORIZED' | 'NOT_FOUND' | 'METHOD_NOT_ALLOWED' | 'IMAGE_TOO_LARGE' | 'REQUEST_TOO_LARGE' | 'UNSUPPORTED_MEDIA_TYPE' | 'UNSUPPORTED_FORMAT' | 'INVALID_IMAGE' | 'NO_FACE_DETECTED' | 'MULTIPLE_FACES_DETECTED' | 'LOW_QUALITY' | 'INVALID_EMBEDDING' | 'EMBEDDING_SPACE_MISMATCH' | 'RATE_LIMITED' | 'PROCESSING_ERROR' | 'OVERLOADED' | 'MODEL_NOT_LOADED' | 'DEADLINE_EXCEEDED';
  /** What exactly was wrong. */
  detail?: string;
  /** Also in the X-Request-Id header and in the log. */
  request_id: string;
}

export interface EmbedRequest {
  /** `single`: exactly one face, else an error. `largest`: the largest, most central face. `all`: every face, best detection score first. */
  faces?: 'single' | 'largest' | 'all';
  /** `float`: an array of numbers. `base64`: little-endian float32 in padded standard base64. */
  encoding_format?: 'float' | 'base64';
  /** `fast`, with `faces=largest` only: stops after the coarse pass of the detector when its choice is large and its score high. Default: the service’s `DETECTION`. */
  detection?: 'full' | 'fast';
  /** Minimum detection score of a face. Default: the service’s `DETECTION_THRESHOLD`. With a low one, only the 1500 candidates with the best scores are considered, and at most 1000 faces are found. */
  detection_threshold?: number;
  /** `exif`: the picture is upright when its EXIF orientation is applied. `auto`: if its faces are not upright then, it is turned by 90, 180 or 270 degrees, and the answer says how far (`rotation`). Default: the service’s `ORIENTATION`. */
  orientation?: 'exif' | 'auto';
  /** Whether the quality of each face is returned. */
  quality?: boolean;
  /** Minimum `quality.score`. A face below it is refused with `LOW_QUALITY`, or, with `faces=all`, marked and not embedded. Also works with `quality=false`: the quality is then measured and not returned. */
  min_quality?: number;
  /** Minimum `quality.size`, the shorter side of the box in pixels. A face below it is refused in the same way. */
  min_face_size?: number;
  /** Whether `face_image` is returned: the aligned face, 112×112 pixels (or what the recogniser takes), as a JPEG data URL. */
  return_face?: boolean;
  /** A data URL (`data:image/jpeg;base64,…`) or bare base64, standard or URL-safe, padded or not. */
  image: string;
}

export interface EmbedBatchRequest {
  /** `single`: exactly one face, else an error. `largest`: the largest, most central face. `all`: every face, best detection score first. */
  faces?: 'single' | 'largest' | 'all';
  /** `float`: an array of numbers. `base64`: little-endian float32 in padded standard base64. */
  encoding_format?: 'float' | 'base64';
  /** `fast`, with `faces=largest` only: stops after the coarse pass of the detector when its choice is large and its score high. Default: the service’s `DETECTION`. */
  detection?: 'full' | 'fast';
  /** Minimum detection score of a face. Default: the service’s `DETECTION_THRESHOLD`. With a low one, only the 1500 candidates with the best scores are considered, and at most 1000 faces are found. */
  detection_threshold?: number;
  /** `exif`: the picture is upright when its EXIF orientation is applied. `auto`: if its faces are not upright then, it is turned by 90, 180 or 270 degrees, and the answer says how far (`rotation`). Default: the service’s `ORIENTATION`. */
  orientation?: 'exif' | 'auto';
  /** Whether the quality of each face is returned. */
  quality?: boolean;
  /** Minimum `quality.score`. A face below it is refused with `LOW_QUALITY`, or, with `faces=all`, marked and not embedded. Also works with `quality=false`: the quality is then measured and not returned. */
  min_quality?: number;
  /** Minimum `quality.size`, the shorter side of the box in pixels. A face below it is refused in the same way. */
  min_face_size?: number;
  /** Whether `face_image` is returned: the aligned face, 112×112 pixels (or what the recogniser takes), as a JPEG data URL. */
  return_face?: boolean;
  /** A batch: at most `MAX_BATCH_SIZE` images. The options apply to all of them. */
  images: string[];
}

export interface EmbedForm {
  /** `single`: exactly one face, else an error. `largest`: the largest, most central face. `all`: every face, best detection score first. */
  faces?: 'single' | 'largest' | 'all';
  /** `float`: an array of numbers. `base64`: little-endian float32 in padded standard base64. */
  encoding_format?: 'float' | 'base64';
  /** `fast`, with `faces=largest` only: stops after the coarse pass of the detector when its choice is large and its score high. Default: the service’s `DETECTION`. */
  detection?: 'full' | 'fast';
  /** Minimum detection score of a face. Default: the service’s `DETECTION_THRESHOLD`. With a low one, only the 1500 candidates with the best scores are considered, and at most 1000 faces are found. */
  detection_threshold?: number;
  /** `exif`: the picture is upright when its EXIF orientation is applied. `auto`: if its faces are not upright then, it is turned by 90, 180 or 270 degrees, and the answer says how far (`rotation`). Default: the service’s `ORIENTATION`. */
  orientation?: 'exif' | 'auto';
  /** Whether the quality of each face is returned. */
  quality?: boolean;
  /** Minimum `quality.score`. A face below it is refused with `LOW_QUALITY`, or, with `faces=all`, marked and not embedded. Also works with `quality=false`: the quality is then measured and not returned. */
  min_quality?: number;
  /** Minimum `quality.size`, the shorter side of the box in pixels. A face below it is refused in the same way. */
  min_face_size?: number;
  /** Whether `face_image` is returned: the aligned face, 112×112 pixels (or what the recogniser takes), as a JPEG data URL. */
  return_face?: boolean;
  /** A file part; or several of this name, which form a batch of at most `MAX_BATCH_SIZE` images. */
  image: Binary[];
}

/** The answer to `query_embedding` and `query_image`. */
export interface CompareResponse {
  query?: ComparedFace;
  /** Nearest first, ties in request order. */
  matches: Match[];
  /** The first match; null without references. */
  best_match: Match | null;
  distance_metric: 'cosine' | 'euclidean';
  threshold?: number;
  /** The model that embedded the pictures, if there are any. */
  model?: {
    name: string;
    embedding_size: number;
    /** Embeddings are comparable only within one space. Store it beside the embedding. */
    embedding_space: string;
  };
}

/** The face of a picture, as `/v1/embed` describes it; with `embedding` if `return_embeddings` is true. It is the `query` of a request with `query_image`, and the `face` of a match whose reference has an `image`. */
export interface ComparedFace {
  /** L2 norm 1, in the form that `encoding_format` selects. */
  embedding?: number[] | string;
  /** Confidence of the detector, 0..1. */
  detection_score: number;
  /** In pixels of the upright image. It may reach beyond the edges. */
  bbox: {
    x: number;
    y: number;
    width: number;
    height: number;
  };
  /** Left eye, right eye, nose, left and right mouth corner, as seen in the picture: [x, y] each. */
  landmarks: number[][];
  /** With `return_face=true`: the aligned face as a JPEG data URL. */
  face_image?: string;
  quality?: Quality;
  /** Size in pixels of the upright image: EXIF orientation applied, then turned by `rotation`. */
  image: {
    width: number;
    height: number;
  };
  /** With `orientation=auto`: the degrees by which the image was turned clockwise, after its EXIF orientation, to be upright. Absent if it was not turned. `image`, `bbox` and `landmarks` are of the turned image. */
  rotation?: 90 | 180 | 270;
}

export interface Match {
  id: string;
  /** 0..2 in the chosen metric. */
  distance: number;
  /** (1 + cos) / 2, 0..1, whatever the metric. */
  similarity: number;
  /** distance ≤ threshold; only with a threshold. */
  is_match?: boolean;
  face?: ComparedFace;
}

/** The answer to `query_embeddings`. */
export interface CompareManyResponse {
  /** One ranking for each query, in request order. */
  results: ({
    id: string;
    /** Nearest first, ties in request order. */
    matches: Match[];
    /** The first match; null without references. */
    best_match: Match | null;
  })[];
  distance_metric: 'cosine' | 'euclidean';
  threshold?: number;
  /** The model that embedded the pictures, if there are any. */
  model?: {
    name: string;
    embedding_size: number;
    /** Embeddings are comparable only within one space. Store it beside the embedding. */
    embedding_space: string;
  };
}

/** Exactly one of `query_embedding`, `query_embeddings` and `query_image`. `faces`, `detection`, `detection_threshold`, `orientation`, `return_embeddings` and `encoding_format` apply to pictures. */
export interface CompareRequest {
  /** Numbers, or the base64 of little-endian float32 that `/v1/embed` returns. It is scaled to L2 norm 1. */
  query_embedding?: number[] | string;
  /** Several queries, as a list or a block. Each gets its own `matches`. */
  query_embeddings?: ({
    /** The caller's id for this query or reference. */
    id: string;
    /** Numbers, or the base64 of little-endian float32 that `/v1/embed` returns. It is scaled to L2 norm 1. */
    embedding: number[] | string;
    /** As `/v1/embed` returned it. Different values in one request are refused. */
    embedding_space?: string;
  })[] | EmbeddingBlock;
  /** A picture, as in a JSON body of `/v1/embed`: a data URL or bare base64. */
  query_image?: string;
  /** As `/v1/embed` returned it. Different values in one request are refused. */
  embedding_space?: string;
  /** A list, whose items have either `embedding` or `image`, or a block. */
  reference_embeddings: ({
    /** The caller's id for this query or reference. */
    id: string;
    /** Numbers, or the base64 of little-endian float32 that `/v1/embed` returns. It is scaled to L2 norm 1. */
    embedding?: number[] | string;
    /** A picture, as in a JSON body of `/v1/embed`: a data URL or bare base64. */
    image?: string;
    /** As `/v1/embed` returned it. Different values in one request are refused. */
    embedding_space?: string;
  })[] | EmbeddingBlock;
  /** `cosine`: 1 − cos. `euclidean`: ‖q − r‖ of the unit vectors. Both are 0..2. */
  distance_metric?: 'cosine' | 'euclidean';
  /** Maximum distance, in the chosen metric, that counts as a match. Without it, matches have no `is_match`. */
  threshold?: number;
  /** Maximum matches of a query. */
  top_k?: number;
  /** Which face of a picture is compared. `largest`: the largest, most central face. `single`: exactly one face, else an error. */
  faces?: 'largest' | 'single';
  /** `fast`, with `faces=largest` only: stops after the coarse pass of the detector when its choice is large and its score high. Default: the service’s `DETECTION`. */
  detection?: 'full' | 'fast';
  /** Minimum detection score of a face. Default: the service’s `DETECTION_THRESHOLD`. With a low one, only the 1500 candidates with the best scores are considered, and at most 1000 faces are found. */
  detection_threshold?: number;
  /** `exif`: the picture is upright when its EXIF orientation is applied. `auto`: if its faces are not upright then, it is turned by 90, 180 or 270 degrees, and the answer says how far (`rotation`). Default: the service’s `ORIENTATION`. */
  orientation?: 'exif' | 'auto';
  /** Whether the embeddings of the pictures are returned. */
  return_embeddings?: boolean;
  /** `float`: an array of numbers. `base64`: little-endian float32 in padded standard base64. */
  encoding_format?: 'float' | 'base64';
}

/** Many embeddings in one string: the smallest and fastest form for thousands of them. */
export interface EmbeddingBlock {
  ids: string[];
  /** One base64 string of ids.length × n little-endian float32 values: the embeddings in the order of the ids. */
  embeddings: string;
  /** As `/v1/embed` returned it. Different values in one request are refused. */
  embedding_space?: string;
}

export interface Health {
  status: 'healthy' | 'starting' | 'draining' | 'unhealthy';
  model_loaded: boolean;
  model_name: string;
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
  detector: {
    /** The rewrites that were applied to the graph at load; see `GRAPH_REWRITES`. */
    rewrites: ({
      pass: 'deferred-heads' | 'sibling-convolutions' | 'narrow-convolutions' | 'grouped-convolutions' | 'prelu' | 'transposes' | 'gemms' | 'constant-scales';
      count: number;
    })[];
    file: string;
    sha256: string;
    /** Whether the hash was compared with a known one. */
    pinned: boolean;
    /** Sides of the square inputs, in pixels. */
    input_sizes: number[];
  };
  recogniser: {
    /** The rewrites that were applied to the graph at load; see `GRAPH_REWRITES`. */
    rewrites: ({
      pass: 'deferred-heads' | 'sibling-convolutions' | 'narrow-convolutions' | 'grouped-convolutions' | 'prelu' | 'transposes' | 'gemms' | 'constant-scales';
      count: number;
    })[];
    file: string;
    sha256: string;
    /** Whether the hash was compared with a known one. */
    pinned: boolean;
    input_size: number;
  };
  /** Licence of the weights. */
  licence: string;
  /** True for the synthetic pack, which cannot recognise people and is for integration tests only. */
  synthetic: boolean;
  detection_threshold: number;
  /** Measured with `npm run calibrate` in this embedding space; empty if none were measured. They hold for pictures like those that were measured. */
  thresholds: MeasuredThreshold[];
  /** The default for `faces=largest`. */
  detection: 'full' | 'fast';
  /** Settings in force, in lower case. */
  limits: Record<string, number>;
  workers: number;
  /** Version of the service. */
  version: string;
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
}

/** What each path takes and answers. */
export interface Paths {
  '/v1/embed': {
    /** Embed the faces of an image */
    post: {
      query: {
        /** `single`: exactly one face, else an error. `largest`: the largest, most central face. `all`: every face, best detection score first. */
        faces?: 'single' | 'largest' | 'all';
        /** `float`: an array of numbers. `base64`: little-endian float32 in padded standard base64. */
        encoding_format?: 'float' | 'base64';
        /** `fast`, with `faces=largest` only: stops after the coarse pass of the detector when its choice is large and its score high. Default: the service’s `DETECTION`. */
        detection?: 'full' | 'fast';
        /** Minimum detection score of a face. Default: the service’s `DETECTION_THRESHOLD`. With a low one, only the 1500 candidates with the best scores are considered, and at most 1000 faces are found. */
        detection_threshold?: number;
        /** `exif`: the picture is upright when its EXIF orientation is applied. `auto`: if its faces are not upright then, it is turned by 90, 180 or 270 degrees, and the answer says how far (`rotation`). Default: the service’s `ORIENTATION`. */
        orientation?: 'exif' | 'auto';
        /** Whether the quality of each face is returned. */
        quality?: boolean;
        /** Minimum `quality.score`. A face below it is refused with `LOW_QUALITY`, or, with `faces=all`, marked and not embedded. Also works with `quality=false`: the quality is then measured and not returned. */
        min_quality?: number;
        /** Minimum `quality.size`, the shorter side of the box in pixels. A face below it is refused in the same way. */
        min_face_size?: number;
        /** Whether `face_image` is returned: the aligned face, 112×112 pixels (or what the recogniser takes), as a JPEG data URL. */
        return_face?: boolean;
      };
      body: {
        'application/json': EmbedRequest | EmbedBatchRequest;
        'multipart/form-data': EmbedForm;
        'image/*': Binary;
        'application/octet-stream': Binary;
      };
      answers: {
        200: {
          'application/json': EmbeddedFace | EmbeddedFaces | EmbeddedBatch;
          'application/x-ndjson': EmbedLine;
        };
        400: {
          'application/json': Error;
        };
        401: {
          'application/json': Error;
        };
        413: {
          'application/json': Error;
        };
        415: {
          'application/json': Error;
        };
        422: {
          'application/json': Error;
        };
        429: {
          'application/json': Error;
        };
        500: {
          'application/json': Error;
        };
        503: {
          'application/json': Error;
        };
        504: {
          'application/json': Error;
        };
      };
    };
  };
  '/v1/compare': {
    /** Rank references by their distance to a query */
    post: {
      query: {
        /** `cosine`: 1 − cos. `euclidean`: ‖q − r‖ of the unit vectors. Both are 0..2. */
        distance_metric?: 'cosine' | 'euclidean';
        /** Maximum distance, in the chosen metric, that counts as a match. Without it, matches have no `is_match`. */
        threshold?: number;
        /** Maximum matches of a query. */
        top_k?: number;
        /** Which face of a picture is compared. `largest`: the largest, most central face. `single`: exactly one face, else an error. */
        faces?: 'largest' | 'single';
        /** `fast`, with `faces=largest` only: stops after the coarse pass of the detector when its choice is large and its score high. Default: the service’s `DETECTION`. */
        detection?: 'full' | 'fast';
        /** Minimum detection score of a face. Default: the service’s `DETECTION_THRESHOLD`. With a low one, only the 1500 candidates with the best scores are considered, and at most 1000 faces are found. */
        detection_threshold?: number;
        /** `exif`: the picture is upright when its EXIF orientation is applied. `auto`: if its faces are not upright then, it is turned by 90, 180 or 270 degrees, and the answer says how far (`rotation`). Default: the service’s `ORIENTATION`. */
        orientation?: 'exif' | 'auto';
        /** Whether the embeddings of the pictures are returned. */
        return_embeddings?: boolean;
        /** `float`: an array of numbers. `base64`: little-endian float32 in padded standard base64. */
        encoding_format?: 'float' | 'base64';
      };
      body: {
        'application/json': CompareRequest;
      };
      answers: {
        200: {
          'application/json': CompareResponse | CompareManyResponse;
        };
        400: {
          'application/json': Error;
        };
        401: {
          'application/json': Error;
        };
        413: {
          'application/json': Error;
        };
        415: {
          'application/json': Error;
        };
        422: {
          'application/json': Error;
        };
        429: {
          'application/json': Error;
        };
        500: {
          'application/json': Error;
        };
        503: {
          'application/json': Error;
        };
        504: {
          'application/json': Error;
        };
      };
    };
  };
  '/livez': {
    /** Whether the process is alive */
    get: {
      answers: {
        200: {
          'application/json': {
            status: 'alive';
          };
        };
      };
    };
  };
  '/readyz': {
    /** Whether the process should receive traffic */
    get: {
      answers: {
        200: {
          'application/json': {
            status: 'ready';
          };
        };
        500: {
          'application/json': Error;
        };
        503: {
          'application/json': Error;
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
          'application/json': Error;
        };
        503: {
          'application/json': Error;
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
          'application/json': Error;
        };
        429: {
          'application/json': Error;
        };
        500: {
          'application/json': Error;
        };
        503: {
          'application/json': Error;
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
          'application/json': Error;
        };
        500: {
          'application/json': Error;
        };
      };
    };
  };
  '/openapi.json': {
    /** The OpenAPI 3.1 document of this API */
    get: {
      answers: {
        200: {
          'application/json': Record<string, unknown>;
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
