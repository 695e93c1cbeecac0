import assert from 'node:assert/strict';

import { person, pick, site, walk } from '../chromium.mjs';

const lang = (page) => page.evaluate(() => document.documentElement.lang);
const heading = (page) => page.innerText('h1');

// By the link of a page that may be asked for again; its address stays.
async function choose(page, name, url) {
  await page.getByRole('link', { name }).click();
  await page.waitForFunction((wanted) => document.documentElement.lang === wanted, name === 'English' ? 'en' : 'fr');
  assert.equal(page.url(), url);
}

await walk(async (page, context, browser) => {
  // On the way: the chooser keeps its transaction, and the page asked for is reached.
  await page.goto(`${site.permis}/admin/`);
  const chooser = page.url();
  assert.equal(await lang(page), 'fr');
  await choose(page, 'English', chooser);
  assert.equal(await heading(page), 'Choose your sign-in service');
  await page.getByRole('link', { name: 'Northern Metropolis' }).click();
  await page.waitForURL(`${site.provider}/**`);
  await pick(page, 'paul');

  // The choice came with the sign-in. A refusal is asked for once more at its own address.
  assert.equal(page.url(), `${site.permis}/admin/`);
  assert.equal(await lang(page), 'en');
  const english = await heading(page);
  await choose(page, 'Français', `${site.permis}/admin/`);
  assert.notEqual(await heading(page), english);

  // The answer to a form is made anew, by the keyboard alone: nobody is signed out twice.
  await page.goto(`${site.permis}/_ecluse/logout`);
  await page.locator('main button').click();
  await page.waitForLoadState();
  assert.equal(await page.locator('header button').innerText(), 'English');
  const before = await heading(page);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.documentElement.lang === 'en');
  assert.equal(before, 'Votre session est fermée');
  assert.equal(await heading(page), 'You are signed out');

  // Another browser knows nothing of it.
  const other = await person(browser, 'fr-FR');
  const fresh = await other.newPage();
  await fresh.goto(site.permis);
  assert.equal(await lang(fresh), 'fr');
  await other.close();
});
