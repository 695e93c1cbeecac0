import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';

import { heading, isOurs, received, seats, site, walk } from '../chromium.mjs';

const ASKED = '/demandes?annee=2024';
const THREE_MINUTES = '180';

await walk(async (page, context) => {
  await page.goto(site.subventions + ASKED);
  await page.getByRole('link', { name: 'Région' }).click();
  await page.waitForURL(`${site.region}/**`);
  assert.equal(await heading(page), 'Connexion de la région');

  // The provider's page is left open for three minutes: those of the gateway's clock, none of ours.
  writeFileSync(site.clock, THREE_MINUTES);
  await page.locator('button[value=camille]').click();

  // Its form comes from another site, without our cookie; the person is back all the same, where they wanted to go.
  await page.waitForURL(site.subventions + ASKED);
  assert.equal(await received(page, 'HTTP_AUTH_USER'), 'camille');
  assert.deepEqual(await seats(context), ['portail.localhost', 'subventions.localhost']);

  // Back and reload: a page of ours, never a second sign-in and never a trace.
  const finish = `${site.portal}/_ecluse/saml/finish?p=gone`;
  await page.goto(finish);
  await isOurs(page, 'Votre session est déjà ouverte');

  // Out at both, with nothing blocked by the policy of a page of ours on the way.
  await page.goto(`${site.portal}/_ecluse/logout`);
  await page.getByRole('button').click();
  await page.getByText('en a été informé').waitFor();
  assert.equal(new URL(page.url()).pathname, '/_ecluse/signed-out');
  assert.deepEqual(await seats(context), ['subventions.localhost']);
  await page.goto(site.subventions + ASKED);
  await isOurs(page, 'Choisissez votre service de connexion');
});
