import assert from 'node:assert/strict';

import { isOurs, site, walk } from '../chromium.mjs';

// In with a password, out of the application and on to the provider, and in again: does the provider ask once more?
await walk(async (page) => {
  await page.goto(site.app);
  await page.waitForURL(`${site.provider}/**`);
  await page.locator('input[name=user]').fill('dwho');
  await page.locator('input[name=password]').fill('dwho');
  await page.locator('input[name=password]').press('Enter');
  await page.waitForURL(`${site.app}/`);

  await page.goto(`${site.app}/_ecluse/logout`);
  await page.getByRole('button', { name: 'Se déconnecter' }).click();
  await page.waitForURL(`${site.portal}/_ecluse/signed-out**`);
  await isOurs(page, 'Votre session est fermée');
  // Whether it did, the page does not know.
  await page.getByText('Il ne confirme pas l’avoir fait').waitFor();

  await page.goto(site.app);
  assert.equal(page.url().startsWith(`${site.provider}/`) ? 'asked' : 'not asked', site.again);
});
