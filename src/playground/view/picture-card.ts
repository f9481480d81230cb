import { type EmbedAnswer, type Face, facesOf } from '../answers.ts';
import { type Answer, canRepeat, type Failure } from '../calls.ts';
import { type Prepared, sizeWords, turned } from '../prepare.ts';
import { button, type Child, make, makeSvg } from './dom.ts';
import { drawFaces, faceView, faceWords, failureView, timeView } from './face-view.ts';

/* A picture with what the service says about it. */

export type State =
  | { phase: 'waiting'; note: string }
  | { phase: 'done'; answer: Answer<EmbedAnswer> }
  | { phase: 'failed'; failure: Failure };

export interface Picture {
  /** A letter, by which the page calls it. */
  id: string;
  file: Prepared;
  state: State;
  /** Ends what is under way for it. */
  abort: AbortController;
}

export function makeCard(picture: Picture, actions: { remove: () => void; again: () => void }): HTMLElement {
  const { id, file, state } = picture;
  const answer = state.phase === 'done' ? state.answer : undefined;
  return make(
    'li',
    { class: 'card', 'data-phase': state.phase },
    pictureView(picture, answer?.body),
    make(
      'div',
      { class: 'card-head' },
      make('span', { class: 'letter' }, id),
      make(
        'div',
        {},
        make('h3', { title: file.name }, file.name),
        make('p', { class: 'small' }, sizeWords(file, answer?.body.image)),
      ),
      file.made === true &&
        button('Save', () => save(file.blob, file.name), {
          class: 'quiet',
          'aria-label': `Save ${file.name}`,
        }),
      button('×', actions.remove, { class: 'quiet', 'aria-label': `Remove ${id}, ${file.name}` }),
    ),
    make(
      'div',
      { class: 'card-body' },
      file.note !== '' && make('p', { class: 'notice' }, file.note),
      ...(answer
        ? answerViews(answer)
        : state.phase === 'failed'
          ? [failureView(state.failure, canRepeat(state.failure) && button('Try again', actions.again))]
          : [make('p', { class: 'waiting' }, state.phase === 'waiting' ? state.note : '')]),
    ),
  );
}

function pictureView({ id, file }: Picture, answer: EmbedAnswer | undefined): HTMLElement {
  const frame = make('div', { class: file.preview ? 'frame' : 'frame empty' });
  const viewer = make('div', { class: 'viewer' });
  const rotation = answer?.rotation ?? 0;
  const preview = file.preview && rotation !== 0 ? turned(file.preview, rotation) : file.preview;
  if (preview) {
    preview.setAttribute('role', 'img');
    preview.setAttribute('aria-label', `Picture ${id}`);
    viewer.append(preview);
  } else {
    viewer.append(make('p', { class: 'no-preview' }, 'This browser cannot show this file.'));
  }
  if (preview && answer) {
    const overlay = makeSvg('svg', { 'aria-hidden': 'true' });
    drawFaces(overlay, facesOf(answer), answer.image);
    viewer.append(overlay);
  }
  frame.append(viewer);
  if (rotation !== 0) frame.append(make('span', { class: 'turned' }, `turned by ${rotation}°`));
  return frame;
}

function answerViews(answer: Answer<EmbedAnswer>): Child[] {
  const faces = facesOf(answer.body);
  const { faces_omitted } = answer.body;
  const views: Child[] =
    faces.length === 1
      ? faces.map((face) => faceView(face))
      : [
          make('p', {}, faces.length === 0 ? 'No face was found.' : `${faces.length} faces were found.`),
          ...faces.map((face, index) =>
            make(
              'details',
              {},
              make('summary', {}, thumbnail(face), `Face ${index + 1}: ${faceWords(face)}`),
              faceView(face),
            ),
          ),
        ];
  if (faces_omitted)
    views.push(make('p', { class: 'small' }, `${faces_omitted} more faces are not embedded.`));
  return [...views, timeView(answer)];
}

const thumbnail = ({ face_image }: Face) =>
  face_image !== undefined && make('img', { src: face_image, alt: '', width: 32, height: 32 });

/** Gives a picture that the page has made to the disk, so that the code that sends it finds it. */
function save(blob: Blob, name: string): void {
  const href = URL.createObjectURL(blob);
  make('a', { href, download: name }).click();
  // The browser reads it after the click.
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}
