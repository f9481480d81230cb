/**
 * What libvips, libheif and libjpeg report when the machine has too little of something. libheif has the same name for sizes that
 * it refuses, but no further cause for memory that it does not get: libvips writes (6.0), the code and the cause.
 */
const MACHINE_FAULTS: readonly [pattern: RegExp, message: string][] = [
  [/out of memory -- size|Insufficient memory \(case/, 'There is no memory to decode an image of this size.'],
  [/Memory allocation error.*\(6\.0\)/s, 'There is no memory to decode an image of this size.'],
  [/unable to create thread/, 'libvips could not start a thread.'],
  [/system error: |[Nn]o space left on device/, 'The system refused libvips a file or memory.'],
];

/**
 * Tells an error of the machine from one of the file.
 *
 * @returns an error to be logged, in words of its own: those of libvips may quote the image. Undefined if the file is to blame.
 */
export function machineFault(error: unknown): Error | undefined {
  const text = error instanceof Error ? error.message : '';
  const fault = MACHINE_FAULTS.find(([pattern]) => pattern.test(text));
  return fault && new Error(fault[1]);
}
