import assert from 'node:assert/strict';

import { heading, isOurs, person, pick, received, seats, site, toProvider, walk } from '../chromium.mjs';

const ASKED = '/dossiers?annee=2024&nom=L%C3%A9a&vide=';

await walk(async (page, context, browser) => {
  // Somebody whom nobody knows: the choice of providers, then the provider's own page.
  await page.goto(site.permis + ASKED);
  await isOurs(page, 'Choisissez votre service de connexion');
  assert.doesNotMatch(page.url(), /dossiers/);
  await toProvider(page, site.permis + ASKED);
  assert.equal(await heading(page), 'Connexion de la métropole');
  await pick(page, 'helene');

  // Back on the page asked for, and the application knows.
  assert.equal(page.url(), site.permis + ASKED);
  assert.equal(await received(page, 'HTTP_X_REMOTE_USER'), 'helene');
  assert.equal(await received(page, 'HTTP_CTLN'), 'Leboeuf-Müller');
  assert.equal(await received(page, 'REQUEST_URI'), ASKED);
  assert.match(await page.innerText('main'), /Bonjour helene\./);
  assert.equal(await received(page, 'HTTP_COOKIE'), null);

  // The second application asks nobody anything.
  const visited = new Set();
  page.on('request', (request) => request.isNavigationRequest() && visited.add(new URL(request.url()).origin));
  await page.goto(`${site.subventions}/demandes?x=1`);
  assert.equal(page.url(), `${site.subventions}/demandes?x=1`);
  assert.equal(await received(page, 'HTTP_AUTH_USER'), 'helene');
  assert.equal(await received(page, 'HTTP_COOKIE'), 'CTSESSION=present');
  assert.deepEqual([...visited].sort(), [site.portal, site.subventions].sort());

  // Real names of cookies, on http, each on its own host, out of reach of scripts.
  const cookies = await context.cookies();
  assert.ok(cookies.length >= 5);
  for (const cookie of cookies) {
    assert.match(cookie.name, /^__Host-ecluse(-provider|-b(-[0-9a-f]{8})?)?$/);
    assert.deepEqual([cookie.secure, cookie.httpOnly, cookie.sameSite, cookie.path], [true, true, 'Lax', '/']);
    assert.doesNotMatch(cookie.domain, /^\./);
  }
  assert.deepEqual(await seats(context), ['permis.localhost', 'portail.localhost', 'subventions.localhost']);
  assert.equal(await page.evaluate(() => document.cookie), '');

  // The pages speak the browser's language.
  const english = await (await person(browser, 'en-GB')).newPage();
  await english.goto(site.permis);
  assert.equal(await heading(english), 'Choose your sign-in service');
  assert.equal(await english.getByRole('link', { name: 'Northern Metropolis' }).count(), 1);
});
