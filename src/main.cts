/*
 * What is started: it fits libuv's pool of threads to the workers, then reads the program. The pool decodes the images, and has
 * four threads unless UV_THREADPOOL_SIZE says otherwise when it is first used. It is CommonJS because Node 20 uses the pool
 * to read the first ES module.
 */

/** For files and host names; libuv's default. */
const OTHER_THREADS = 4;
/** libuv's maximum. */
const MAX_THREADS = 1024;
/** IMAGES_PER_GPU_WORKER of config/concurrency.ts, which is an ES module. */
const IMAGES_PER_GPU_WORKER = 8;

try {
  // As readEnvironment of config/load.ts. Variables of the environment take precedence.
  process.loadEnvFile('.env');
} catch {
  // There is none, or config/load.ts reports what is wrong with it.
}

function imagesAtOnce(): number {
  const workers = Number.parseInt(process.env.WORKERS ?? '', 10);
  const onCpu = workers || process.getBuiltinModule('node:os').availableParallelism();
  const onGpu = IMAGES_PER_GPU_WORKER * (workers || 1);
  const device = process.env.DEVICE?.trim() || 'cpu';
  // What auto stands for takes too long to find out here.
  if (device === 'auto') return Math.max(onCpu, onGpu);
  return device === 'cpu' ? onCpu : onGpu;
}

// A thread without work takes about 30 kB.
process.env.UV_THREADPOOL_SIZE ||= String(Math.min(imagesAtOnce() + OTHER_THREADS, MAX_THREADS));
void import('./main.ts');
