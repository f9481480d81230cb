import type { CompareAnswer, Match, MeasuredThreshold } from './answers.ts';
import { canRepeat, Failure, inTurn, postPatiently, type Sent } from './calls.ts';
import { type Comparable, comparable, onPictures, someWaiting } from './pictures.ts';
import { showRequest } from './requests.ts';
import { onModel, theModel, watchStatus } from './status.ts';
import { announce, button, byId, make, showText } from './view/dom.ts';
import { digits, farWords, percent } from './view/words.ts';

/* Two or more faces compared by their embeddings: the photographs are not sent again. */

/** docs/THRESHOLDS.md: a starting point and no more. */
const UNMEASURED = 0.7;

const slider = () => byId<HTMLInputElement>('threshold');
const query = () => byId<HTMLSelectElement>('query');
const threshold = () => Number(slider().value);

/** The answer that is shown, and the embeddings that it is about. */
let shown: { faces: Comparable[]; asked: string; answer: CompareAnswer } | undefined;
let abort = new AbortController();
let touched = false;

export function setUpCompare(): void {
  setThreshold(UNMEASURED);
  onModel.push(({ thresholds }) => startFrom(thresholds));
  onPictures.push(refresh);
  query().addEventListener('change', () => void compare());
  slider().addEventListener('input', () => {
    touched = true;
    setThreshold(threshold());
    render();
  });
  // When it is let go: what the page shows is then what the service says.
  slider().addEventListener('change', () => void compare());
}

function setThreshold(value: number): void {
  slider().value = String(value);
  byId('threshold-value').textContent = digits(threshold(), 3);
}

/** Begins at the threshold of the pack; each that was measured is a button. */
function startFrom(thresholds: MeasuredThreshold[]): void {
  const cosine = thresholds.filter(({ metric }) => metric === 'cosine');
  const [first] = [...cosine].sort(
    (a, b) => Math.abs(Math.log(a.far / 0.001)) - Math.abs(Math.log(b.far / 0.001)),
  );
  if (first && !touched) setThreshold(first.threshold);
  byId('threshold-source').textContent = first
    ? first.provisional
      ? `Provisional figures, of other photographs than yours: ${first.source.replace(/^provisional: /, '')}`
      : `Measured: ${first.source}`
    : `Nothing was measured with this pack. ${UNMEASURED} is a starting point and no more: measure one with your own photographs.`;
  byId('measured').replaceChildren(
    ...cosine.map(({ far, tar, threshold: value }) =>
      button(
        `${digits(value, 3)} – accepts ${percent(far)} of strangers, ${digits(100 * tar, 1)} % of the same person`,
        () => {
          touched = true;
          setThreshold(value);
          void compare();
        },
      ),
    ),
  );
}

function refresh(): void {
  const faces = comparable();
  byId('compare').hidden = faces.length < 2;
  if (faces.length < 2) {
    abort.abort();
    shown = undefined;
    query().replaceChildren();
    return;
  }
  const before = query().value;
  query().replaceChildren(...faces.map(({ id, label }) => make('option', { value: id }, `${id} · ${label}`)));
  query().value = faces.some(({ id }) => id === before) ? before : (faces[0] as Comparable).id;
  const isShown =
    shown?.faces.length === faces.length &&
    faces.every(({ face }, index) => face === shown?.faces[index]?.face);
  if (!isShown && !someWaiting()) void compare();
}

async function compare(): Promise<void> {
  const faces = comparable();
  const asked = faces.find(({ id }) => id === query().value);
  if (asked === undefined || faces.length < 2) return;
  abort.abort();
  abort = new AbortController();
  const { signal } = abort;
  const trouble = byId('compare-trouble');
  await inTurn(async () => {
    if (signal.aborted) return;
    try {
      const sent = compareRequest(asked, faces);
      const { body } = await postPatiently<CompareAnswer>(sent, signal, (seconds) =>
        showText(trouble, `The service asks to wait: the next try is in ${Math.ceil(seconds)} s.`),
      );
      showText(trouble, '');
      showRequest('compare', sent);
      shown = { faces, asked: asked.id, answer: body };
      render();
      announce(
        body.matches
          .map(
            (match) =>
              `${asked.id} and ${match.id}: ${verdict(match)}, distance ${digits(match.distance, 3)}`,
          )
          .join('; '),
      );
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Failure)) throw error;
      shown = undefined;
      byId('matches').replaceChildren();
      byId('dots').replaceChildren();
      showText(
        trouble,
        [error.message, error.code, error.body.detail, error.action].filter(Boolean).join(' – '),
      );
      if (canRepeat(error))
        trouble.append(
          ' ',
          button('Try again', () => void compare()),
        );
      if (error.retryable) void watchStatus();
    }
  });
}

function compareRequest(asked: Comparable, faces: Comparable[]): Sent {
  const provisional = theModel()?.thresholds.some((entry) => entry.provisional) === true;
  const body = {
    query_embedding: asked.face.embedding,
    embedding_space: asked.space,
    reference_embeddings: faces
      .filter((other) => other !== asked)
      .map(({ id, face: { embedding }, space }) => ({ id, embedding, embedding_space: space })),
    threshold: threshold(),
    ...(provisional && { allow_provisional: true }),
  };
  return { path: 'v1/compare', query: {}, type: 'application/json', body: JSON.stringify(body, null, 2) };
}

const isMatch = ({ distance }: Match) => distance <= threshold();
const verdict = (match: Match) => (isMatch(match) ? 'match' : 'no match');

function render(): void {
  if (shown === undefined) return;
  const { faces, asked, answer } = shown;
  const byLetter = new Map(faces.map((entry) => [entry.id, entry]));
  byId('matches').replaceChildren(
    ...answer.matches.map((match) =>
      make(
        'li',
        { class: isMatch(match) ? 'match yes' : 'match no' },
        make('div', { class: 'pair' }, portrait(byLetter.get(asked)), portrait(byLetter.get(match.id))),
        make(
          'div',
          {},
          make(
            'p',
            {},
            make('b', { class: isMatch(match) ? 'good' : 'poor' }, isMatch(match) ? '✓ Match' : '✕ No match'),
            ` ${asked} and ${match.id}`,
          ),
          make('p', {}, `distance ${digits(match.distance, 3)} · similarity ${digits(match.similarity, 3)}`),
          match.far && make('p', { class: 'small' }, farWords(match)),
        ),
      ),
    ),
  );
  byId('dots').replaceChildren(...answer.matches.map(dot));
}

function portrait(entry: Comparable | undefined): HTMLElement {
  const source = entry?.face.face_image;
  return source === undefined
    ? make('span', { class: 'letter' }, entry?.id ?? '')
    : make('img', { src: source, alt: `Aligned face of ${entry?.id}`, width: 64, height: 64 });
}

/** Where a match lies on the scale of the slider. */
function dot(match: Match): HTMLElement {
  const mark = make('span', { class: isMatch(match) ? 'yes' : 'no' }, match.id);
  mark.style.left = `${(100 * Math.min(match.distance, Number(slider().max))) / Number(slider().max)}%`;
  return mark;
}
