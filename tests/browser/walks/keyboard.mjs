// A sign-in by the keyboard alone, in a window of 320 pixels (1280 at 400 %), from a link that says who is meant: what it
// says goes through the page of choice to the provider, and the person arrives at the page that they asked for.
import assert from 'node:assert/strict';

import { isOurs, site, walk } from '../chromium.mjs';

const MOST_STOPS = 20;

// Presses Tab until the stop with these words has the focus, which is seen.
async function goTo(page, words) {
  for (let at = 0; at < MOST_STOPS; at += 1) {
    await page.keyboard.press('Tab');
    const here = await page.evaluate(() => ({
      words: document.activeElement.innerText,
      outline: getComputedStyle(document.activeElement).outlineStyle,
    }));
    if (here.words?.trim() === words) {
      assert.notEqual(here.outline, 'none');
      return;
    }
  }
  assert.fail(`the keyboard does not reach ${words}`);
}

await walk(async (page) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await page.goto(site.asked);
  await isOurs(page, 'Choisissez votre service de connexion');
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth));

  // The first stop leads past the head of the page.
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('href')), '#main');
  await page.keyboard.press('Enter');
  await goTo(page, site.provider);
  await page.keyboard.press('Enter');
  await page.waitForURL(site.asked);
  assert.equal(await page.innerText('body'), 'permis for alice');

  // Out again, by the keyboard too.
  await page.goto(`${site.portal}/_ecluse/logout`);
  await goTo(page, 'Se déconnecter');
  await page.keyboard.press('Enter');
  await isOurs(page, 'Votre session est fermée');
});
