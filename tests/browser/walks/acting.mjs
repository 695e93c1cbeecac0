// A person who may act for several organisations chooses one, on the way to an application of another host, and changes
// it afterwards: the answer to both forms leads to another origin.
import assert from 'node:assert/strict';

import { isOurs, site, walk } from '../chromium.mjs';

const ASKED = '/dossiers?a=1';
const QUESTION = 'Pour quelle organisation agissez-vous\u202f?';
const button = (page, name) => page.getByRole('main').getByRole('button', { name });

await walk(async (page) => {
  await page.goto(site.app + ASKED);
  await isOurs(page, QUESTION);
  const chooser = page.url();
  assert.equal(new URL(chooser).origin, site.portal);
  // The other language asks the same.
  await page.getByRole('link', { name: 'English' }).click();
  await page.getByRole('heading', { name: 'For which organisation do you act?' }).waitFor();
  await page.getByRole('link', { name: 'Français' }).click();
  await isOurs(page, QUESTION);
  assert.equal(page.url(), chooser);
  assert.match(await page.innerText('main'), /Lille\s+21590350100017/);
  await button(page, 'Agir pour Lille').click();
  await page.waitForURL(site.app + ASKED);
  assert.equal(await page.innerText('body'), 'actes for alice');

  await page.goto(`${site.portal}/`);
  await isOurs(page, 'Vos applications');
  assert.match(await page.innerText('main'), /L’organisation pour laquelle vous agissez\s+Lille\s+21590350100017/);
  await button(page, 'Agir pour une autre organisation').click();
  // By way of the provider, which is another origin as well.
  await page.waitForURL(`${site.portal}/_ecluse/acting?**`);
  await isOurs(page, QUESTION);
  await button(page, 'Agir pour 19590123400017').click();
  await isOurs(page, 'Votre session est ouverte');
  await page.goto(site.app + ASKED);
  assert.equal(await page.innerText('body'), 'actes for alice');
  await page.goto(`${site.portal}/`);
  assert.match(await page.innerText('main'), /L’organisation pour laquelle vous agissez\s+19590123400017/);
});
