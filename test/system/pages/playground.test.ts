import { execFile, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { accessibilityProblems, overflow } from '../../support/browser/accessibility.ts';
import { hasChromium } from '../../support/browser/chromium.ts';
import { openTab, screenshot } from '../../support/browser/tab.ts';
import { blobs, blobsPng } from '../../support/pictures.ts';
import { ServiceProcess } from '../../support/processes/service-process.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import {
  answered,
  cards,
  choose,
  compareSamples,
  PHONE,
  useService,
  verdicts,
  watchFlights,
} from './playground-steps.ts';

/** Those whose programs are here. */
const LANGUAGES = [
  'curl',
  'JavaScript',
  ...(spawnSync('python3', ['--version']).status === 0 ? ['Python'] : []),
];

/** The page at `/` before the built service with the synthetic pack, as a newcomer meets it. */
describe.skipIf(!hasChromium)('the page', () => {
  const site = useService();

  it('says what the service is and that it is ready', async () => {
    const { page } = await openTab(site.address);
    await expect.poll(() => page.locator('#state').innerText()).toBe('Ready – synthetic');
    const facts = page.locator('#facts');
    await expect.poll(() => facts.innerText()).toContain('synthetic:');
    expect(await page.locator('#notice').innerText()).toContain('recognises nobody');
    expect(await page.locator('#key').getAttribute('open')).toBeNull();
  });

  it('compares a first pair without photographs, by the keyboard alone', async () => {
    const { page } = await openTab(site.address);
    for (let step = 0; step < 20 && (await focused(page)) !== 'samples'; step++)
      await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await expect.poll(() => verdicts(page)).toEqual(['✓ Match A and B', '✕ No match A and C']);
    expect(await page.locator('.card rect').count()).toBe(3);
    expect(await page.locator('.card circle').count()).toBe(15);
    for (const card of await cards(page).all()) {
      const text = await card.innerText();
      expect(text).toMatch(/Good 0\.\d+/);
      expect(text).toMatch(/decode [\d.]+ ms/);
      expect(text).toMatch(/recognise [\d.]+ ms/);
      expect(await card.locator('img').getAttribute('src')).toMatch(/^data:image\/jpeg;base64,/);
    }
    // What a screen reader says.
    await expect.poll(() => page.locator('#live').textContent()).toContain('A and B: match');
  });

  it('changes the verdict with the threshold, in the page and in the request', async () => {
    const { page } = await openTab(site.address);
    await compareSamples(page);
    const slider = page.getByRole('slider');
    expect(await slider.inputValue()).toBe('0.7');
    const asked = page.waitForRequest((request) => request.url().endsWith('/v1/compare'));
    await slider.focus();
    await page.keyboard.press('Home');
    await expect.poll(() => verdicts(page)).toEqual(['✕ No match A and B', '✕ No match A and C']);
    expect((await asked).postDataJSON()).toMatchObject({ threshold: 0 });
    await page.keyboard.press('End');
    await expect.poll(() => verdicts(page)).toEqual(['✓ Match A and B', '✓ Match A and C']);
  });

  it('says of a file that is no picture what is wrong and what to do', async () => {
    const { page } = await openTab(site.address);
    await choose(page, 'notes.txt', Buffer.from('no picture'));
    await answered(page, 1);
    const text = await cards(page).innerText();
    expect(text).toContain('UNSUPPORTED_FORMAT');
    expect(text).toContain('Supported are');
    expect(text).toContain('Convert the image to one of these formats.');
    expect(await page.locator('#live').textContent()).toContain('notes.txt: The bytes are not');
  });

  it('says why a photograph is refused, in words and codes, with what was measured', async () => {
    const { page } = await openTab(site.address);
    await page.getByLabel('Refuse a quality below').selectOption('0.9');
    await choose(
      page,
      'dark.png',
      await sharp(await blobs(1).png().toBuffer())
        .linear(0.08)
        .png()
        .toBuffer(),
    );
    await answered(page, 1);
    const text = await cards(page).innerText();
    expect(text).toContain('LOW_QUALITY');
    expect(text).toContain('too dark');
    expect(text).toContain('TOO_DARK');
    expect(text).toContain('Brightness');
    // In a list, such a face is marked.
    await page.getByRole('combobox', { name: 'Faces' }).selectOption('all');
    await page.locator('.card rect.refused').waitFor();
    expect(await cards(page).innerText()).toContain('TOO_DARK');
    await page.getByLabel('Refuse a quality below').selectOption('none');
    await expect.poll(() => cards(page).innerText()).not.toContain('LOW_QUALITY');
  });

  it('asks again with all faces, and takes eight pictures', async () => {
    const { page } = await openTab(site.address);
    const flights = watchFlights(page);
    for (let seed = 1; seed <= 5; seed++) await choose(page, `${seed}.png`, await blobsPng(seed));
    await compareSamples(page);
    await answered(page, 8);
    await choose(page, 'ninth.png', await blobsPng(9));
    await expect.poll(() => page.locator('#trouble').innerText()).toContain('holds 8 pictures');
    await page.getByRole('combobox', { name: 'Faces' }).selectOption('all');
    await answered(page, 8);
    await expect.poll(() => page.locator('#code').innerText()).toContain('faces=all');
    expect([flights.most, flights.done]).toEqual([1, 16]);
    await page
      .getByRole('button', { name: 'Remove H, ada' })
      .or(page.getByRole('button', { name: 'Remove H, ben' }))
      .click();
    await answered(page, 7);
    await page.getByRole('button', { name: 'Remove all' }).click();
    await answered(page, 0);
    expect(await page.locator('#compare').isVisible()).toBe(false);
  });

  it('takes what is dropped and pasted, wherever that is', async () => {
    const { page } = await openTab(site.address);
    const transfer = (name: string, base64: string) => `(() => {
      const transfer = new DataTransfer();
      const bytes = Uint8Array.from(atob('${base64}'), (character) => character.charCodeAt(0));
      transfer.items.add(new File([bytes], '${name}', { type: 'image/png' }));
      return transfer;
    })()`;
    const [first, second] = await Promise.all(
      [1, 2].map(async (seed) => Buffer.from(await blobsPng(seed, 64, 48)).toString('base64')),
    );
    await page.evaluate(
      `document.querySelector('h1').dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: ${transfer('dropped.png', first ?? '')} }))`,
    );
    await answered(page, 1);
    await page.evaluate(
      `document.body.dispatchEvent(new ClipboardEvent('paste', { bubbles: true, clipboardData: ${transfer('pasted.png', second ?? '')} }))`,
    );
    await answered(page, 2);
    expect(await page.locator('.card h3').allInnerTexts()).toEqual(['dropped.png', 'pasted.png']);
  });

  it('sends a photograph again when the service asks to wait', async () => {
    const { page } = await openTab(site.address);
    let refused = false;
    await page.route('**/v1/embed?*', async (route) => {
      if (refused) return route.continue();
      refused = true;
      const body = {
        error: 'Too many requests came from this caller.',
        error_code: 'RATE_LIMITED',
        request_id: 'x',
      };
      await route.fulfill({ status: 429, headers: { 'Retry-After': '1' }, json: body });
    });
    await choose(page, 'blobs.png', await blobsPng(1));
    await expect.poll(() => cards(page).innerText()).toContain('the next try is in 1 s');
    await answered(page, 1);
    expect(await cards(page).innerText()).toContain('Detection');
  });

  it('gives a sample picture to the disk, for the code that sends it', async () => {
    const { page } = await openTab(site.address);
    await compareSamples(page);
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save ada-1.jpg' }).click();
    expect((await download).suggestedFilename()).toBe('ada-1.jpg');
    const { format, width } = await sharp(await (await download).path()).metadata();
    expect([format, width]).toEqual(['jpeg', 480]);
  });

  it.each(LANGUAGES)('gives the requests as %s that does the same', async (language) => {
    const { page, context } = await openTab(site.address);
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const picture = await blobsPng(3);
    const answer = page.waitForResponse(/v1\/embed/);
    await choose(page, "anna's photo.png", Buffer.from(picture));
    const embedded = await (await answer).json();
    await choose(page, 'other.png', await blobsPng(4));
    await page.locator('#matches li').first().waitFor();
    await choose(page, "anna's photo.png", Buffer.from(picture));
    await answered(page, 3);
    await page.getByText(language, { exact: true }).click();
    const folder = await temporaryFolder();
    writeFileSync(join(folder, "anna's photo.png"), picture);
    const copied = async () => {
      await page.getByRole('button', { name: /^Cop/ }).click();
      return (await page.evaluate('navigator.clipboard.readText()')) as string;
    };
    const first = await copied();
    expect(await run(language, first, folder)).toContain(embedded.embedding);
    await page.getByText('Compare', { exact: true }).click();
    await expect.poll(copied).not.toBe(first);
    expect(await run(language, await copied(), folder)).toMatch(/is_match/);
  });

  it('sends a photograph that is too large smaller, and says so', async () => {
    const own = new ServiceProcess({ MAX_IMAGE_SIZE: '200000' });
    try {
      const { page } = await openTab(`${await own.ready()}/`);
      await page.locator('#facts div').first().waitFor();
      await choose(page, 'large.png', await blobsPng(5, 1600, 1200));
      await answered(page, 1);
      const text = await cards(page).innerText();
      expect(text).toContain('the service takes 200 kB');
      expect(text).toContain('it was sent smaller');
      expect(text).toMatch(/Good|Fair|Poor/);
    } finally {
      await own.end();
    }
  });

  it.each(['light', 'dark'] as const)('has nothing that axe finds, in %s colours', async (colorScheme) => {
    const { page } = await openTab(site.address, { colorScheme });
    await page.locator('#facts div').first().waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await compareSamples(page);
    await choose(page, 'notes.txt', Buffer.from('no picture'));
    await answered(page, 4);
    await page.locator('#key summary').click();
    expect(await accessibilityProblems(page)).toEqual([]);
    await screenshot(page, `results-${colorScheme}`);
  });

  it.each([320, 360, 390])('fits a window %i pixels wide', async (width) => {
    const { page } = await openTab(site.address, { ...PHONE, viewport: { width, height: 740 } });
    await page.locator('#facts div').first().waitFor();
    expect(await overflow(page)).toBe(0);
    await compareSamples(page);
    const name = `${'a-file-with-a-very-long-name-and-no-place-to-break-it'.repeat(4)}.txt`;
    await choose(page, name, Buffer.from('no picture'));
    await answered(page, 4);
    expect((await page.getByTitle(name).boundingBox())?.height).toBeLessThan(60);
    await page.locator('#key summary').click();
    expect(await overflow(page)).toBe(0);
    await screenshot(page, `phone-${width}`);
  });
});

const focused = (page: Page) => page.evaluate('document.activeElement?.id');

/** Runs what the page gave to copy. @returns what it printed. */
async function run(language: string, code: string, folder: string): Promise<string> {
  const [name, program] = {
    curl: ['run.sh', 'bash'],
    JavaScript: ['run.mjs', process.execPath],
    Python: ['run.py', 'python3'],
  }[language] as [string, string];
  writeFileSync(join(folder, name), code);
  return (await promisify(execFile)(program, [name], { cwd: folder, maxBuffer: 1e7 })).stdout;
}
