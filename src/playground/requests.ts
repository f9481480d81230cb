import type { Sent } from './calls.ts';
import { type Language, shortened, snippet } from './snippets.ts';
import { announce, byId, make } from './view/dom.ts';

/* The last request of each kind, as code to copy. */

type Kind = 'embed' | 'compare';

const last: Partial<Record<Kind, Sent>> = {};

const chosen = (name: string): string =>
  document.querySelector<HTMLInputElement>(`input[name=${name}]:checked`)?.value ?? '';

export function showRequest(kind: Kind, sent: Sent): void {
  last[kind] = sent;
  byId('request').hidden = false;
  const choice = document.querySelector<HTMLInputElement>(`input[name=which][value=${kind}]`);
  if (choice) choice.disabled = false;
  render();
}

function code(): string {
  const sent = last[chosen('which') as Kind];
  return sent ? snippet(sent, chosen('language') as Language) : '';
}

function render(): void {
  const sent = last[chosen('which') as Kind];
  const whole = code();
  const short = shortened(whole);
  byId('code').textContent = short;
  byId('request-about').textContent =
    sent?.file !== undefined
      ? `The last photograph, as it was sent: ${sent.file}.`
      : short === whole
        ? 'The last comparison, as it was sent.'
        : 'The last comparison, as it was sent. Embeddings are cut here and whole in the copy.';
}

export function setUpRequests(): void {
  byId('request').addEventListener('change', render);
  byId('copy').addEventListener('click', async () => {
    const done = await copy(code());
    byId('copy').textContent = done ? 'Copied' : 'Cannot copy';
    announce(done ? 'The code was copied.' : 'This browser does not let the page copy.');
    setTimeout(() => {
      byId('copy').textContent = 'Copy';
    }, 2_000);
  });
}

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without HTTPS there is no clipboard, except on localhost.
    const area = make('textarea', { class: 'hidden' });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}
