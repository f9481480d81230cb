import type { ModelInfo } from './answers.ts';
import { apiKey, Failure, get, onKeyWanted, page } from './calls.ts';
import { byId, make, showText, sleep } from './view/dom.ts';
import { COMMERCIAL_USE, percent } from './view/words.ts';

/* What the service is, whether it is ready, and its key. */

interface Health {
  status: string;
  model_name?: string;
  detail?: string;
  error_code?: string;
}

const POLL_MS = 2_000;

/** Called with the model whenever it was read. */
export const onModel: ((model: ModelInfo) => void)[] = [];

let current: ModelInfo | undefined;

/** Undefined until it was read: while the service starts, or wants a key. */
export const theModel = (): ModelInfo | undefined => current;

let watching: Promise<void> | undefined;

/** Asks until the service is ready; not again afterwards. */
export function watchStatus(): Promise<void> {
  watching ??= untilReady().finally(() => {
    watching = undefined;
  });
  return watching;
}

async function untilReady(): Promise<void> {
  for (;;) {
    const health = await readHealth();
    showHealth(health);
    if (health.status === 'healthy') return readModel();
    await sleep(POLL_MS);
  }
}

async function readHealth(): Promise<Health> {
  try {
    return await get<Health>('v1/health');
  } catch (error) {
    const { body } = error as Failure;
    return { status: 'unreachable', ...body } as Health;
  }
}

const STATES: Record<string, string> = {
  healthy: 'Ready',
  starting: 'Starting',
  draining: 'Shutting down',
  unhealthy: 'Not ready',
  unreachable: 'Not reachable',
};

function showHealth({ status, detail, model_name }: Health): void {
  const state = byId('state');
  const text = [STATES[status] ?? status, status === 'healthy' ? model_name : detail]
    .filter(Boolean)
    .join(' – ');
  // The same words again would be said again.
  if (state.textContent === text) return;
  state.textContent = text;
  state.dataset.state = status;
}

async function readModel(): Promise<void> {
  try {
    current = await get<ModelInfo>('v1/model-info');
  } catch (error) {
    // 401 has shown the field for the key.
    if (!(error instanceof Failure)) throw error;
    return;
  }
  showModel(current);
  for (const listener of onModel) listener(current);
}

function showModel(model: ModelInfo): void {
  const facts: [string, string, string?][] = [
    ['Pack', model.name],
    ['Embedding space', model.embedding_space],
    ['Embedding', `${model.embedding_size} numbers`],
    ['Runs on', model.device],
    ['Commercial use', COMMERCIAL_USE[model.commercial_use], model.licence],
    ['Thresholds', thresholdWords(model)],
    [
      'Quality score',
      model.quality.evidence === 'measured' ? 'a probability' : 'an order of faces, no probability',
    ],
  ];
  if (model.liveness) facts.push(['Liveness', model.liveness.model]);
  byId('facts').replaceChildren(
    ...facts.map(([name, value, title]) =>
      make(
        'div',
        {},
        make('dt', {}, name),
        make('dd', {}, value, title !== undefined && make('span', { class: 'small' }, title)),
      ),
    ),
  );
  byId('facts').hidden = false;
  showText(
    byId('notice'),
    model.synthetic
      ? 'This is the synthetic pack, for integration tests. It recognises nobody: it finds one “face” in the middle of any picture ' +
          'that has some contrast. Equal pictures match, different pictures do not.'
      : '',
  );
}

function thresholdWords({ thresholds }: ModelInfo): string {
  const [first] = thresholds;
  if (first === undefined) return 'none measured';
  const rates = [...new Set(thresholds.map(({ far }) => percent(far)))];
  return `${first.provisional ? 'provisional' : 'measured'}, for a false accept rate of ${rates.join(', ')}`;
}

/** The field for the API key, which opens when the service asks for one. */
export function setUpKey(onChange: () => void): void {
  const panel = byId<HTMLDetailsElement>('key');
  const field = byId<HTMLInputElement>('key-field');
  const show = (words = apiKey.get() === '' ? '' : '– in use') => {
    byId('key-state').textContent = words;
  };
  const change = (key: string) => {
    apiKey.set(key);
    field.value = '';
    show();
    panel.open = false;
    onChange();
  };
  show();
  onKeyWanted.push(() => {
    panel.open = true;
    field.focus();
    show(apiKey.get() === '' ? '– the service asks for one' : '– the service refuses the one in use');
  });
  byId('key-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const key = field.value.trim();
    if (key !== '') change(key);
  });
  byId('key-forget').addEventListener('click', () => change(''));
  byId('version').textContent = `Version ${page.version}`;
}
