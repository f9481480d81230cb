import { type EmbedAnswer, facesOf } from './answers.ts';
import { Failure, inTurn, post } from './calls.ts';
import { embedQuery } from './options.ts';
import { addPictures } from './pictures.ts';
import { encode } from './prepare.ts';
import { watchStatus } from './status.ts';
import { announce, byId, make, showText, sleep } from './view/dom.ts';
import { drawFaces, faceView, faceWords, failureView } from './view/face-view.ts';
import { digits, milliseconds } from './view/words.ts';

/* The camera. A frame is taken when the frame before it has been answered: the service sets the pace, and nothing waits. */

const FRAME_SIDE = 640;

let stream: MediaStream | undefined;
let opening = false;
let taken = 0;
/** What was last said, so that it is said once. */
let said = '';

const video = () => byId<HTMLVideoElement>('video');

export function setUpCamera(): void {
  byId('camera-start').addEventListener('click', () => void start());
  byId('camera-stop').addEventListener('click', stop);
  byId('camera-take').addEventListener('click', async () => {
    if (!hasFrame()) return;
    taken += 1;
    await addPictures([{ blob: await frame(), name: `photograph-${taken}.jpg`, made: true }]);
  });
}

async function start(): Promise<void> {
  const trouble = byId('trouble');
  showText(trouble, '');
  if (navigator.mediaDevices === undefined) {
    showText(
      trouble,
      'Browsers open the camera only for pages that come by HTTPS or from localhost. Choose photographs instead.',
    );
    return;
  }
  if (opening) return;
  stop();
  opening = true;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'user' } });
  } catch (error) {
    const refused = (error as DOMException).name === 'NotAllowedError';
    showText(
      trouble,
      refused
        ? 'The camera was not allowed. Allow it in the browser’s address bar, or choose photographs.'
        : 'There is no camera, or another program has it.',
    );
    return;
  } finally {
    opening = false;
  }
  for (const track of stream.getTracks()) track.addEventListener('ended', lost);
  byId('camera').hidden = false;
  byId('camera-take').focus();
  video().srcObject = stream;
  // It ends with an error if the camera is stopped at once.
  await video()
    .play()
    .catch(() => {});
  await watch(stream);
}

function stop(): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = undefined;
  said = '';
  video().srcObject = null;
  const hadFocus = byId('camera').contains(document.activeElement);
  byId('camera').hidden = true;
  byId('camera-result').replaceChildren();
  byId('camera-overlay').replaceChildren();
  if (hadFocus) byId('camera-start').focus();
}

/** Of a camera that was pulled out or is no longer allowed the video shows the last frame for ever. */
function lost(): void {
  stop();
  showText(byId('trouble'), 'The camera has gone, or is no longer allowed.');
}

/** Sends frames as long as the camera runs and the tab is seen. */
async function watch(mine: MediaStream): Promise<void> {
  while (stream === mine) {
    const wait = await inTurn(async () => (stream === mine ? await look(mine) : 0));
    if (wait > 0) await sleep(wait * 1000);
    // A tab that is not seen gets no frames to draw.
    await new Promise(requestAnimationFrame);
  }
}

/** One frame and its answer. @returns how many seconds to wait before the next. */
async function look(mine: MediaStream): Promise<number> {
  if (!hasFrame()) return 0.1;
  try {
    const query = { ...embedQuery(), return_face: 'false' };
    const answer = await post<EmbedAnswer>({
      path: 'v1/embed',
      query,
      type: 'image/jpeg',
      body: await frame(),
    });
    if (stream !== mine) return 0;
    const faces = facesOf(answer.body);
    drawFaces(byId('camera-overlay'), faces, answer.body.image);
    byId('camera-result').replaceChildren(...faces.slice(0, 1).map((face) => faceView(face)));
    pace(answer.total);
    say(faces[0] ? `A face is seen: ${faceWords(faces[0])}` : 'No face is seen.', Boolean(faces[0]));
    return 0;
  } catch (error) {
    if (stream !== mine) return 0;
    if (!(error instanceof Failure)) throw error;
    byId('camera-overlay').replaceChildren();
    byId('camera-result').replaceChildren(failureView(error));
    say(error.message, false);
    byId('camera-pace').textContent =
      error.retryAfter === undefined ? '' : `The service asks to wait ${error.retryAfter} s.`;
    if (error.retryable && error.retryAfter === undefined) void watchStatus();
    // What is wrong with the face changes with the next frame; what is wrong with the request does not.
    if (error.code === 'UNAUTHORIZED') {
      stop();
      showText(byId('trouble'), `${error.message} ${error.action}`);
    }
    return error.retryAfter ?? (error.retryable ? 1 : 0.1);
  }
}

function pace(ms: number): void {
  byId('camera-pace').textContent =
    `Answered in ${milliseconds(ms)}: ${digits(1000 / ms, 1)} frames a second. The next frame is taken when this one is answered.`;
}

/** Says what has changed, not each frame. */
function say(text: string, seen: boolean): void {
  const kind = seen ? 'seen' : text;
  if (kind === said) return;
  said = kind;
  announce(text);
}

const hasFrame = () => video().videoWidth > 0;

async function frame(): Promise<Blob> {
  const { videoWidth, videoHeight } = video();
  const scale = Math.min(1, FRAME_SIDE / Math.max(videoWidth, videoHeight));
  const canvas = make('canvas', {
    width: Math.round(videoWidth * scale),
    height: Math.round(videoHeight * scale),
  });
  canvas.getContext('2d')?.drawImage(video(), 0, 0, canvas.width, canvas.height);
  return encode(canvas, 'image/jpeg', 0.85);
}
