import type { OpenAPIHono } from '@hono/zod-openapi';
import { VERSION } from '../../config/package.ts';
import { DETECTION_MODES, LIVENESS_MODES, ORIENTATION_MODES } from '../../config/settings.ts';
import type { AppEnvironment } from '../../http/context.ts';
import { declareErrorExamples } from '../../http/document/error-responses.ts';
import { type EnumNames, finishDocument } from '../../http/document/finish.ts';
import { declareHeaders } from '../../http/document/headers.ts';
import { compareRequestSchema } from '../../json/compare-schema.ts';
import { DISTANCE_METRICS } from '../../similarity/compare.ts';
import { ENCODING_FORMATS } from '../../similarity/embedding.ts';
import { PERSON_DISTANCES } from '../../similarity/person-embeddings.ts';
import { FACE_FORMATS } from '../../vision/align/face-format.ts';
import { FACE_SELECTIONS } from '../../vision/detect/selection.ts';
import { LOW_QUALITY_EXAMPLE } from '../embed/refusal.ts';

/** The options and members that have one of a list of values, by the name of the list. */
const ENUMS: EnumNames = {
  FaceSelection: FACE_SELECTIONS,
  ComparedSelection: compareRequestSchema.shape.faces.unwrap().options,
  EncodingFormat: ENCODING_FORMATS,
  DetectionMode: DETECTION_MODES,
  OrientationMode: ORIENTATION_MODES,
  LivenessMode: LIVENESS_MODES,
  FaceFormat: FACE_FORMATS,
  DistanceMetric: DISTANCE_METRICS,
  PersonDistance: PERSON_DISTANCES,
};

/** Declares what the operations of the document refer to. */
export function declareComponents(registry: OpenAPIHono['openAPIRegistry']): void {
  declareHeaders(registry);
  declareErrorExamples(registry, { LOW_QUALITY: LOW_QUALITY_EXAMPLE });
}

/** The OpenAPI document of the routes that have been added to the application. */
export function makeOpenApiDocument(app: OpenAPIHono<AppEnvironment>, title: string) {
  return finishDocument(app.getOpenAPI31Document(describe(title), { unionPreferredType: 'oneOf' }), ENUMS);
}

function describe(title: string) {
  return {
    openapi: '3.1.0',
    info: {
      title,
      version: VERSION,
      description:
        'Turns a photograph into a face embedding and compares embeddings. Stateless: images and embeddings ' +
        'are neither stored nor logged.\n\n' +
        'Generated clients have a function for each kind of body: `embed` sends JSON, `embedForm` a form, `embedImage` the bytes of an ' +
        'image, and `embedLines` reads results as they come. It is one operation: `/v1/embed` itself takes all of these. `compareForm` is ' +
        '`/v1/compare` with a form likewise.',
    },
  };
}
