/*
 * The two passes of OpenCV's bilinear resize for 8 bits, and a single pass that halves a picture, with SIMD instructions.
 * This file is AssemblyScript, not TypeScript: tools/build.mjs compiles it to dist/vision/bilinear.wasm, which only
 * letterbox.ts calls. The caller lays out the memory. Widths are rounded up to a multiple of eight pixels, and all row
 * buffers must have room for that.
 *
 * A level has 8 bits and a weight 11, as in OpenCV (modules/imgproc/src/resize.cpp). OpenCV's vertical pass drops four bits of
 * the horizontal pass's results before it multiplies; here the horizontal pass drops them. That leaves 15 bits, and halves
 * the memory of a row.
 */

/**
 * One source row, interpolated along x.
 *
 * @param source R, G, B bytes of the row. Eight bytes are read from each left neighbour on.
 * @param taps a u32 for each pixel: the offset in bytes of the left neighbour, which the right one follows.
 * @param weights two i16 for each pixel: those of the two neighbours. Without a right neighbour, its weight is 0.
 * @param out three planes of i16, each `width` pixels long.
 * @param width a multiple of 8.
 */
export function interpolateRow(source: usize, taps: usize, weights: usize, out: usize, width: usize): void {
  const plane = width << 1;
  const end = out + plane;
  while (out < end) {
    const p0 = pixel(source, taps, weights);
    const p1 = pixel(source, taps + 4, weights + 4);
    const p2 = pixel(source, taps + 8, weights + 8);
    const p3 = pixel(source, taps + 12, weights + 12);
    // Four pixels of R, G, B and an unused lane become four of R, of G and of B.
    const rg01 = v128.shuffle<i32>(p0, p1, 0, 4, 1, 5);
    const rg23 = v128.shuffle<i32>(p2, p3, 0, 4, 1, 5);
    const b01 = v128.shuffle<i32>(p0, p1, 2, 6, 2, 6);
    const b23 = v128.shuffle<i32>(p2, p3, 2, 6, 2, 6);
    const red = v128.shuffle<i64>(rg01, rg23, 0, 2);
    const green = v128.shuffle<i64>(rg01, rg23, 1, 3);
    const blue = v128.shuffle<i64>(b01, b23, 0, 2);
    const redGreen = i16x8.narrow_i32x4_s(red, green);
    v128.store64_lane(out, redGreen, 0);
    v128.store64_lane(out + plane, redGreen, 1);
    v128.store64_lane(out + (plane << 1), i16x8.narrow_i32x4_s(blue, blue), 0);
    taps += 16;
    weights += 16;
    out += 8;
  }
}

/** Lanes of 32 bits: R, G, B and an unused one. */
function pixel(source: usize, taps: usize, weights: usize): v128 {
  const both = v128.load64_zero(source + load<u32>(taps));
  const pairs = i8x16.swizzle(both, i8x16(0, 3, 1, 4, 2, 5, 6, 7, 8, 8, 8, 8, 8, 8, 8, 8));
  const sums = i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(pairs), v128.load32_splat(weights));
  return i32x4.shr_s(sums, 4);
}

/**
 * Blends two interpolated rows into one row of network input, (level − mean) · scale.
 *
 * @param upper, lower rows written by {@link interpolateRow}.
 * @param upperWeight, lowerWeight 0..2048.
 * @param out float32, the start of the row in the first plane.
 * @param plane bytes from one plane of the input to the next.
 */
