import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/shared.ts';

/** Every document of the repository that people read, by its path. */
export const DOCUMENTS: readonly string[] = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `docs/${name}`),
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  'bench/peers/README.md',
  'clients/typescript/README.md',
  'clients/python/README.md',
  'models/synthetic/README.md',
];

export const readDocument = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** A fenced block of code. */
export interface CodeBlock {
  /** The path of the document and the line of the opening fence, as editors understand it. */
  place: string;
  /** The nearest heading above it. */
  heading: string;
  language: string;
  /** Why its commands cannot run in a test: what follows "not run:" after the language. */
  notRun: string | undefined;
  text: string;
}

export function codeBlocks(path: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let heading = '';
  let open: CodeBlock | undefined;
  for (const [index, line] of readDocument(path).split('\n').entries()) {
    const fence = /^```(\w*) *(.*)$/.exec(line);
    if (open) {
      if (line === '```') open = undefined;
      else open.text += `${line}\n`;
    } else if (fence) {
      const [, language = '', note = ''] = fence;
      const notRun = /^not run: (.+)$/.exec(note)?.[1];
      open = { place: `${path}:${index + 1}`, heading, language, notRun, text: '' };
      blocks.push(open);
    } else if (line.startsWith('#')) {
      heading = line;
    }
  }
  return blocks;
}

/** The text without its fenced blocks. */
export function proseOf(path: string): string {
  return readDocument(path).replace(/^```[\s\S]*?^```$/gm, '');
}

/** Everything that is set as code: the spans in the prose and the blocks of commands. */
export function codeOf(path: string): string[] {
  const spans = [...proseOf(path).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code as string);
  const commands = codeBlocks(path).filter(({ language }) => language === 'sh');
  return [...spans, ...commands.map(({ text }) => text)];
}

/** The anchors that GitHub gives to the headings of a document. */
export function anchorsOf(path: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, title = ''] of proseOf(path).matchAll(/^#{1,6} (.+)$/gm)) {
    const slug = title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}
