import { join } from 'node:path';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { accessibilityProblems } from '../../support/browser/accessibility.ts';
import { hasChromium } from '../../support/browser/chromium.ts';
import { openTab, screenshot } from '../../support/browser/tab.ts';
import { FACES, goldenImages, hasRealWeights, MODELS, photo } from '../../support/shared.ts';
import { answered, cards, choose, useService, verdicts } from './playground-steps.ts';

const PERSON = ['lfw/Abdullah_0002.jpg', 'lfw/Abdullah_0003.jpg'];
const STRANGER = 'lfw/Abdoulaye_Wade_0004.jpg';

const addPhotographs = (page: Page, names: string[]) =>
  page.setInputFiles(
    '#files',
    names.map((name) => join(FACES, name)),
  );

/** The page with real weights and photographs. */
describe.skipIf(!hasChromium || !hasRealWeights)('the page with real faces', () => {
  const site = useService({
    MODELS_DIR: MODELS,
    MODEL_NAME: 'buffalo_sc_dq',
    LIVENESS_MODEL: 'liveness/minifasnet_v2_2.7_80x80.onnx',
    LIVENESS_THRESHOLD: '0.9',
  });

  it('matches two photographs of one person and not a stranger, from the threshold of the pack on', async () => {
    const { page } = await openTab(site.address);
    await expect.poll(() => page.locator('#measured button').count()).toBeGreaterThan(0);
    // To these networks all drawn faces are one person.
    expect(await page.getByRole('button', { name: 'Use sample pictures' }).isVisible()).toBe(false);
    await addPhotographs(page, [...PERSON, STRANGER]);
    await expect.poll(() => verdicts(page)).toEqual(['✓ Match A and B', '✕ No match A and C']);
    expect(Number(await page.getByRole('slider').inputValue())).toBeGreaterThan(0.7);
    expect(await page.locator('#threshold-source').innerText()).toContain('Provisional figures');
    expect(await page.locator('#matches li').first().innerText()).toContain(
      'of pairs of strangers are as near',
    );
    expect(await cards(page).first().innerText()).toMatch(
      /Liveness: [\d.]+, (looks live|does not look live)/,
    );
  });

  it('draws the box over the face', async () => {
    const { page } = await openTab(site.address);
    await addPhotographs(page, [STRANGER]);
    await answered(page, 1);
    const golden = goldenImages().find(({ file }) => file === STRANGER)?.faces[0]?.box;
    if (golden === undefined) throw new Error(`There is no golden result for ${STRANGER}.`);
    const [picture, box] = await Promise.all(
      ['canvas', 'rect'].map((tag) => page.locator(`.card ${tag}`).boundingBox()),
    );
    if (!picture || !box) throw new Error('The picture or the box is not drawn.');
    // LFW's photographs have 250×250 pixels.
    const scale = picture.width / 250;
    expect(picture.height / 250).toBeCloseTo(scale, 1);
    expect(Math.abs(box.x - picture.x - golden.left * scale)).toBeLessThan(4);
    expect(Math.abs(box.y - picture.y - golden.top * scale)).toBeLessThan(4);
    expect(Math.abs(box.width - (golden.right - golden.left) * scale)).toBeLessThan(6);
  });

  it('shows a photograph that lies on its side as the service turned it', async () => {
    const { page } = await openTab(site.address);
    const lying = await sharp(photo(PERSON[0] as string))
      .extract({ left: 0, top: 25, width: 250, height: 200 })
      .rotate(90)
      .png()
      .toBuffer();
    await choose(page, 'lying.png', lying);
    await answered(page, 1);
    expect(await cards(page).innerText()).toContain('turned by 270°');
    const picture = await page.locator('.card canvas').boundingBox();
    expect((picture?.width ?? 0) / (picture?.height ?? 1)).toBeCloseTo(250 / 200, 1);
    await screenshot(page, 'real-turned');
  });

  it('refuses a face that is not live, and says why', async () => {
    const { page } = await openTab(site.address);
    await page.getByRole('combobox', { name: 'Liveness' }).selectOption('require');
    await addPhotographs(page, [STRANGER]);
    await answered(page, 1);
    expect(await cards(page).innerText()).toContain('LIVENESS_FAILED');
    expect(await cards(page).innerText()).toContain('is below the threshold 0.9');
  });

  it('shows every face of a group, and says when the camera sees none', async () => {
    const { page } = await openTab(site.address);
    await page.locator('#faces').selectOption('all');
    await addPhotographs(page, ['insightface/t1.jpg', STRANGER]);
    await answered(page, 2);
    expect(await page.locator('.card').first().locator('rect').count()).toBe(6);
    expect(await page.locator('.card').first().innerText()).toContain('6 faces were found.');
    await expect.poll(() => verdicts(page)).toEqual(['✕ No match A and B']);
    expect(await accessibilityProblems(page)).toEqual([]);
    await screenshot(page, 'real-group');
    await page.locator('#faces').selectOption('largest');
    await answered(page, 2);
    await page.getByRole('button', { name: 'Use the camera' }).click();
    await expect.poll(() => page.locator('#camera-result').innerText()).toContain('NO_FACE_DETECTED');
    expect(await page.locator('#camera-result').innerText()).toContain('Ask for another photograph.');
    await expect.poll(() => page.locator('#live').textContent()).toContain('No face was detected');
    await screenshot(page, 'real-no-face');
  });
});