export function blendRows(
  upper: usize,
  lower: usize,
  upperWeight: i32,
  lowerWeight: i32,
  width: usize,
  out: usize,
  plane: usize,
  mean: f32,
  scale: f32,
): void {
  const upperWeights = i16x8.splat(<i16>upperWeight);
  const lowerWeights = i16x8.splat(<i16>lowerWeight);
  const means = f32x4.splat(mean);
  const scales = f32x4.splat(scale);
  for (let channel = 0; channel < 3; channel++) {
    let to = out;
    for (const end = out + (width << 2); to < end; to += 32) {
      const above = v128.load(upper);
      const below = v128.load(lower);
      const first = i32x4.add(
        i32x4.shr_s(i32x4.extmul_low_i16x8_s(above, upperWeights), 16),
        i32x4.shr_s(i32x4.extmul_low_i16x8_s(below, lowerWeights), 16),
      );
      const second = i32x4.add(
        i32x4.shr_s(i32x4.extmul_high_i16x8_s(above, upperWeights), 16),
        i32x4.shr_s(i32x4.extmul_high_i16x8_s(below, lowerWeights), 16),
      );
      storeLevels(to, level(first), level(second), means, scales);
      upper += 16;
      lower += 16;
    }
    out += plane;
  }
}

/**
 * Reduces two source rows to one row of network input of half their length. The result is that of the two passes with all
 * weights one half, the mean of four levels rounded half up, in a third of their time.
 *
 * @param upper, lower R, G, B bytes of the rows. Four bytes beyond each row are read.
 * @param width pixels of the result, a multiple of 8.
 * @param out, plane, mean, scale as in {@link blendRows}.
 */
export function halveRows(
  upper: usize,
  lower: usize,
  width: usize,
  out: usize,
  plane: usize,
  mean: f32,
  scale: f32,
): void {
  const means = f32x4.splat(mean);
  const scales = f32x4.splat(scale);
  for (const end = out + (width << 2); out < end; out += 32) {
    const p01 = twoMeans(upper, lower);
    const p23 = twoMeans(upper + 12, lower + 12);
    const p45 = twoMeans(upper + 24, lower + 24);
    const p67 = twoMeans(upper + 36, lower + 36);
    // Four vectors with two pixels each of R, G, B and zero become eight of each channel.
    const rg0123 = v128.shuffle<i32>(p01, p23, 0, 4, 1, 5);
    const rg4567 = v128.shuffle<i32>(p45, p67, 0, 4, 1, 5);
    const b0123 = v128.shuffle<i32>(p01, p23, 2, 6, 3, 7);
    const b4567 = v128.shuffle<i32>(p45, p67, 2, 6, 3, 7);
    storeShorts(out, v128.shuffle<i64>(rg0123, rg4567, 0, 2), means, scales);
    storeShorts(out + plane, v128.shuffle<i64>(rg0123, rg4567, 1, 3), means, scales);
    storeShorts(out + (plane << 1), v128.shuffle<i64>(b0123, b4567, 0, 2), means, scales);
    upper += 48;
    lower += 48;
  }
}

/** Means of two squares of four pixels, side by side: lanes of 16 bits, R R G G B B 0 0. */
function twoMeans(upper: usize, lower: usize): v128 {
  const sums = i16x8.add(neighbourSums(upper), neighbourSums(lower));
  return i16x8.shr_u(i16x8.add(sums, i16x8.splat(2)), 2);
}

function neighbourSums(source: usize): v128 {
  // Indices from 16 on select zero.
  const order = i8x16(0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11, 16, 16, 16, 16);
  return i16x8.extadd_pairwise_i8x16_u(i8x16.swizzle(v128.load(source), order));
}

/** Stores eight levels of 16 bits; see {@link storeLevels}. */
function storeShorts(to: usize, levels: v128, means: v128, scales: v128): void {
  const first = f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(levels));
  const second = f32x4.convert_i32x4_u(i32x4.extend_high_i16x8_u(levels));
  storeLevels(to, first, second, means, scales);
}

/** Normalises and stores eight levels, given as two vectors of four. */
function storeLevels(to: usize, first: v128, second: v128, means: v128, scales: v128): void {
  v128.store(to, f32x4.mul(f32x4.sub(first, means), scales));
  v128.store(to + 16, f32x4.mul(f32x4.sub(second, means), scales));
}

/** Rounds away the last two bits. */
function level(sum: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.shr_s(i32x4.add(sum, i32x4.splat(2)), 2));
}
