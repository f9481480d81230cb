import { subject } from '../pictures/ordinary.ts';
import type { Client, Received, SentRequest } from './client.ts';

/** Sides of ordinary photographs, up to MAX_IMAGE_PIXELS. */
const SIDES = [160, 640, 1_600, 3_500, 7_000];

export const embedRequest = (body: Uint8Array, contentType = 'application/octet-stream'): SentRequest => ({
  path: '/v1/embed?faces=all&encoding_format=base64',
  headers: { 'Content-Type': contentType },
  body,
});

/** How long an ordinary photograph takes alone, by its number of pixels: a JPEG, which is what cameras write. */
export class UsualTimes {
  readonly #measured: { pixels: number; ms: number }[];

  private constructor(measured: { pixels: number; ms: number }[]) {
    this.#measured = measured;
  }

  static async measure(client: Client): Promise<UsualTimes> {
    const measured: { pixels: number; ms: number }[] = [];
    for (const side of SIDES) {
      const photograph = await subject(side, side).jpeg({ quality: 75 }).toBuffer();
      measured.push({ pixels: side * side, ms: await fastest(client, embedRequest(photograph), 5) });
    }
    return new UsualTimes(measured);
  }

  /** Between two measured sizes, in proportion. */
  of(pixels: number): number {
    const after = this.#measured.findIndex((one) => one.pixels >= pixels);
    const [first, last] = [this.#measured[0], this.#measured.at(-1)] as [{ ms: number }, { ms: number }];
    if (after === 0) return first.ms;
    if (after === -1) return last.ms;
    const [low, high] = this.#measured.slice(after - 1, after + 1) as [
      { pixels: number; ms: number },
      { pixels: number; ms: number },
    ];
    return low.ms + ((pixels - low.pixels) / (high.pixels - low.pixels)) * (high.ms - low.ms);
  }

  get figures(): Record<string, number> {
    return Object.fromEntries(
      this.#measured.map(({ pixels, ms }) => [`${(pixels / 1e6).toFixed(2)} Mpx`, Math.round(ms)]),
    );
  }
}

/** The shortest of several times, alone: what is not the request's own is left out as far as possible. */
export async function fastest(client: Client, request: SentRequest, times: number): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let left = times; left > 0; left--) best = Math.min(best, msOfOneFace(await client.send(request)));
  return best;
}

/** The stages whose work is that of the faces, of which MAX_FACES are embedded. */
const STAGES_OF_FACES = ['align', 'quality', 'recognise'];

/**
 * How long the answer would have taken with one face. A small changed picture may show a hundred of them, and takes as long as
 * an ordinary picture of a hundred.
 */
export function msOfOneFace({ ms, status, headers, body }: Received): number {
  if (status !== 200) return ms;
  const faces = JSON.parse(body.toString()).faces?.length ?? 1;
  const timing = String(headers['server-timing'] ?? '');
  const ofFaces = STAGES_OF_FACES.map((stage) =>
    Number(new RegExp(`${stage};dur=([0-9.]+)`).exec(timing)?.[1] ?? 0),
  );
  const sum = ofFaces.reduce((total, one) => total + one, 0);
  return faces > 1 ? ms - (sum * (faces - 1)) / faces : ms;
}
