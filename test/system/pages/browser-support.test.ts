import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessibilityProblems, overflow } from '../../support/browser/accessibility.ts';
import { hasChromium } from '../../support/browser/chromium.ts';
import { openTab } from '../../support/browser/tab.ts';

/** The tests of the pages rest on this: it sees what goes wrong in a page. */
describe.skipIf(!hasChromium)('a tab', () => {
  const POLICY = "default-src 'none'; script-src 'self'; connect-src *; img-src data:";
  const pages: Record<string, string> = {
    '/inline': '<p onclick="0">x</p><script>document.title = "ran"</script>',
    '/asset': '<script src="missing.js"></script>',
    '/elsewhere': '<script src="elsewhere.js"></script>',
    '/elsewhere.js': 'fetch("http://127.0.0.1:9/").catch(() => {})',
    '/throws': '<script src="throws.js"></script>',
    '/throws.js': 'throw new Error("broken")',
    '/refused': '<script src="refused.js"></script>',
    '/refused.js': 'fetch("missing").then(() => { document.title = "asked" })',
    '/poor': '<img src="data:,"><div id="wide">wide</div><script src="poor.js"></script>',
    '/poor.js': 'document.getElementById("wide").style.width = "2000px"',
  };
  let server: Server;
  let address: string;
  beforeAll(async () => {
    server = createServer(({ url = '' }, response) => {
      const body = pages[url];
      response.writeHead(body === undefined ? 404 : 200, {
        'content-type': url.endsWith('.js') ? 'text/javascript' : 'text/html',
        'content-security-policy': POLICY,
      });
      response.end(
        body === undefined || url.endsWith('.js') ? body : `<link rel="icon" href="data:,">${body}`,
      );
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it.each([
    ['/inline', /CSP: script-src-(elem|attr) inline/],
    ['/asset', /^404: .*missing\.js$/],
    ['/elsewhere', /^other origin: http:\/\/127\.0\.0\.1:9\/$/],
    ['/throws', /^page error: Error: broken$/],
  ])('notes what is wrong with %s', async (path, problem) => {
    const { problems } = await openTab(address + path, { mayFail: true });
    await expect.poll(() => problems).toContainEqual(expect.stringMatching(problem));
  });

  it('lets a call be refused', async () => {
    const { page } = await openTab(`${address}/refused`);
    await expect.poll(() => page.title()).toBe('asked');
  });

  it('finds a picture without words, and a page that is too wide', async () => {
    const { page } = await openTab(`${address}/poor`, {
      mayFail: true,
      viewport: { width: 360, height: 640 },
    });
    expect(await accessibilityProblems(page)).toContainEqual(expect.stringMatching(/^image-alt: /));
    expect(await overflow(page)).toBeGreaterThan(1000);
  });
});
