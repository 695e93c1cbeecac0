// A SAML provider that takes people by a form of ours, to sign in and to sign out: each form sends itself to another
// origin, and comes back by a form of the provider's.
import assert from 'node:assert/strict';

import { site, walk } from '../chromium.mjs';

const ASKED = '/dossier?id=7';

await walk(async (page) => {
  await page.goto(site.permis + ASKED);
  await page.getByText('AuthnRequest').waitFor();
  await page.getByRole('button', { name: 'Continuer' }).click();
  await page.waitForURL(site.permis + ASKED);
  assert.equal(await page.innerText('body'), 'permis for alice');

  await page.goto(`${site.permis}/_ecluse/logout`);
  await page.getByRole('button', { name: 'Se déconnecter' }).click();
  await page.getByText('LogoutRequest').waitFor();
  assert.notEqual(new URL(page.url()).origin, site.portal);
  await page.goto(site.permis + ASKED);
  await page.getByText('AuthnRequest').waitFor();
});
