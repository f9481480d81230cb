import { buildIfNeeded } from './build.mjs';

buildIfNeeded();
await import('../dist/cli/models.js');
