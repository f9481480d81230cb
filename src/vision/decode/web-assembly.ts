import { readFileSync } from 'node:fs';

const compiled = new Map<string, WebAssembly.Module>();

/**
 * Options for a module that Emscripten has built, so that each picture has an instance of its own: an instance's memory never
 * shrinks, and after an exception it is unusable. The code is compiled once for each thread, which takes tens of milliseconds;
 * an instance takes a few.
 *
 * @param file path of the code.
 */
export function ownInstance(file: string) {
  return {
    // The messages may quote the image.
    print: () => {},
    printErr: () => {},
    instantiateWasm(imports: object, done: (instance: WebAssembly.Instance) => void): object {
      const module = compiled.get(file) ?? new WebAssembly.Module(readFileSync(file));
      compiled.set(file, module);
      const instance = new WebAssembly.Instance(module, imports);
      done(instance);
      return instance.exports;
    },
  };
}
