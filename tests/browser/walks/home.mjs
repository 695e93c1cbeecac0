// A person's own page: their applications, each of their sessions with a button, another account, and the way out. No page
// on the way is an end.
import assert from 'node:assert/strict';

import { isOurs, pick, seats, signIn, site, walk } from '../chromium.mjs';

const button = (page, name) => page.getByRole('main').getByRole('button', { name });

await walk(async (page, context) => {
  await signIn(page, site.permis);
  await page.goto(`${site.portal}/`);
  await isOurs(page, 'Vos applications');
  assert.match(await page.innerText('header'), /Compte\s: .*helene@/);
  assert.match(await page.title(), /^Vos applications – /);

  // Found by a part of its name, in any spelling of it, and opened.
  await page.getByRole('searchbox', { name: 'Rechercher une application' }).fill('PERMIS');
  await button(page, 'Rechercher').click();
  await page.getByRole('link', { name: 'Permis de construire' }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'Demandes de subvention' }).count(), 0);
  await page.getByRole('searchbox').fill('zzz');
  await button(page, 'Rechercher').click();
  assert.equal(await page.getByRole('alert').innerText(), 'Aucune de vos applications ne porte ce nom.');
  await page.goto(`${site.portal}/`);
  await page.getByRole('link', { name: 'Permis de construire' }).click();
  await page.waitForURL(`${site.permis}/**`);

  // Their session, when it was opened and when it ends.
  await page.goto(`${site.portal}/`);
  const session = page.getByRole('listitem').filter({ has: page.getByRole('button', { name: 'Fermer cette session' }) });
  assert.equal(await session.count(), 1);
  assert.match(await session.innerText(), /Métropole du Nord[^]*Ouverture\s: (?:hier|aujourd’hui)[^]*Fin au plus tard\s:/);

  // Another account in one click: the provider asks who it is, and the page comes back to them.
  await page.getByRole('link', { name: 'Choisir une autre organisation' }).click();
  await isOurs(page, 'Choisissez votre service de connexion');
  await page.goBack();
  await page.getByRole('link', { name: 'Utiliser un autre compte' }).click();
  await page.waitForURL(`${site.provider}/**`);
  assert.match(page.url(), /[?&]prompt=(login|select_account)(&|$)/);
  await pick(page, 'paul');
  await page.goto(`${site.portal}/`);
  assert.match(await page.innerText('header'), /Compte\s: .*paul@/);

  // The button beside the session ends it: the page is that of somebody who is not signed in, with a way in.
  while (await button(page, 'Fermer cette session').count()) {
    await button(page, 'Fermer cette session').first().click();
    await page.waitForLoadState();
  }
  await page.getByRole('link', { name: 'Métropole du Nord' }).waitFor();

  await signIn(page, `${site.portal}/`);
  await page.goto(`${site.portal}/`);
  await page.getByRole('link', { name: 'Détail des sessions et comptes rattachés' }).click();
  await isOurs(page, 'Vos sessions dans ce navigateur');
  await page.goto(`${site.portal}/`);
  await button(page, 'Se déconnecter').click();
  await isOurs(page, 'Votre session est fermée');
  await page.getByRole('link', { name: 'Vos applications' }).waitFor();
  assert.ok(!(await seats(context)).includes(new URL(site.portal).hostname));

  // Back leads nowhere that is closed, and signing out twice says that everything is.
  await page.goBack();
  await page.getByRole('link', { name: 'Métropole du Nord' }).waitFor();
  await page.goto(`${site.portal}/_ecluse/logout`);
  await isOurs(page, 'Aucune session n’est ouverte');
  await button(page, 'Abandonner les connexions en cours').click();
  await isOurs(page, 'Toutes vos sessions sont fermées');

  // No page of the portal that is not there speaks of an application.
  await page.goto(`${site.portal}/nulle-part`);
  await isOurs(page, 'Page introuvable');
  assert.match(await page.innerText('main'), /n’existe pas sur le portail/);
  assert.doesNotMatch(await page.innerText('main'), /l’application/);
  await page.getByRole('link', { name: 'Vos applications' }).waitFor();
});
