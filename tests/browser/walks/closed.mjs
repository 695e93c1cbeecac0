// A page that is closed, to somebody who is not signed in and to somebody who is: only of the second there is an account
// that could give no access.
import assert from 'node:assert/strict';

import { isOurs, signIn, site, walk } from '../chromium.mjs';

const CLOSED = `${site.carnet}/ferme/1`;

async function isClosed(page) {
  const answer = await page.goto(CLOSED);
  assert.equal(answer.status(), 403);
  assert.equal(page.url(), CLOSED);
  await isOurs(page, 'Vous n’avez pas accès à cette page');
  return page.innerText('main');
}

await walk(async (page) => {
  const stranger = await isClosed(page);
  assert.match(stranger, /Elle est fermée/);
  assert.doesNotMatch(stranger, /compte/i);
  assert.doesNotMatch(await page.innerText('header'), /Compte/);
  assert.equal(await page.getByRole('link', { name: 'Retour à l’application' }).getAttribute('href'), '/');

  await signIn(page, `${site.carnet}/_ecluse/login?to=/ferme/1`);
  assert.match(await isClosed(page), /Votre compte ne donne pas accès à cette page/);
  assert.match(await page.innerText('header'), /Compte\s: /);
});
