import { expect } from 'vitest';

/** Members whose text is the same for every pack and every picture. */
const EXACT = new Set(['id', 'error', 'error_code', 'status', 'distance_metric', 'backend']);

/**
 * Compares an answer as a document shows it with one that the service gave: every member that is shown exists and has the
 * shown type. Texts with `…` stand for what is left out.
 */
export function expectSameShape(shown: unknown, actual: unknown, place = 'answer', name = ''): void {
  if (isPlaceholder(shown)) return;
  if (Array.isArray(shown)) {
    expect(Array.isArray(actual), `${place} is a list`).toBe(true);
    const list = actual as unknown[];
    if (!shown.some(isPlaceholder)) expect(list.length, `entries of ${place}`).toBe(shown.length);
    for (const [index, item] of shown.entries()) {
      if (!isPlaceholder(item)) expectSameShape(item, list[index], `${place}[${index}]`);
    }
  } else if (typeof shown === 'object' && shown !== null) {
    for (const [key, value] of Object.entries(shown)) {
      if (key === '…') continue;
      expect(actual, place).toHaveProperty([key]);
      expectSameShape(value, (actual as Record<string, unknown>)[key], `${place}.${key}`, key);
    }
  } else {
    expect(typeof actual, place).toBe(typeof shown);
    if (EXACT.has(name)) expect(actual, place).toBe(shown);
  }
}

const isPlaceholder = (shown: unknown) => typeof shown === 'string' && shown.includes('…');
