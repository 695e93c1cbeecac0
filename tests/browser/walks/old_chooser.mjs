// A chooser that was bookmarked, or left open until its sign-in was over, is no end of the way: it leads to another one, and
// whoever signs in there is at home. Where a session is open, it leads home at once.
import assert from 'node:assert/strict';

import { isOurs, site, walk } from '../chromium.mjs';

const EXPIRED = 'Cette page de connexion a expiré', CHOOSER = 'Choisissez votre service de connexion';

await walk(async (page) => {
  const again = () => page.getByRole('link', { name: 'Recommencer' }).click();
  await page.goto(`${site.permis}/agenda`);
  await isOurs(page, CHOOSER);
  const bookmark = page.url();
  await page.request.get(`${site.control}/later`);

  // The page that was left open, by its link; then the bookmark.
  await page.getByRole('link', { name: 'Métropole' }).click();
  await isOurs(page, EXPIRED);
  await page.goto(bookmark);
  await isOurs(page, EXPIRED);
  await again();
  await isOurs(page, CHOOSER);
  await page.getByRole('link', { name: 'Métropole' }).click();
  await page.getByRole('link', { name: 'Continuer' }).click();
  await isOurs(page, 'Vos applications');

  await page.goto(bookmark);
  await isOurs(page, 'Vos applications');
});
