/*
 * The nearest double to a decimal number of up to 19 digits, which is what JSON.parse gives, several times faster. Both functions give
 * NaN where they cannot tell; the caller then leaves the number to V8.
 */

const ZERO = 0x30;

/** Up to here, doubles hold every whole number. */
const MAX_EXACT = 2 ** 53;
/** The powers of ten that doubles hold exactly. */
const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/**
 * @param digits a whole number.
 * @returns digits / 10^scale. With both exact, the division rounds once, to the nearest double (W. D. Clinger, "How to read
 *   floating point numbers accurately", 1990).
 */
export function nearestQuotient(digits: number, scale: number): number {
  const isExact = digits < MAX_EXACT && scale < POWERS_OF_TEN.length;
  return isExact ? digits / (POWERS_OF_TEN[scale] as number) : Number.NaN;
}

/** More digits may not fit into the exact sum of two doubles. */
const MAX_DIGITS = 19;
/** The first digits of a number: fewer than doubles hold exactly, so that they can be multiplied in two halves. */
const FIRST_DIGITS = 1e15;
const HALF = 2 ** 25;
/** Splits a double into two of half its digits (Veltkamp). */
const SPLITTER = 2 ** 27 + 1;
/** Factors whose distance from 1 is more than the relative error of a correction. */
const BELOW = 1 - 2 ** -48;
const ABOVE = 1 + 2 ** -48;

/**
 * The same for more digits than a double holds, such as those of float32 values that were written as doubles. The quotient of two
 * rounded numbers is at most a few steps off. Its remainder, which can be computed exactly (T. J. Dekker, "A floating-point
 * technique for extending the available precision", 1971), corrects it; NaN where the exact quotient is too near to the middle between two
 * doubles to tell which is nearer.
 *
 * @param start of the number in the body, and its end: digits, and perhaps a minus sign and a point, which are skipped.
 * @param scale digits after the point.
 */
export function nearestQuotientOfMany(body: Buffer, start: number, end: number, scale: number): number {
  if (scale >= POWERS_OF_TEN.length) return Number.NaN;
  // The number is first · power + rest.
  let first = 0;
  let rest = 0;
  let power = 1;
  for (let at = start; at < end; at++) {
    const digit = (body[at] as number) - ZERO;
    if (digit < 0) continue;
    if (first < FIRST_DIGITS / 10) {
      first = first * 10 + digit;
    } else {
      rest = rest * 10 + digit;
      power *= 10;
    }
  }
  if (power > 10 ** MAX_DIGITS / FIRST_DIGITS) return Number.NaN;
  const upper = Math.floor(first / HALF) * HALF;
  const lower = (first - upper) * power + rest;
  const dividend = upper * power + lower;
  const dividendError = lower - (dividend - upper * power);

  const divisor = POWERS_OF_TEN[scale] as number;
  const quotient = dividend / divisor;
  const product = quotient * divisor;
  const quotientHigh = SPLITTER * quotient - (SPLITTER * quotient - quotient);
  const quotientLow = quotient - quotientHigh;
  const divisorHigh = SPLITTER * divisor - (SPLITTER * divisor - divisor);
  const divisorLow = divisor - divisorHigh;
  const productError =
    quotientHigh * divisorHigh -
    product +
    quotientHigh * divisorLow +
    quotientLow * divisorHigh +
    quotientLow * divisorLow;
  const correction = (dividend - product - productError + dividendError) / divisor;
  const nearest = quotient + correction * BELOW;
  return nearest === quotient + correction * ABOVE ? nearest : Number.NaN;
}
