// A person whose provider is not known to them looks for it at their federation's discovery service.
import assert from 'node:assert/strict';

import { isOurs, site, walk } from '../chromium.mjs';

const ASKED = '/dossier?id=7';
const CHOOSER = 'Choisissez votre service de connexion';

await walk(async (page) => {
  const toService = async () => {
    await page.getByRole('link', { name: 'Rechercher votre organisation dans sa fédération' }).click();
    await page.waitForURL(`${site.service}?**`);
  };
  await page.goto(site.permis + ASKED);
  await isOurs(page, CHOOSER);
  await toService();

  // Whoever chooses nobody there has our own page again.
  await page.getByRole('link', { name: 'Aucune' }).click();
  await page.waitForURL(`${site.portal}/**`);
  await isOurs(page, CHOOSER);

  // Whoever chooses comes, by their provider, to the page that was asked for at first.
  await toService();
  await page.getByRole('link', { name: 'La région' }).click();
  await page.getByRole('button', { name: 'Continuer' }).click();
  await page.waitForURL(site.permis + ASKED);
  assert.match(await page.innerText('body'), /^permis for /);
});
