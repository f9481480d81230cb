type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Parses the text of an .npmrc file: lines of `key = value`, comments after `;` or `#` at the start of a line, values in quotes,
 * `${VARIABLE}` of the environment in keys and values. Lists (`key[] = …`) and sections, which npm does not use for a registry,
 * are left out.
 * Source: npm's documentation, npmrc(5); npm/ini; @npmcli/config, lib/env-replace.js.
 */
export function parseNpmrc(text: string, environment: Environment): Map<string, string> {
  const config = new Map<string, string>();
  for (const line of text.replace(/^\uFEFF/, '').split(/\r?\n|\r/)) {
    const trimmed = line.trim();
    if (trimmed === '' || /^[;#]/.test(trimmed)) continue;
    if (trimmed.startsWith('[')) break;
    const equals = trimmed.indexOf('=');
    const [key, value] =
      equals < 0
        ? [trimmed, 'true']
        : [trimmed.slice(0, equals).trim(), unquote(trimmed.slice(equals + 1).trim())];
    if (key.endsWith('[]')) continue;
    config.set(expand(unquote(key), environment), expand(value, environment));
  }
  return config;
}

function unquote(text: string): string {
  if (/^'.*'$/.test(text)) return text.slice(1, -1);
  if (/^".*"$/.test(text)) {
    try {
      return String(JSON.parse(text));
    } catch {
      return text;
    }
  }
  // An unescaped comment character ends a value.
  return text
    .replace(/(?<!\\)[;#].*$/, '')
    .replaceAll(/\\([;#\\])/g, '$1')
    .trim();
}

/** A variable that is not set stays as it is written, unless a question mark follows its name: `${VARIABLE?}`. */
function expand(text: string, environment: Environment): string {
  return text.replace(/(?<!\\)(\\*)\$\{([^${}?]+)(\??)\}/g, (whole, _escapes, name, optional) => {
    const value = environment[name];
    return value ?? (optional ? '' : whole);
  });
}
