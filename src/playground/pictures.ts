import { type EmbedAnswer, type Face, facesOf } from './answers.ts';
import { Failure, inTurn, postPatiently, type Sent } from './calls.ts';
import { embedQuery } from './options.ts';
import { type Prepared, prepare, type Source, Unsendable } from './prepare.ts';
import { showRequest } from './requests.ts';
import { theModel, watchStatus } from './status.ts';
import { announce, byId, showText } from './view/dom.ts';
import { faceWords } from './view/face-view.ts';
import { makeCard, type Picture, type State } from './view/picture-card.ts';

/* The photographs in the page. They are in the memory of the tab, and gone with it. */

/** So that the memory of the page has a bound. */
const MOST = 8;
const LETTERS = 'ABCDEFGH';

const pictures: Picture[] = [];

/** Called when a picture has come, gone or changed. */
export const onPictures: (() => void)[] = [];

export interface Comparable {
  id: string;
  /** The name of the file, and which of its faces. */
  label: string;
  face: Face & { embedding: string };
  space: string;
}

/** Those with an embedding: of a list of faces, the first one has it. */
export function comparable(): Comparable[] {
  return pictures.flatMap(({ id, file, state }) => {
    if (state.phase !== 'done') return [];
    const faces = facesOf(state.answer.body);
    const face = faces.find(({ embedding }) => embedding !== undefined);
    const space = state.answer.body.model.embedding_space;
    if (face === undefined) return [];
    const label = faces.length > 1 ? `${file.name}, face ${faces.indexOf(face) + 1}` : file.name;
    return [{ id, label, face: face as Comparable['face'], space }];
  });
}

/** Whether any is still on its way. */
export const someWaiting = (): boolean => pictures.some(({ state }) => state.phase === 'waiting');

const trouble = (text: string) => showText(byId('trouble'), text);

let adding: Promise<void> = Promise.resolve();

/** After those that were added before: what is dropped meanwhile finds the room that they leave. */
export function addPictures(sources: Source[]): Promise<void> {
  const added = adding.then(() => addNow(sources));
  adding = added.catch(() => {});
  return added;
}

async function addNow(sources: Source[]): Promise<void> {
  trouble('');
  const sentences: string[] = [];
  const say = (sentence: string) => {
    sentences.push(sentence);
    trouble(sentences.join(' '));
  };
  const room = MOST - pictures.length;
  if (sources.length > room) {
    say(
      `The page holds ${MOST} pictures, so it took ${Math.max(0, room)} of these. Remove one to add another.`,
    );
  }
  // One after the other: decoding a large photograph takes a lot of memory.
  for (const source of sources.slice(0, Math.max(0, room))) {
    try {
      add(await prepare(source, theModel()?.limits));
    } catch (error) {
      if (!(error instanceof Unsendable)) throw error;
      say(`${source.name}: ${error.message}`);
    }
  }
}

function add(file: Prepared): void {
  const taken = new Set(pictures.map(({ id }) => id));
  const id = [...LETTERS].find((letter) => !taken.has(letter));
  if (id === undefined) return;
  const picture: Picture = { id, file, state: { phase: 'waiting', note: '' }, abort: new AbortController() };
  pictures.push(picture);
  void embed(picture);
}

/** Sends it, now or when those before it have been answered. */
export async function embed(picture: Picture): Promise<void> {
  picture.abort.abort();
  picture.abort = new AbortController();
  const { signal } = picture.abort;
  change(picture, { phase: 'waiting', note: 'Waiting for its turn …' });
  await inTurn(async () => {
    if (signal.aborted) return;
    change(picture, { phase: 'waiting', note: 'On its way …' });
    try {
      const answer = await postPatiently<EmbedAnswer>(embedRequest(picture.file), signal, (seconds) => {
        const note = `The service is busy or starting. It asks to wait: the next try is in ${Math.ceil(seconds)} s.`;
        change(picture, { phase: 'waiting', note });
      });
      if (signal.aborted) return;
      showRequest('embed', answer.sent);
      change(picture, { phase: 'done', answer });
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Failure)) throw error;
      showRequest('embed', embedRequest(picture.file));
      change(picture, { phase: 'failed', failure: error });
      if (error.retryable) void watchStatus();
    }
  });
}

function embedRequest({ blob, name }: Source): Sent {
  // The service looks at the bytes; a type that is none of an image would only be refused with other words.
  const type = /^image\/[\w.+-]+$/.test(blob.type) ? blob.type : 'application/octet-stream';
  return { path: 'v1/embed', query: embedQuery(), type, body: blob, file: name };
}

function change(picture: Picture, state: State): void {
  picture.state = state;
  render();
  if (state.phase === 'done') {
    const faces = facesOf(state.answer.body);
    const words = faces.length === 1 ? faceWords(faces[0] as Face) : `${faces.length} faces`;
    announce(`${picture.id}, ${picture.file.name}: ${words}`);
  }
  if (state.phase === 'failed') announce(`${picture.id}, ${picture.file.name}: ${state.failure.message}`);
}

function remove(picture: Picture): void {
  picture.abort.abort();
  pictures.splice(pictures.indexOf(picture), 1);
  trouble('');
  render();
  byId('choose').focus();
}

export function removeAll(): void {
  for (const picture of [...pictures]) remove(picture);
}

/** Sends all again, as after a change of the options; or only those that failed for want of a key. */
export function embedAgain({ onlyUnauthorised = false } = {}): void {
  for (const picture of pictures) {
    const { state } = picture;
    const lacksKey = state.phase === 'failed' && state.failure.code === 'UNAUTHORIZED';
    if (lacksKey || !onlyUnauthorised) void embed(picture);
  }
}

const cards = new Map<Picture, { state: State; card: HTMLElement }>();

/** Makes the cards of pictures that have changed. */
function render(): void {
  for (const known of [...cards.keys()]) if (!pictures.includes(known)) cards.delete(known);
  const all = pictures.map((picture) => {
    const known = cards.get(picture);
    if (known?.state === picture.state) return known.card;
    const card = makeCard(picture, { remove: () => remove(picture), again: () => void embed(picture) });
    // What has the focus is made anew too.
    if (known?.card.contains(document.activeElement))
      queueMicrotask(() => card.querySelector('button')?.focus());
    cards.set(picture, { state: picture.state, card });
    return card;
  });
  const list = byId('pictures');
  const unchanged =
    all.length === list.children.length && all.every((card, index) => card === list.children[index]);
  if (!unchanged) list.replaceChildren(...all);
  byId('clear').hidden = pictures.length === 0;
  for (const listener of onPictures) listener();
}
