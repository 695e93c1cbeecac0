import { isOurs, site, walk } from '../chromium.mjs';

// Out of the application by the gateway's own button, on to the provider, and back to a page that says so.
await walk(async (page) => {
  await page.goto(site.app);
  await page.goto(`${site.app}/_ecluse/logout`);
  await page.getByRole('button', { name: 'Se déconnecter' }).click();
  await page.waitForURL(`${site.portal}/_ecluse/logged-out**`);
  await isOurs(page, 'Votre session est fermée');
});
