import { INSIGHTFACE_PACKS } from './catalogue/insightface.ts';
import { LITE_PACK } from './catalogue/lite.ts';
import { PERMISSIVE_PACKS } from './catalogue/permissive.ts';
import type { Catalogue } from './catalogue/published-pack.ts';

export type {
  Catalogue,
  CataloguePack,
  MemoryNeed,
  PublishedFile,
} from './catalogue/published-pack.ts';

/**
 * The packs that this service can download.
 *
 * What a pack needs to be added now:
 * 1. Networks of a family that is there: a detector of vision/detect, and a recogniser that takes an aligned square face. What
 *    differs between packs is data: preprocessing, channel order, input size, embedding size. A pack that comes with a
 *    manifest.json of version 2 (manifest.ts) needs no entry at all: an operator puts its folder into MODELS_DIR.
 * 2. Permanent sources, two if there are: a zip archive, the URLs of each file, or a package in the npm registry. `stat -c %s`
 *    and `sha256sum` of each file give the numbers of the entry.
 * 3. What publishers state of the licence and the training data, in an entry in catalogue/: for another pack of a publisher who
 *    is there, one element of the list in its file; for another publisher, a file and a line below. The name becomes a value of
 *    MODEL_NAME and a part of the embedding space, so it can never be given to other weights.
 * 4. `npm run models -- install <name>` and `verify <name>`, `npm run generate` for the documents that list the catalogue, and
 *    the memory as test/system/memory-need.test.ts measures it.
 * 5. The quality weights of a recogniser whose embedding norms were measured (src/vision/quality/quality-score.ts).
 */
export const CATALOGUE: Catalogue = new Map(
  [...INSIGHTFACE_PACKS, ...PERMISSIVE_PACKS, LITE_PACK].map((pack) => [pack.name, pack]),
);
