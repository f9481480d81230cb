import { setUpCamera } from './camera.ts';
import { setUpCompare } from './compare.ts';
import { setUpOptions } from './options.ts';
import { addPictures, embedAgain, removeAll } from './pictures.ts';
import { setUpRequests } from './requests.ts';
import { samplePictures } from './samples.ts';
import { onModel, setUpKey, theModel, watchStatus } from './status.ts';
import { byId } from './view/dom.ts';

/* Puts the page together. */

const addFiles = (files: Iterable<File>) =>
  void addPictures([...files].map((file) => ({ blob: file, name: file.name })));

setUpKey(() => {
  void watchStatus();
  embedAgain({ onlyUnauthorised: true });
});
setUpOptions(() => embedAgain());
setUpCompare();
setUpRequests();
setUpCamera();

const files = byId<HTMLInputElement>('files');
byId('choose').addEventListener('click', () => files.click());
files.addEventListener('change', () => {
  addFiles(files.files ?? []);
  // So that the same file can be chosen again.
  files.value = '';
});
byId('clear').addEventListener('click', removeAll);

const samples = byId('samples');
samples.addEventListener('click', async () => addPictures(await samplePictures()));
let space = '';
onModel.push(({ synthetic, embedding_space }) => {
  // Embeddings of the model before it cannot be compared with its own.
  if (space !== '' && space !== embedding_space) embedAgain();
  space = embedding_space;
  // Real networks find drawn faces too, and take them all for one person.
  samples.hidden = !synthetic;
  samples.classList.toggle('primary', synthetic);
  byId('choose').classList.toggle('primary', !synthetic);
});

// The whole page takes what is dropped: a photograph that misses would otherwise replace the page.
addEventListener('dragover', (event) => {
  event.preventDefault();
  byId('drop').classList.add('over');
});
addEventListener('dragleave', () => byId('drop').classList.remove('over'));
addEventListener('drop', (event) => {
  event.preventDefault();
  byId('drop').classList.remove('over');
  addFiles(event.dataTransfer?.files ?? []);
});
addEventListener('paste', ({ clipboardData }) => {
  if (clipboardData?.files.length) addFiles(clipboardData.files);
});
document.addEventListener('visibilitychange', () => {
  // It may have been started with another pack meanwhile.
  if (document.visibilityState === 'visible' && theModel() !== undefined) void watchStatus();
});

void watchStatus();
