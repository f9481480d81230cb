import type { PublishedFile } from '../catalogue.ts';
import type { CommercialUse } from '../provenance.ts';
import type { LivenessFamily } from './identify-network.ts';

/** A published liveness network that LIVENESS_MODEL can name. */
export interface PublishedLiveness {
  name: string;
  family: LivenessFamily;
  /** The licence of the weights, as a sentence for operators. */
  licence: string;
  commercialUse: CommercialUse;
  file: PublishedFile;
  /** URLs of the file, in the order in which they are tried. */
  sources: readonly string[];
}

export type LivenessCatalogue = ReadonlyMap<string, PublishedLiveness>;

/**
 * The liveness networks whose hashes are known. Each lies in a folder of MODELS_DIR that is named like it. Others are brought by
 * the operator.
 */
export const LIVENESS_CATALOGUE: LivenessCatalogue = new Map(
  [
    {
      name: 'insightface-liveness',
      family: 'insightface' as const,
      licence:
        'Weights by InsightFace (github.com/deepinsight/insightface), for non-commercial research purposes only.',
      commercialUse: 'excluded' as const,
      // Source: insightface 2.1, addons/catalog.py.
      file: {
        name: 'liveness.onnx',
        bytes: 1_484_006,
        sha256: '87a9ac1dbb16a61eec212957e5095e62a8769c1e188af9b0198f253302c4afdb',
      },
      sources: [
        'https://github.com/deepinsight/insightface-model-addons/releases/download/addons/liveness.onnx',
      ],
    },
  ].map((published) => [published.name, published]),
);
