import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { overflow } from '../../support/browser/accessibility.ts';
import { hasChromium } from '../../support/browser/chromium.ts';
import { openTab, screenshot, type TabOptions } from '../../support/browser/tab.ts';
import { ServiceProcess } from '../../support/processes/service-process.ts';
import { hasRealWeights, MODELS } from '../../support/shared.ts';

/** Waits of a browser on a machine that is busy with other work. */
const PATIENT_MS = 60_000;

const REAL_PACK = { MODELS_DIR: MODELS, MODEL_NAME: 'buffalo_sc_dq' };
const KEY = 'key-of-the-test-of-the-documentation';

/** Opens the page, and waits until it shows the operations. It fails the test on errors and on requests to other origins. */
async function openDocs(address: string, options: TabOptions = {}): Promise<Page> {
  const { page } = await openTab(address, options);
  page.setDefaultTimeout(PATIENT_MS);
  await page.locator('.opblock').first().waitFor();
  return page;
}

const operation = (page: Page, id: string) => page.locator(`.opblock[id$="-${id}"]`);

/** Opens an operation for a trial. */
async function tryOut(page: Page, id: string) {
  const block = operation(page, id);
  await block.locator('.opblock-summary-control').click();
  await block.locator('.try-out__btn').click();
  return block;
}

/** Presses "Execute". @returns the status and the text that the page shows. */
async function execute(page: Page, id: string): Promise<{ status: string; text: string }> {
  const live = operation(page, id).locator('.live-responses-table .response').first();
  const shown = async () => (await live.locator('.response-col_status').innerText()).trim();
  const answered = page.waitForResponse((one) => ['fetch', 'xhr'].includes(one.request().resourceType()));
  await operation(page, id).locator('.execute').click();
  const status = String((await answered).status());
  // Until then, it may show the last answer.
  await expect.poll(shown).toBe(status);
  return { status, text: await live.locator('.response-col_description').innerText() };
}

const operationIds = async (address: string): Promise<string[]> => {
  const { paths } = (await (await fetch(`${address}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { operationId: string }>>;
  };
  return Object.values(paths).flatMap((methods) => Object.values(methods).map((one) => one.operationId));
};

describe.skipIf(!hasChromium).each([
  { pack: 'synthetic', environment: {}, isThere: true },
  { pack: 'buffalo_sc_dq', environment: REAL_PACK, isThere: hasRealWeights },
])('the documentation, with the pack $pack', ({ environment, isThere }) => {
  let service: ServiceProcess;
  let address: string;
  beforeAll(async () => {
    if (!isThere) return;
    service = new ServiceProcess(environment);
    address = await service.ready();
  });
  afterAll(() => service?.end());

  it.skipIf(!isThere)('answers "Execute" on each operation, untouched, with success', async () => {
    const page = await openDocs(`${address}/docs`);
    const ids = await operationIds(address);
    expect(await page.locator('.opblock').count()).toBe(ids.length);
    const statuses: Record<string, string> = {};
    for (const id of ids) {
      const block = await tryOut(page, id);
      statuses[id] = (await execute(page, id)).status;
      // Or the answers that it shows make each that follows slower.
      await block.locator('.opblock-summary-control').click();
    }
    expect(statuses).toEqual(Object.fromEntries(ids.map((id) => [id, '200'])));
  });
});

describe.skipIf(!hasChromium)('the documentation', () => {
  let service: ServiceProcess;
  let address: string;
  beforeAll(async () => {
    service = new ServiceProcess({ API_KEYS: `test=${KEY}` });
    address = await service.ready();
  });
  afterAll(() => service.end());

  it('sends the key that "Authorize" was given, and no other call has it', async () => {
    const page = await openDocs(`${address}/docs`);
    await tryOut(page, 'embed');
    const refused = await execute(page, 'embed');
    expect(refused.status).toBe('401');
    expect(refused.text).toContain('UNAUTHORIZED');

    await page.locator('.btn.authorize').click();
    const dialog = page.locator('.modal-ux');
    await dialog.locator('input').first().fill(KEY);
    await dialog.locator('.authorize.button').first().click();
    await dialog.locator('.btn-done').first().click();
    expect((await execute(page, 'embed')).status).toBe('200');

    // The key stays in the page.
    await page.goto(`${address}/docs`);
    await page.locator('.opblock').first().waitFor();
    await tryOut(page, 'embed');
    expect((await execute(page, 'embed')).status).toBe('401');
  });

  it('shows what the service says of a body that is wrong', async () => {
    const page = await openDocs(`${address}/docs`, { extraHTTPHeaders: { 'X-API-Key': KEY } });
    const block = await tryOut(page, 'embed');
    await block.locator('textarea').fill('{"image": "AAAA"}');
    const { status, text } = await execute(page, 'embed');
    expect(status).toBe('415');
    expect(text).toContain('"error_code": "UNSUPPORTED_FORMAT"');
  });

  it('sends the picture that was chosen in place of the example', async () => {
    const page = await openDocs(`${address}/docs`, { extraHTTPHeaders: { 'X-API-Key': KEY } });
    const block = await tryOut(page, 'embedImage');
    const file = block.locator('input[type=file]');
    const nameOf = () => file.evaluate((input) => (input as unknown as { files: File[] }).files[0]?.name);
    await expect.poll(nameOf).toMatch(/^example\./);
    await file.setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no image') });
    expect((await execute(page, 'embedImage')).text).toContain('"error_code": "UNSUPPORTED_FORMAT"');
    expect(await nameOf()).toBe('notes.txt');
  });

  it.each([
    { name: 'docs-light', colorScheme: 'light', width: 1200, path: '/docs/' },
    { name: 'docs-dark', colorScheme: 'dark', width: 1200, path: '/docs' },
    { name: 'docs-phone', colorScheme: 'dark', width: 390, path: '/docs' },
  ] as const)(
    'fits into $width pixels, $colorScheme, at $path',
    async ({ name, colorScheme, width, path }) => {
      const viewport = { width, height: 900 };
      const page = await openDocs(`${address}${path}`, { colorScheme, viewport });
      await tryOut(page, 'embed');
      await execute(page, 'embed');
      expect(await overflow(page)).toBe(0);
      const canvas = await page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
      expect(canvas).toBe(colorScheme === 'dark' ? 'rgb(28, 32, 34)' : 'rgba(0, 0, 0, 0)');
      await screenshot(page, name);
    },
  );

  it.each(['/docs', '/docs/'])('works below a path that the service does not know of: %s', async (path) => {
    const proxy = createServer((incoming, outgoing) => {
      const { method, headers, url = '' } = incoming;
      if (!url.startsWith('/faces/')) return void outgoing.writeHead(404).end();
      const to = send(address + url.slice('/faces'.length), { method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      incoming.pipe(to);
    });
    await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
    try {
      const origin = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
      const page = await openDocs(`${origin}/faces${path}`);
      await tryOut(page, 'getHealth');
      expect((await execute(page, 'getHealth')).status).toBe('200');
      await page.close();
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  });
});
