import assert from 'node:assert/strict';

import { isOurs, pick, received, signIn, site, walk } from '../chromium.mjs';

await walk(async (page, context, browser) => {
  await signIn(page, `${site.permis}/admin/`, 'paul');
  assert.equal(page.url(), `${site.permis}/admin/`);
  const answer = await page.reload();
  assert.equal(answer.status(), 403);
  assert.equal(answer.request().redirectedFrom(), null);
  await isOurs(page, 'Vous n’avez pas accès à cette page');
  const text = await page.innerText('main');
  assert.match(text, /Réservé aux administrateurs\. Demandez l'accès au service de l'urbanisme\./);
  assert.match(text, /Référence pour votre assistance/);
  const reference = await page.locator('main code').innerText();
  assert.match(reference, /^\S{8,}$/);

  // Another account of the same provider in one click, and the page that was asked for.
  await page.getByRole('link', { name: 'Utiliser un autre compte' }).click();
  await page.waitForURL(`${site.provider}/**`);
  assert.match(page.url(), /[?&]prompt=login(&|$)/);
  // Back is the refusal, and from it another organisation is chosen.
  await page.goBack();
  await isOurs(page, 'Vous n’avez pas accès à cette page');
  await page.getByRole('link', { name: 'Choisir une autre organisation' }).click();
  await isOurs(page, 'Choisissez votre service de connexion');
  await page.getByRole('link', { name: 'Métropole du Nord' }).click();
  await page.waitForURL(`${site.provider}/**`);
  assert.match(page.url(), /[?&]prompt=login(&|$)/);
  await pick(page, 'helene');
  assert.equal(page.url(), `${site.permis}/admin/`);

  // Without a session nothing is known of the person: they choose.
  const stranger = await browser.newContext({ locale: 'fr-FR' });
  const other = await stranger.newPage();
  await other.goto(`${site.permis}/_ecluse/login?to=/admin/&other_account=1`);
  await isOurs(other, 'Choisissez votre service de connexion');
  await other.getByRole('link', { name: 'Métropole du Nord' }).click();
  await pick(other, 'helene');
  assert.equal(other.url(), `${site.permis}/admin/`);
  await stranger.close();

  // Everything else is as before.
  await page.goto(site.permis);
  assert.equal(await received(page, 'HTTP_X_REMOTE_USER'), 'helene');
  console.log(JSON.stringify({ reference }));
});
