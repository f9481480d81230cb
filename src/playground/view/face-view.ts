import type { Face, Liveness, Quality } from '../answers.ts';
import type { Answer, Failure } from '../calls.ts';
import { type Child, make, makeSvg } from './dom.ts';
import { digits, firstNumbers, milliseconds, qualityWord } from './words.ts';

/* What the service says about a face, an error and its time. */

/** Draws boxes and landmarks into an element that lies over the picture. */
export function drawFaces(overlay: Element, faces: Face[], image: { width: number; height: number }): void {
  overlay.setAttribute('viewBox', `0 0 ${image.width} ${image.height}`);
  overlay.replaceChildren(
    ...faces.flatMap(({ bbox: { x, y, width, height }, landmarks, embedding }) => [
      makeSvg('rect', {
        x,
        y,
        width,
        height,
        rx: width / 20,
        class: embedding === undefined ? 'refused' : false,
      }),
      ...landmarks.map(([cx, cy]) =>
        makeSvg('circle', { cx, cy, r: Math.max(width / 40, image.width / 300) }),
      ),
    ]),
  );
}

/** One line: what a screen reader says, and the title of a face in a list. */
export function faceWords({ quality, low_quality, liveness_failed }: Face): string {
  if (low_quality) return `refused: ${low_quality.join(', ')}`;
  if (liveness_failed !== undefined) return `not live: ${liveness_failed}`;
  if (quality?.score === undefined) return 'embedded';
  return `quality ${qualityWord(quality.score).word.toLowerCase()}, ${digits(quality.score, 2)}`;
}

export function faceView(face: Face, { brief = false } = {}): HTMLElement {
  const { quality, liveness, face_image, embedding, reasons, low_quality, liveness_failed } = face;
  return make(
    'div',
    { class: 'face' },
    make(
      'div',
      { class: 'row face-head' },
      face_image !== undefined &&
        make('img', {
          src: face_image,
          alt: 'The aligned face, as the recogniser sees it',
          width: 84,
          height: 84,
        }),
      make(
        'div',
        {},
        quality?.score !== undefined && scoreView(quality.score),
        low_quality && reasonsView(low_quality.join(', '), reasons),
        liveness_failed !== undefined && make('p', { class: 'bad' }, `Not live: ${liveness_failed}`),
        liveness && make('p', {}, livenessWords(liveness)),
      ),
    ),
    !brief && quality && qualityView(quality, face.detection_score),
    !brief && embedding !== undefined && embeddingView(embedding),
  );
}

function scoreView(score: number): HTMLElement {
  const { word, level, meaning } = qualityWord(score);
  return make(
    'div',
    { class: 'score' },
    make(
      'p',
      {},
      make('b', { class: level }, word),
      ` ${digits(score, 3)} `,
      make('span', { class: 'small' }, meaning),
    ),
    make('meter', { value: score, min: 0, max: 1, low: 0.5, high: 0.8, optimum: 1, 'aria-label': 'Quality' }),
  );
}

function reasonsView(words: string, codes: string[] = []): HTMLElement {
  return make(
    'div',
    {},
    make('p', { class: 'bad' }, words),
    make('p', { class: 'codes' }, ...codes.map((code) => make('code', {}, code))),
  );
}

function livenessWords({ score, live, reason }: Liveness): string {
  if (score === null)
    return `Liveness: cannot be judged (${(reason ?? '').replaceAll('_', ' ').toLowerCase()})`;
  const verdict = live === null ? 'no threshold' : live ? 'looks live' : 'does not look live';
  return `Liveness: ${digits(score, 3)}, ${verdict}`;
}

function qualityView(quality: Quality, detectionScore?: number): HTMLElement {
  const { pose } = quality;
  const members: [string, string][] = [
    ['Brightness', digits(quality.brightness, 2)],
    ['Contrast', digits(quality.contrast, 2)],
    ['Sharpness', digits(quality.sharpness, 2)],
    ['Size', `${digits(quality.size, 0)} px`],
    ['Margin', digits(quality.margin, 2)],
  ];
  if (detectionScore !== undefined) members.push(['Detection', digits(detectionScore, 2)]);
  if (quality.embedding_norm !== undefined) members.push(['Norm', digits(quality.embedding_norm, 1)]);
  members.push([
    'Roll, yaw, pitch',
    [pose.roll, pose.yaw, pose.pitch].map((angle) => `${digits(angle, 0)}°`).join(' '),
  ]);
  return make(
    'dl',
    { class: 'members' },
    ...members.map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, value))),
  );
}

function embeddingView(embedding: string): HTMLElement {
  const first = firstNumbers(embedding, 4).map((value) => value.toFixed(3));
  return make('p', { class: 'small one-line' }, `Embedding: ${first.join(', ')}, …`);
}

/** An error in words: what, what exactly, what to do. */
export function failureView({ code, message, body, action }: Failure, ...more: Child[]): HTMLElement {
  const { reasons, request_id } = body;
  // How a program sends a key helps nobody here.
  const detail = code === 'UNAUTHORIZED' ? undefined : body.detail;
  const quality = (body as { quality?: Quality }).quality;
  return make(
    'div',
    { class: 'failure' },
    make('p', {}, make('b', {}, message), ' ', make('code', {}, code)),
    detail !== undefined && (reasons ? reasonsView(detail, reasons) : make('p', { class: 'bad' }, detail)),
    quality?.score !== undefined && scoreView(quality.score),
    make('p', {}, action),
    quality && qualityView(quality),
    request_id !== undefined && make('p', { class: 'small' }, 'Request ', make('code', {}, request_id)),
    ...more,
  );
}

/** Where the time went: the service's stages, and the way there and back. */
export function timeView({ stages, total }: Pick<Answer<unknown>, 'stages' | 'total'>): HTMLElement {
  const sum = stages.reduce((ms, [, stage]) => ms + stage, 0);
  const all: [string, number][] = [...stages, ['transfer and waiting', Math.max(0, total - sum)]];
  const bar = make('div', { class: 'time-bar', 'aria-hidden': 'true' });
  for (const [, ms] of all) {
    const part = make('span');
    part.style.flexGrow = String(ms);
    bar.append(part);
  }
  return make(
    'div',
    { class: 'time' },
    bar,
    make(
      'ul',
      { class: 'small', 'aria-label': 'Time by stage' },
      ...all.map(([stage, ms]) => make('li', {}, `${stage} ${milliseconds(ms)}`)),
      make('li', {}, make('b', {}, `in all ${milliseconds(total)}`)),
    ),
  );
}
