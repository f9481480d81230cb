import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hasChromium } from '../../support/browser/chromium.ts';
import { openTab } from '../../support/browser/tab.ts';
import { blobsPng } from '../../support/pictures.ts';
import { answered, cards, choose, compareSamples, useService, verdicts } from './playground-steps.ts';

/** The page before answers that are not as they should be, as from what stands before the service. */
describe.skipIf(!hasChromium)('the page', () => {
  const site = useService();

  it("says so when an answer is cut off or is not the service's, and asks again on demand", async () => {
    const { page } = await openTab(site.address);
    const answers = [
      { status: 200, body: '{"embedding": "' },
      { status: 502, body: '<h1>Bad gateway</h1>' },
    ];
    await page.route('**/v1/embed?*', async (route) => {
      const answer = answers.shift();
      await (answer ? route.fulfill(answer) : route.continue());
    });
    await choose(page, 'blobs.png', await blobsPng(1));
    await answered(page, 1);
    expect(await cards(page).innerText()).toContain('The answer is incomplete.');
    const again = page.getByRole('button', { name: 'Try again' });
    await again.click();
    await expect.poll(() => cards(page).innerText()).toContain('HTTP 502');
    await again.click();
    await expect.poll(() => cards(page).innerText()).toContain('Detection');
  });

  it('shows no old verdicts beside a comparison that was refused', async () => {
    const { page } = await openTab(site.address);
    await compareSamples(page);
    const body = { error: 'No worker was free.', error_code: 'DEADLINE_EXCEEDED', request_id: 'x' };
    await page.route('**/v1/compare', (route) => route.fulfill({ status: 504, json: body }), { times: 1 });
    await page.locator('#query').selectOption('B');
    await expect.poll(() => page.locator('#compare-trouble').innerText()).toContain('DEADLINE_EXCEEDED');
    expect(await verdicts(page)).toEqual([]);
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect.poll(() => verdicts(page)).toEqual(['✓ Match B and A', '✕ No match B and C']);
    expect(await page.locator('#compare-trouble').isVisible()).toBe(false);
    await page.locator('#query').selectOption('C');
    await expect.poll(() => verdicts(page)).toEqual(['✕ No match C and B', '✕ No match C and A']);
  });

  it('says so when a file is gone, rather than the service', async () => {
    const { page } = await openTab(site.address, { mayFail: true });
    const folder = await mkdtemp(join(tmpdir(), 'page-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, 'blobs.png');
    await writeFile(path, await blobsPng(1));
    await page.route('**/v1/embed?*', (route) => route.fulfill({ status: 502 }), { times: 1 });
    await page.setInputFiles('#files', path);
    await expect.poll(() => cards(page).innerText()).toContain('HTTP 502');
    await rm(path);
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect.poll(() => cards(page).innerText()).toContain('UNREADABLE');
    expect(await cards(page).innerText()).toContain('Choose it again');
    expect(await page.getByRole('button', { name: 'Try again' }).isVisible()).toBe(false);
  });

  it('says so when more is dropped than it holds, also at once', async () => {
    const { page } = await openTab(site.address);
    await page.evaluate(`
      for (const name of ['first', 'second']) {
        const dataTransfer = new DataTransfer();
        for (let index = 0; index < 5; index++) dataTransfer.items.add(new File(['no picture'], name + index + '.txt'));
        dispatchEvent(new DragEvent('drop', { dataTransfer }));
      }`);
    await answered(page, 8);
    expect(await page.locator('#trouble').innerText()).toContain('it took 3 of these');
  });

  it('drops a picture that is removed while it is on its way', async () => {
    const { page } = await openTab(site.address);
    let reached = () => {};
    const arrived = new Promise<void>((resolve) => {
      reached = resolve;
    });
    await page.route('**/v1/embed?*', () => reached(), { times: 1 });
    await choose(page, 'first.png', await blobsPng(1));
    await arrived;
    await choose(page, 'second.png', await blobsPng(2));
    await page.getByRole('button', { name: 'Remove A, first.png' }).click();
    await answered(page, 1);
    expect(await cards(page).innerText()).toContain('second.png');
  });
});
