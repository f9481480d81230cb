import { onModel } from './status.ts';
import { byId } from './view/dom.ts';

/* The options of /v1/embed that the page offers. */

const select = (id: string) => byId<HTMLSelectElement>(id);

/** The query of a request. */
export function embedQuery(): Record<string, string> {
  const minimum = select('min-quality').value;
  return {
    faces: select('faces').value,
    encoding_format: 'base64',
    return_face: 'true',
    ...(minimum && { min_quality: minimum }),
    ...(!byId('liveness-option').hidden && { liveness: select('liveness').value }),
  };
}

export function setUpOptions(onChange: () => void): void {
  for (const id of ['faces', 'min-quality', 'liveness']) select(id).addEventListener('change', onChange);
  onModel.push(({ liveness }) => {
    const option = byId('liveness-option');
    if (liveness === undefined || !option.hidden) return;
    option.hidden = false;
    // A report costs little and is what one comes to see.
    select('liveness').value = liveness.default === 'off' ? 'report' : liveness.default;
    for (const choice of select('liveness').options) {
      choice.disabled = choice.value === 'require' && liveness.threshold === undefined;
    }
  });
}
