// A form with a file and a token, sent when the session has ended: kept, and sent on by the same person's one click.
import assert from 'node:assert/strict';

import { isOurs, site, walk } from '../chromium.mjs';

// The session's idle limit, which is as long as a busy machine needs for the way back.
const ended = () => new Promise((done) => setTimeout(done, 13_200));

async function fillIn(page, file) {
  await page.goto(`${site.app}/depot`);
  await page.getByLabel('Objet').fill('Permis n° 12, Lebœuf');
  await page.getByLabel('Pièce').setInputFiles(file);
  await ended();
  const [answer] = await Promise.all([page.waitForNavigation(), page.getByRole('button', { name: 'Déposer' }).click()]);
  assert.equal(answer.status(), 401);
  await isOurs(page, 'Votre formulaire n’est pas perdu');
}

await walk(async (page) => {
  await fillIn(page, site.file);
  await page.screenshot({ path: `${site.pictures}/told.png` });
  await page.getByRole('link', { name: 'Se connecter' }).click();
  await isOurs(page, 'Votre formulaire est prêt à être envoyé');
  await page.screenshot({ path: `${site.pictures}/ready.png` });
  // By keyboard, as by mouse.
  await page.getByRole('button', { name: 'Envoyer mon formulaire' }).focus();
  const [done] = await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  assert.equal(done.status(), 200);
  const told = await done.json();
  assert.equal(told.file.sha256, site.sha256);
  assert.equal(told.fields.objet, 'Permis n° 12, Lebœuf');
  assert.equal(told.token_is_good, true);
  assert.equal(told.origin, site.app);
  // Back: it was sent, and there is no second button.
  await page.goBack();
  await isOurs(page, 'Votre formulaire n’est plus disponible');
});
