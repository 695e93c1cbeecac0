import assert from 'node:assert/strict';

import { isOurs, received, signIn, site, walk } from '../chromium.mjs';

await walk(async (page) => {
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

  // Everything else is as before.
  await page.goto(site.permis);
  assert.equal(await received(page, 'HTTP_X_REMOTE_USER'), 'paul');
  console.log(JSON.stringify({ reference }));
});
