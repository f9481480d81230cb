import { once } from 'node:events';
import { createServer, request as forward, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { accessibilityProblems } from '../../support/browser/accessibility.ts';
import { hasChromium } from '../../support/browser/chromium.ts';
import { openTab, screenshot } from '../../support/browser/tab.ts';
import { blobsPng } from '../../support/pictures.ts';
import { ServiceProcess } from '../../support/processes/service-process.ts';
import { answered, cards, choose, compareSamples } from './playground-steps.ts';

/** The page before services of other kinds: with keys, below a prefix, behind a proxy, without a model. */
describe.skipIf(!hasChromium)('the page', () => {
  let service: ServiceProcess | undefined;
  let proxy: Server | undefined;
  afterEach(async () => {
    proxy?.closeAllConnections();
    proxy?.close();
    proxy = undefined;
    await service?.end();
  });
  const start = (environment: Record<string, string>) => {
    service = new ServiceProcess(environment);
    return service;
  };

  it('asks for the key that the service wants, and keeps it in its tab', async () => {
    const key = 'a-key-of-at-least-thirty-two-characters';
    const address = `${await start({ API_KEYS: `door=${key}` }).ready()}/`;
    const { page, context } = await openTab(address);
    await expect.poll(() => page.locator('#key-state').innerText()).toContain('asks for one');
    await choose(page, 'blobs.png', await blobsPng(1));
    await answered(page, 1);
    expect(await cards(page).innerText()).toContain('UNAUTHORIZED');
    expect(await accessibilityProblems(page)).toEqual([]);
    await screenshot(page, 'key');

    const field = page.getByLabel(/asks for a key with each call/);
    await field.fill('another-key-that-is-not-the-right-one');
    await page.getByRole('button', { name: 'Use this key' }).click();
    await expect.poll(() => page.locator('#key-state').innerText()).toContain('refuses the one in use');
    await field.fill(key);
    await page.keyboard.press('Enter');
    // What was refused is sent again.
    await expect.poll(() => cards(page).innerText()).toContain('Detection');
    await expect.poll(() => page.locator('#facts').innerText()).toContain('synthetic:');
    // The code takes the key from the environment.
    const code = await page.locator('#code').innerText();
    expect(code).toContain('X-API-Key: $API_KEY');
    expect(await page.content()).not.toContain(key);

    await page.reload();
    await expect.poll(() => page.locator('#key-state').innerText()).toContain('in use');
    await expect.poll(() => page.locator('#facts').innerText()).toContain('synthetic:');
    expect(await page.evaluate('[localStorage.length, document.cookie]')).toEqual([0, '']);
    const other = await context.newPage();
    await other.goto(address);
    await expect.poll(() => other.locator('#key-state').innerText()).toContain('asks for one');
  });

  it.each(['/faces/', '/faces/playground', '/faces/playground/'])(
    'works below a prefix, at %s',
    async (path) => {
      const address = await start({ API_PREFIX: '/faces' }).listening();
      const { page } = await openTab(address + path);
      await expect.poll(() => page.locator('#state').innerText()).toContain('Ready');
      await compareSamples(page);
      await expect.poll(() => page.locator('#code').innerText()).toContain(`${address}/faces/v1/embed?`);
    },
  );

  it('works behind a proxy that has it below a path of its own', async () => {
    const target = await start({}).ready();
    proxy = createServer((incoming, outgoing) => {
      const url = new URL((incoming.url ?? '').replace(/^\/tools\/faces/, ''), target);
      const { method, headers } = incoming;
      const call = forward(url, { method: method ?? 'GET', headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      incoming.pipe(call);
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const { port } = proxy.address() as AddressInfo;
    const { page } = await openTab(`http://127.0.0.1:${port}/tools/faces/`);
    await compareSamples(page);
  });

  it('works where it was opened with a name and a password in its address, and shows neither', async () => {
    const address = (await start({}).ready()).replace('//', '//anna:secret@');
    const { page } = await openTab(`${address}/`);
    await compareSamples(page);
    expect(await page.locator('#code').innerText()).toContain('/v1/embed?');
    expect(await page.locator('body').innerText()).not.toContain('secret');
    await page.goto(`${address}/docs`);
    await page.locator('.opblock').first().waitFor();
  });

  it('says why the service is not ready, and what that means for a photograph', async () => {
    const address = await start({ MODEL_NAME: 'buffalo_s', MODEL_AUTO_DOWNLOAD: 'false' }).listening();
    const { page } = await openTab(`${address}/`);
    await expect.poll(() => page.locator('#state').innerText()).toMatch(/^Not ready – ./);
    await choose(page, 'blobs.png', await blobsPng(1));
    await answered(page, 1);
    expect(await cards(page).innerText()).toContain('MODEL_NOT_LOADED');
    expect(await page.getByRole('button', { name: 'Try again' }).isVisible()).toBe(true);
    await screenshot(page, 'not-ready');
  });

  it('says so when the service is gone, and goes on when it is back', async () => {
    const gone = start({});
    const address = await gone.ready();
    const { page, problems } = await openTab(`${address}/`, { mayFail: true });
    await page.locator('#facts div').first().waitFor();
    await gone.end();
    await choose(page, 'blobs.png', await blobsPng(1));
    await answered(page, 1);
    expect(await cards(page).innerText()).toContain('UNREACHABLE');
    await expect.poll(() => page.locator('#state').innerText()).toContain('Not reachable');
    await start({ PORT: new URL(address).port }).ready();
    await expect.poll(() => page.locator('#state').innerText()).toContain('Ready');
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect.poll(() => cards(page).innerText()).toContain('Detection');
    // Chromium's own lines about connections that were refused.
    expect(problems.filter((line) => !line.includes('ERR_'))).toEqual([]);
  });
});
