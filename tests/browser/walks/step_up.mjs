// A page that wants more than the session has says why, what is asked for and by whom, before anybody is sent on. A provider
// that does not do it is told as that, in the standard words.
import assert from 'node:assert/strict';

import { isOurs, site, walk } from '../chromium.mjs';

const needed = `${site.app}/_ecluse/login?to=/admin&level=eidas2`;

await walk(async (page) => {
  await page.goto(site.app);
  await page.waitForURL(`${site.app}/`);
  await page.request.get(`${site.control}/weak`);
  await page.goto(needed);
  await isOurs(page, 'Une authentification plus forte est nécessaire');
  const text = await page.innerText('main');
  for (const said of [
    'La page demandée est davantage protégée\u00a0: votre authentification actuelle ne suffit pas.',
    'par exemple un code reçu sur votre téléphone ou une carte agent',
    'Métropole',
    'substantiel',
  ]) assert.ok(text.includes(said), text);
  assert.ok((await page.innerText('header')).includes('alice'));
  await page.screenshot({ path: `${site.pictures}/step_up.png`, fullPage: true });

  // Not now: the application is still there.
  await page.getByRole('link', { name: 'Retour à l’application' }).click();
  await page.waitForURL(`${site.app}/`);

  await page.goto(needed);
  await page.getByRole('link', { name: 'Continuer' }).click();
  await isOurs(page, 'Niveau d’authentification insuffisant');
  await page.screenshot({ path: `${site.pictures}/too_weak.png`, fullPage: true });

  await page.request.get(`${site.control}/strong`);
  await page.goto(needed);
  await page.getByRole('link', { name: 'Continuer' }).click();
  await page.waitForURL(`${site.app}/admin`);

  // A sign-in of a while ago is asked for once more in words of its own.
  await page.request.get(`${site.control}/later`);
  await page.goto(`${site.app}/_ecluse/login?to=/admin&max_age=60`);
  await isOurs(page, 'Une authentification récente est nécessaire');
  assert.ok((await page.innerText('main')).includes('une session restée ouverte'));
  await page.getByRole('link', { name: 'Continuer' }).click();
  await page.waitForURL(`${site.app}/admin`);
});
