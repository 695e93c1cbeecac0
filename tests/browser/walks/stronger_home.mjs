// Home lists what a stronger sign-in would open, and says so beside it: a click leads through that sign-in to the
// application, of which nothing more is asked afterwards.
import assert from 'node:assert/strict';

import { heading, isOurs, site, walk } from '../chromium.mjs';

const NAME = 'Coffre des actes', ASKS = 'Demande une authentification plus forte';

await walk(async (page) => {
  const listed = () => page.getByRole('listitem').filter({ has: page.getByRole('link', { name: NAME }) });
  await page.goto(`${site.elections}/`);
  await page.locator('main a[href*="provider=proconnect"]').click();
  await page.locator('button[value=marc]').click();
  await page.waitForURL(`${site.elections}/`);

  await page.goto(`${site.portal}/`);
  await isOurs(page, 'Vos applications');
  assert.equal(await listed().innerText(), `${NAME}\n${ASKS}`);
  // What their sign-in is enough for says nothing of the kind.
  assert.equal(await page.getByText(ASKS).count(), 1);

  await page.getByRole('link', { name: NAME }).click();
  await isOurs(page, 'Une authentification plus forte est nécessaire');
  await page.getByRole('link', { name: 'Continuer' }).click();
  await page.getByText('Un second facteur est demandé.').waitFor();
  await page.locator('button[value=marc]').click();
  await page.waitForURL(`${site.coffre}/`);
  assert.equal(await heading(page), 'Carnet');

  await page.goto(`${site.portal}/`);
  await isOurs(page, 'Vos applications');
  assert.equal(await listed().innerText(), NAME);
  await page.getByRole('link', { name: NAME }).click();
  await page.waitForURL(`${site.coffre}/`);
}, ['WebSocket connection to']);
