// Forms with a token, one of them with a file, sent when the session has ended: kept, and each sent on by the same
// person's one click.
import assert from 'node:assert/strict';

import { isOurs, site, walk } from '../chromium.mjs';

// The session's idle limit, which is as long as a busy machine needs for the way back.
const ended = () => new Promise((done) => setTimeout(done, 13_200));

async function fillIn(page, about, files) {
  await page.goto(`${site.app}/depot`);
  await page.getByLabel('Objet').fill(about);
  await page.getByLabel('Pièce').setInputFiles(files);
}

async function sendTooLate(page) {
  const [answer] = await Promise.all([page.waitForNavigation(), page.getByRole('button', { name: 'Déposer' }).click()]);
  assert.equal(answer.status(), 401);
  await isOurs(page, 'Votre formulaire n’est pas perdu');
}

// From the page that says so, by a sign-in, to the button; by keyboard, as by mouse. What the application tells of it.
async function sendOn(page, name) {
  await page.getByRole('link', { name: 'Se connecter' }).click();
  await isOurs(page, 'Votre formulaire est prêt à être envoyé');
  await page.screenshot({ path: `${site.pictures}/${name}.ready.png` });
  await page.getByRole('button', { name: 'Envoyer mon formulaire' }).focus();
  const [done] = await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  assert.equal(done.status(), 200);
  const told = await done.json();
  assert.equal(told.token_is_good, true);
  assert.equal(told.origin, site.app);
  return told;
}

await walk(async (page, context) => {
  // Two forms in two tabs, both sent too late: each is kept, and each goes on by itself.
  const second = await context.newPage();
  await fillIn(page, 'Permis n° 12, Lebœuf', site.file);
  await fillIn(second, 'Permis n° 13', []);
  await ended();
  await sendTooLate(page);
  await page.screenshot({ path: `${site.pictures}/told.png` });
  await sendTooLate(second);

  const told = await sendOn(page, 'first');
  assert.equal(told.file.sha256, site.sha256);
  assert.equal(told.fields.objet, 'Permis n° 12, Lebœuf');
  assert.equal((await sendOn(second, 'second')).fields.objet, 'Permis n° 13');
  // Back: it was sent, and there is no second button.
  await page.goBack();
  await isOurs(page, 'Votre formulaire n’est plus disponible');

  // The button of a page that was left open until that session had ended, too: its click signs in, at other hosts.
  await fillIn(page, 'Permis n° 14', []);
  await ended();
  await sendTooLate(page);
  await page.getByRole('link', { name: 'Se connecter' }).click();
  await isOurs(page, 'Votre formulaire est prêt à être envoyé');
  await ended();
  await page.getByRole('button', { name: 'Envoyer mon formulaire' }).click();
  await page.waitForURL(`${site.app}/_ecluse/kept?post=**`);
  await isOurs(page, 'Votre formulaire est prêt à être envoyé');
  const [third] = await Promise.all([page.waitForNavigation(), page.getByRole('button', { name: 'Envoyer mon formulaire' }).click()]);
  assert.equal((await third.json()).fields.objet, 'Permis n° 14');

  // Somebody else at this browser is told to sign out, does so by the button of that page, and its owner sends it.
  await fillIn(page, 'Permis n° 15', []);
  await ended();
  await sendTooLate(page);
  const toForm = await page.getByRole('link', { name: 'Se connecter' }).getAttribute('href');
  await context.addCookies([{ name: 'as', value: 'bob', url: site.provider }]);
  await page.goto(`${site.portal}/`);
  await page.getByRole('link', { name: 'Utiliser un autre compte' }).click();
  await isOurs(page, 'Votre session est ouverte');
  await page.goto(new URL(toForm, site.app).href);
  await isOurs(page, 'Ce formulaire est celui d’une autre personne');
  await page.getByRole('button', { name: 'Se déconnecter' }).click();
  await isOurs(page, 'Votre session est fermée');
  await context.addCookies([{ name: 'as', value: 'alice', url: site.provider }]);
  await page.goto(new URL(toForm, site.app).href);
  await isOurs(page, 'Votre formulaire est prêt à être envoyé');
  const [fourth] = await Promise.all([page.waitForNavigation(), page.getByRole('button', { name: 'Envoyer mon formulaire' }).click()]);
  assert.equal((await fourth.json()).fields.objet, 'Permis n° 15');
});
