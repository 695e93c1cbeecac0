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

  // After a form is sent the page has an address of its own. By the keyboard alone: nobody is signed out twice, and
  // neither Back nor a reload sends the form once more.
  await page.goto(`${site.permis}/_ecluse/logout`);
  await page.locator('main button').click();
  await page.waitForURL(`${site.permis}/_ecluse/signed-out**`);
  const told = page.url(), sent = [];
  page.on('request', (request) => { if (request.method() !== 'GET') sent.push(request.url()); });
  assert.equal(await heading(page), 'Votre session est fermée');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.innerText), 'English');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.documentElement.lang === 'en');
  assert.equal(page.url(), told);
  assert.equal(await heading(page), 'You are signed out');
  await page.reload();
  assert.equal(await heading(page), 'You are signed out');
  // Back, over the page in French, to where the button was.
  while (page.url() === told) await page.goBack();
  assert.equal(page.url(), `${site.permis}/_ecluse/logout`);
  assert.deepEqual(sent, []);
  // What it told is of its moment alone: opened later by itself, it leads on.
  await context.clearCookies({ name: '__Host-ecluse-out' });
  await page.goto(told);
  assert.equal(new URL(page.url()).origin, site.portal);
  assert.equal(await heading(page), 'Choose your sign-in service');

  // Another browser knows nothing of it.
  const other = await person(browser, 'fr-FR');
  const fresh = await other.newPage();
  await fresh.goto(site.permis);
  assert.equal(await lang(fresh), 'fr');
  await other.close();
});
