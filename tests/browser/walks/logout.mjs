import assert from 'node:assert/strict';

import { isOurs, received, seats, signIn, site, walk } from '../chromium.mjs';

const CHOOSER = 'Choisissez votre service de connexion';

await walk(async (page, context) => {
  await signIn(page, site.permis);
  const second = await context.newPage();
  await second.goto(site.subventions);
  assert.equal(await received(second, 'HTTP_AUTH_USER'), 'helene');

  // The application's own link leads to a page; nothing has ended before its button is pressed.
  await page.getByRole('link', { name: 'Se déconnecter' }).click();
  await isOurs(page, 'Se déconnecter');
  await second.reload();
  assert.equal(await received(second, 'HTTP_AUTH_USER'), 'helene');

  // Who would rather stay goes back, and is signed in.
  await page.getByRole('link', { name: 'Retour à l’application' }).click();
  await page.getByText('Bonjour helene').waitFor();
  await page.goBack();

  await page.getByRole('button', { name: 'Se déconnecter' }).click();
  await page.getByRole('heading', { name: 'Votre session est fermée' }).waitFor();
  await isOurs(page, 'Votre session est fermée');
  assert.deepEqual((await seats(context)).includes('permis.localhost'), false);

  // It stays there: nobody is signed in again unasked.
  const moved = [];
  page.on('framenavigated', (frame) => moved.push(frame.url()));
  await page.waitForTimeout(1500);
  assert.deepEqual(moved, []);

  // Both are closed, and opening them asks at the provider's.
  await second.reload();
  await isOurs(second, CHOOSER);
  await page.goto(site.permis);
  await isOurs(page, CHOOSER);
  await page.goto(`${site.portal}/_ecluse/sessions`);
  assert.doesNotMatch(await page.innerText('body'), /Métropole/);

  // Back shows nothing of what was there: it is asked for anew.
  await page.goBack();
  assert.doesNotMatch(await page.innerText('body'), /Bonjour helene/);
});
