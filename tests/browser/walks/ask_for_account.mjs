// A person asks for their account of an application, and reads later that the request waits.
import assert from 'node:assert/strict';

import { isOurs, site, walk } from '../chromium.mjs';

const text = (page) => page.getByLabel('Précisions à leur donner (facultatif)');
const title = (page) => page.getByRole('heading', { level: 1 }).innerText();

await walk(async (page) => {
  await page.goto(`${site.app}/`);
  await page.goto(`${site.app}/_ecluse/account?to=/`);
  assert.equal(new URL(page.url()).origin, site.portal);
  await isOurs(page, 'Demander l’accès');
  // The browser itself lets nobody write more than is taken.
  await text(page).fill('');
  await text(page).pressSequentially('Je remplace Paul');
  assert.equal(await text(page).getAttribute('maxlength'), '500');
  await page.getByRole('button', { name: 'Demander l’accès' }).click();
  await isOurs(page, 'Votre demande est envoyée');
  const reference = await page.locator('.ref code').innerText();
  await page.reload();
  await isOurs(page, 'Votre demande attend une réponse');
  assert.equal(await page.locator('.ref code').innerText(), reference);
  await page.getByRole('button', { name: 'English' }).click();
  assert.equal(await title(page), 'Your request is waiting for an answer');
  await page.goto(`${site.app}/_ecluse/account?to=/`);
  assert.equal(await title(page), 'Your request is waiting for an answer');
  assert.equal(await page.locator('.ref code').innerText(), reference);
  // Whoever waits goes on to something else.
  await page.getByRole('link', { name: 'Your applications' }).click();
  assert.equal(await title(page), 'Your applications');
  console.log(reference);
});
