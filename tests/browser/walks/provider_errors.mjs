// One page for each way in which a provider signs nobody in: each with a sentence of its own, a reference that can be told
// by telephone and a way on, on a desk and on a telephone. The person then signs in all the same.
import assert from 'node:assert/strict';

import { isOurs, person, site, walk } from '../chromium.mjs';

const errors = JSON.parse(site.errors);
const LABEL = 'permis';
const sizes = { desk: { width: 1280, height: 800 }, phone: { width: 320, height: 640 } };

async function becomes(page, what) {
  await page.request.get(`${site.control}/${what}`);
}

// site.button: of the provider's own page, where it has one.
async function choose(page, name) {
  // A logo of a provider is a file of ours, and the page may show it.
  if (site.logos) await page.waitForFunction(() => document.querySelector('.choices img').naturalWidth > 0);
  await page.getByRole('link', { name }).click();
  if (site.button) await page.getByRole('button', { name: site.button }).click();
}

async function isShown(page, { what, title, sentence }) {
  await isOurs(page, title);
  const text = await page.innerText('main');
  assert.ok(text.includes(sentence), `${what}: ${text}`);
  assert.match(await page.locator('main code').innerText(), /^[2-9CDFGHJKMNPQRTVWXY]{8}$/);
  // Where one is: the application that was asked for, on the portal's host too.
  assert.equal(await page.locator('main .app').innerText(), LABEL);
  assert.ok((await page.title()).startsWith(`${title} – ${LABEL} – `), await page.title());
  for (const [size, viewport] of Object.entries(sizes)) {
    await page.setViewportSize(viewport);
    const isCut = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
    assert.ok(!isCut, `${what} does not fit a ${size}`);
    await page.screenshot({ path: `${site.pictures}/${what}.${size}.png`, fullPage: true });
  }
}

await walk(async (unused, context, browser) => {
  const sentences = new Set();
  for (const one of errors) {
    const mine = await person(browser);
    const page = await mine.newPage();
    await becomes(page, one.what);
    await page.goto(`${site.permis}/agenda`);
    await choose(page, site.name);
    await page.getByRole('link', { name: one.way }).waitFor();
    await isShown(page, one);
    sentences.add(`${one.title} ${one.sentence}`);

    if (one.what === 'down') {
      // The page of choice says so, and has the second way in beside it.
      await page.getByRole('link', { name: one.way }).click();
      await page.getByRole('link', { name: `${site.name} Ne répond pas pour le moment` }).waitFor();
      await page.getByRole('link', { name: 'Département' }).click();
    } else {
      await becomes(page, 'well');
      await page.getByRole('link', { name: one.way }).click();
      await choose(page, site.name);
    }
    await page.waitForURL(`${site.permis}/agenda`);
    assert.equal(await page.innerText('body'), 'permis for alice');
    await mine.close();
  }
  assert.equal(sentences.size, errors.length);
});
