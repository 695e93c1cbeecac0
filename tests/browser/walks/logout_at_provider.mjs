import assert from 'node:assert/strict';

import { isOurs, site, walk } from '../chromium.mjs';

// Out of the application by the gateway's own button, on to the provider, and back to a page that says so. The provider
// takes its time at the sign-in: a page says so, which a person sees, and it leads on by itself.
await walk(async (page, context) => {
  // Playwright asks nothing of a page that is on its way to the next one; a person reads it all the same.
  const shown = [];
  await context.exposeBinding('told', (_, text) => shown.push(text));
  await context.addInitScript(() => {
    document.addEventListener('DOMContentLoaded', () => window.told(document.body.innerText));
  });
  await page.goto(site.app, { waitUntil: 'commit' });
  await page.waitForURL(`${site.app}/`);
  assert.ok(shown.some((text) => text.includes('C’est plus long que d’habitude')
    && text.includes('Le service de connexion n’a pas encore répondu\u00a0: Métropole')
    && text.includes('Continuer')), shown.join('\n---\n'));
  await page.goto(`${site.app}/_ecluse/logout`);
  await page.getByRole('button', { name: 'Se déconnecter' }).click();
  await page.waitForURL(`${site.portal}/_ecluse/signed-out**`);
  await isOurs(page, 'Votre session est fermée');
  // Told as long as one looks at it; and nobody is asked to sign out who has.
  await page.reload();
  await isOurs(page, 'Votre session est fermée');
  await page.goto(`${site.portal}/_ecluse/logout`);
  await isOurs(page, 'Aucune session n’est ouverte');
  assert.equal(await page.getByRole('main').getByRole('button').count(), 0);
  // The buttons of the portal's own pages lead to the provider, too.
  for (const path of ['/_ecluse/home', '/_ecluse/sessions']) {
    await page.goto(site.app, { waitUntil: 'commit' });
    await page.waitForURL(`${site.app}/`);
    await page.goto(`${site.portal}${path}`);
    await page.getByRole('main').getByRole('button', { name: 'Se déconnecter' }).click();
    await page.waitForURL(`${site.portal}/_ecluse/signed-out**`);
    await isOurs(page, 'Votre session est fermée');
  }
});
