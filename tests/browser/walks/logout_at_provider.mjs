import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';

import { isOurs, site, walk } from '../chromium.mjs';

// Out of the application by the gateway's own button, on to the provider, and back to a page that says so. The provider
// takes its time at the sign-in: a page says so, which a person sees, and it leads on by itself.
await walk(async (page, context) => {
  const seen = await context.newCDPSession(page);
  await page.goto(site.app, { waitUntil: 'commit' });
  // Playwright asks nothing of a page that is on its way to the next one; a person reads it all the same.
  let shown;
  do shown = (await seen.send('Runtime.evaluate', { expression: 'document.body?.innerText' })).result.value;
  while (!shown?.includes('Continuer'));
  assert.match(shown, /C’est plus long que d’habitude\n\nLe service de connexion n’a pas encore répondu\u00a0: Métropole/);
  const { data } = await seen.send('Page.captureScreenshot');
  writeFileSync(`${site.pictures}/waiting.png`, Buffer.from(data, 'base64'));
  await page.waitForURL(`${site.app}/`);
  await page.goto(`${site.app}/_ecluse/logout`);
  await page.getByRole('button', { name: 'Se déconnecter' }).click();
  await page.waitForURL(`${site.portal}/_ecluse/logged-out**`);
  await isOurs(page, 'Votre session est fermée');
});
