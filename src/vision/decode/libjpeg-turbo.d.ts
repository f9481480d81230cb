/** libjpeg-turbo compiled to WebAssembly; the package has no types of its own. */
declare module '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs' {
  /** Instances stay usable after a picture; after an exception, not even its module does. */
  interface JPEGDecoder {
    /** @returns where to write the file's bytes, in WebAssembly's memory. */
    getEncodedBuffer(length: number): Uint8Array;
    /** @throws a number, the address of what libjpeg said, for errors and for warnings. */
    decode(): void;
    /** @returns one or three bytes a pixel, in WebAssembly's memory, which the next picture overwrites. */
    getDecodedBuffer(): Uint8ClampedArray<ArrayBuffer>;
  }

  export default function createModule(options: {
    print(text: string): void;
    printErr(text: string): void;
  }): Promise<{ JPEGDecoder: new () => JPEGDecoder }>;
}
