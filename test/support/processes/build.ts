import { build } from '../../../tools/build.mjs';

/** Tests start the service, the tools and worker threads from compiled files: not every supported Node runs TypeScript. */
export default function compile(): void {
  build({ tools: true });
}
