import { defineConfig } from 'vitest/config';
import { unitTests } from './vitest.config.ts';

/**
 * `npm test` on a second version of Node, without what does not depend on the version: what comes from native libraries that are the
 * same files for every version, such as embeddings, and what looks at files only.
 */
const SAME_FOR_EVERY_VERSION = ['accuracy', 'bench', 'deploy', 'documents', 'onnx', 'study', 'tools'];

export default defineConfig({
  test: { projects: unitTests(SAME_FOR_EVERY_VERSION.map((folder) => `test/${folder}/**`)) },
});
