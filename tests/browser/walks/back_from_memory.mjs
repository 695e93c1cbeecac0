// In a browser that keeps pages in its memory, as people's do: Back after a sign-out at an application shows nobody the
// home of who was signed in, though no cookie of the portal has changed; nor does Forward.
import assert from 'node:assert/strict';

import { chromium } from 'playwright-core';

import { isOurs, person, signIn, site } from '../chromium.mjs';

const browser = await chromium.launch({
  executablePath: site.executablePath,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-proxy-server'],
  ignoreDefaultArgs: ['--disable-back-forward-cache'],
  timeout: 120_000,
});
try {
  const page = await (await person(browser)).newPage();
  const kept = [];
  await page.exposeFunction('kept', (address) => kept.push(address));
  await page.addInitScript(() => addEventListener('pageshow', (event) => {
    if (event.persisted) globalThis.kept(location.href);
  }));

  await signIn(page, site.permis);
  for (const [path, title, then] of [
    ['/', 'Vos applications', 'Choisissez votre service de connexion'],
    ['/_ecluse/sessions', 'Vos sessions dans ce navigateur', 'Aucune session n’est ouverte dans ce navigateur'],
  ]) {
    await page.goto(site.portal + path);
    await isOurs(page, title);
    await page.goto(`${site.permis}/_ecluse/logout`);
    await page.getByRole('button', { name: 'Se déconnecter' }).click();
    await isOurs(page, 'Votre session est fermée');
    const stays = page.url();
    await page.evaluate(() => { setTimeout(() => history.go(-2), 0); });
    await page.getByRole('heading', { level: 1, name: then, exact: true }).waitFor();
    assert.doesNotMatch(await page.innerText('body'), /helene/);
    assert.notEqual(page.url(), stays);
    await signIn(page, site.permis);
  }
  console.log(JSON.stringify(kept));
} finally {
  await browser.close();
}
