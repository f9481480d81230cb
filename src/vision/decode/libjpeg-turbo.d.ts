/** libjpeg-turbo compiled to WebAssembly; the package has no types of its own. */
declare module '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs' {
  /** An instance decodes any number of pictures. After an exception, its whole module must be discarded. */
  interface JPEGDecoder {
    /** @returns a view of WebAssembly's memory to which the caller writes the encoded bytes. */
    getEncodedBuffer(length: number): Uint8Array;
    /** @throws a number, the address of libjpeg's message, for errors and for warnings. */
    decode(): void;
    /** @returns a view of WebAssembly's memory, one or three bytes for each pixel; the next picture overwrites it. */
    getDecodedBuffer(): Uint8ClampedArray<ArrayBuffer>;
  }

  export default function createModule(options: {
    print(text: string): void;
    printErr(text: string): void;
    /** Replaces reading and compiling the file. @param done takes the instance. @returns its exports. */
    instantiateWasm(
      imports: object,
      done: (instance: WebAssembly.Instance) => void,
    ): WebAssembly.Instance['exports'];
  }): Promise<{ JPEGDecoder: new () => JPEGDecoder }>;
}
