import assert from 'node:assert/strict';

import { isOurs, received, SEAT, signIn, site, walk } from '../chromium.mjs';

await walk(async (page, context) => {
  await signIn(page, `${site.permis}/depot`);
  await context.clearCookies({ name: SEAT, domain: 'permis.localhost' });
  await page.getByLabel('Parcelle').fill('AB 12');
  const [answer] = await Promise.all([page.waitForNavigation(), page.getByRole('button', { name: 'Envoyer' }).click()]);
  assert.equal(answer.status(), 401);
  await isOurs(page, 'Votre formulaire n’a pas été envoyé');
  assert.equal(page.url(), `${site.permis}/depot`);

  // The way back leads to the form, without another sign-in, and it can be sent.
  await page.getByRole('link').last().click();
  await page.waitForURL(`${site.permis}/depot`);
  await page.getByLabel('Parcelle').fill('AB 12');
  await page.getByRole('button', { name: 'Envoyer' }).click();
  await page.getByText('Demande reçue.').waitFor();
  assert.equal(await received(page, 'parcelle'), 'AB 12');
});
