import { ByteReader } from './byte-reader.ts';
import { MAX_PROFILE_BYTES, refuse } from './limits.ts';

const HEADER_BYTES = 128;
/** As in lcms, which refuses profiles with more. */
const MAX_TAGS = 100;

/**
 * Tags in which a profile may describe its colours as a program of any number of steps (ICC.1:2022, 9.2.17 to 9.2.20 and 10.16).
 * lcms runs it for 36,000 colours even if the picture has one pixel, and for each pixel of 16 bits. All steps may share their
 * bytes: a PNG of 1,937 bytes took 167 s. Such tags are rare, and have curves, a matrix and curves.
 */
const PROGRAM_TAGS = ['D2B0', 'D2B1', 'D2B2', 'D2B3'];
const MAX_STEPS = 5;
const MAX_CHANNELS = 4;
const MAX_CURVE_SEGMENTS = 8;

/** Refuses a colour profile that takes long to apply. lcms ignores a damaged one. */
export function inspectProfile(profile: Uint8Array): void {
  if (profile.length > MAX_PROFILE_BYTES) refuse(`A colour profile of more than ${MAX_PROFILE_BYTES} bytes.`);
  const file = new ByteReader(profile);
  const tags = Math.min(file.u32(HEADER_BYTES), MAX_TAGS);
  for (let tag = 0; tag < tags; tag++) {
    const entry = HEADER_BYTES + 4 + 12 * tag;
    if (PROGRAM_TAGS.includes(file.name(entry))) inspectProgram(file, file.u32(entry + 4));
  }
}

function inspectProgram(file: ByteReader, at: number): void {
  const steps = file.u32(at + 12);
  if (steps > MAX_STEPS) refuse(`A colour profile with a program of more than ${MAX_STEPS} steps.`);
  for (let index = 0; index < steps; index++) {
    const step = at + file.u32(at + 16 + 8 * index);
    const inputs = file.u16(step + 8);
    if (Math.max(inputs, file.u16(step + 10)) > MAX_CHANNELS) {
      refuse(`A colour profile with a program for more than ${MAX_CHANNELS} channels.`);
    }
    if (file.name(step) !== 'cvst') continue;
    for (let curve = 0; curve < inputs; curve++) {
      const segments = file.u16(step + file.u32(step + 12 + 8 * curve) + 8);
      if (segments > MAX_CURVE_SEGMENTS) {
        refuse(`A colour profile with a curve of more than ${MAX_CURVE_SEGMENTS} segments.`);
      }
    }
  }
}
