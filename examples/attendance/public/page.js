const element = (id) => document.getElementById(id);
const say = (text) => element('says').replaceChildren(text);
const video = element('video');
/** Photographs that are not enrolled yet. */
let taken = [];

/** Calls the backend. Tokens stay in the fields of the page. */
async function call(method, path, role, body) {
  const headers = { Authorization: `Bearer ${element(`${role}-token`).value}` };
  const response = await fetch(path, { method, headers, body });
  const answer = response.status === 204 ? {} : await response.json();
  if (response.ok) return answer;
  const wait = response.headers.get('retry-after');
  const text = `${answer.detail ?? answer.error}${wait ? ` Please wait ${wait} seconds.` : ''}`;
  throw Object.assign(new Error(text), { photographs: answer.photographs });
}

/** What the camera shows, as JPEG. */
function photograph() {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  if (!canvas.width) throw new Error('Please start the camera first.');
  canvas.getContext('2d').drawImage(video, 0, 0);
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.92));
}

/** Does one thing at a time, and says what went wrong. */
function onPress(button, action) {
  button.onclick = async () => {
    button.disabled = true;
    await action().catch(({ message }) => say(message));
    button.disabled = false;
  };
}

function fill(list, rows) {
  const items = rows.map((row) => {
    const item = document.createElement('li');
    item.append(...row);
    return item;
  });
  element(list).replaceChildren(...items);
}

function showTaken(reports = []) {
  const rows = taken.map((blob, at) => {
    const image = Object.assign(new Image(), { src: URL.createObjectURL(blob), alt: '', width: 128 });
    const { used, quality, detail, error, reasons = [] } = reports[at] ?? {};
    const score = quality?.score === undefined ? '' : ` quality ${quality.score.toFixed(2)}`;
    const verdict = used ? ', used' : ` ${detail ?? error ?? ''} ${reasons.join(', ')}`;
    return [image, score + verdict];
  });
  fill('photographs', rows);
}

async function showPeople() {
  const people = await call('GET', 'people', 'admin');
  const rows = people.map(({ id, name, faces }) => {
    const button = Object.assign(document.createElement('button'), { textContent: `Delete ${name}` });
    onPress(button, async () => {
      if (!confirm(`Delete ${name} and all that is stored?`)) return;
      await call('DELETE', `people/${id}`, 'admin');
      await showPeople();
    });
    return [`${name}, ${faces} faces stored `, button];
  });
  fill('people', rows);
}

onPress(element('start'), async () => {
  video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { width: 1280 } });
  say('The camera is on.');
});
onPress(element('recognise'), async () => {
  const { recognised, person } = await call('POST', 'door', 'door', await photograph());
  say(recognised ? `Welcome, ${person.name}.` : 'You are not recognised.');
});
onPress(element('photograph'), async () => {
  taken = [...taken, await photograph()].slice(-5);
  showTaken();
});
onPress(element('enrol'), async () => {
  const form = new FormData();
  for (const id of ['name', 'recorded_by', 'consent']) form.append(id, element(id).value);
  for (const blob of taken) form.append('photograph', blob, 'photograph.jpg');
  const { photographs, message } = await call('POST', 'people', 'admin', form).catch((error) => error);
  say(message ?? 'Enrolled.');
  showTaken(photographs);
  // After a refusal, those that can be used stay.
  taken = message ? taken.filter((_, at) => photographs?.[at]?.used !== false) : [];
});
onPress(element('show'), showPeople);
