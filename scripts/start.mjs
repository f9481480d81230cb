import { buildIfNeeded } from './build.mjs';

buildIfNeeded();
await import('../dist/main.js');
