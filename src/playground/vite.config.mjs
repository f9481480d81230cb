import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** Makes one module of the page's, for tools/build.mjs. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  logLevel: 'warn',
  build: {
    target: 'es2022',
    outDir: fileURLToPath(new URL('../../dist/playground', import.meta.url)),
    emptyOutDir: false,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: fileURLToPath(new URL('main.ts', import.meta.url)),
      output: { entryFileNames: 'main.js' },
    },
  },
});
