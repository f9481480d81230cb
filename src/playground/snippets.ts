import { addressOf, apiKey, type Sent } from './calls.ts';

/* The request that was sent, as code. A key is never shown: the code takes it from the environment. */

export const LANGUAGES = ['curl', 'javascript', 'python'] as const;
export type Language = (typeof LANGUAGES)[number];

export function snippet(sent: Sent, language: Language): string {
  return { curl, javascript, python }[language](sent, addressOf(sent), apiKey.get() !== '');
}

/** The same, short enough to be read: embeddings are cut. It is not to be run. */
export const shortened = (code: string): string =>
  code.replace(/[A-Za-z0-9+/]{80,}={0,2}/g, (text) => `${text.slice(0, 24)}…`);

const shellQuoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

function curl({ type, body, file }: Sent, address: string, keyed: boolean): string {
  return [
    `curl -H ${shellQuoted(`Content-Type: ${type}`)}`,
    ...(keyed ? ['-H "X-API-Key: $API_KEY"'] : []),
    file === undefined ? `-d ${shellQuoted(String(body))}` : `--data-binary ${shellQuoted(`@${file}`)}`,
    shellQuoted(address),
  ].join(' \\\n  ');
}

function javascript({ type, body, file }: Sent, address: string, keyed: boolean): string {
  const key = keyed ? `, 'X-API-Key': process.env.API_KEY` : '';
  return `${file === undefined ? '' : `import { readFile } from 'node:fs/promises';\n\n`}const response = await fetch(${JSON.stringify(address)}, {
  method: 'POST',
  headers: { 'Content-Type': ${JSON.stringify(type)}${key} },
  body: ${file === undefined ? `JSON.stringify(${String(body).replaceAll('\n', '\n  ')})` : `await readFile(${JSON.stringify(file)})`},
});
const answer = await response.json();
if (!response.ok) throw new Error(\`\${answer.error_code}: \${answer.detail ?? answer.error}\`);
console.log(answer);
`;
}

function python({ type, body, file }: Sent, address: string, keyed: boolean): string {
  const key = keyed ? `, "X-API-Key": os.environ["API_KEY"]` : '';
  const data = file === undefined ? `b'''${String(body)}'''` : `open(${JSON.stringify(file)}, "rb").read()`;
  return `import json${keyed ? ', os' : ''}, urllib.error, urllib.request

request = urllib.request.Request(
    ${JSON.stringify(address)},
    data=${data},
    headers={"Content-Type": ${JSON.stringify(type)}${key}},
)
try:
    answer = json.load(urllib.request.urlopen(request))
except urllib.error.HTTPError as error:
    raise SystemExit(error.read().decode())
print(answer)
`;
}
