// Which provider a person is led to: by the network, the host, their address, what they chose before, or as the only one.
import assert from 'node:assert/strict';

import { isOurs, SEAT, site, walk } from '../chromium.mjs';

const ASKED = '/dossier?id=7';
const SEARCH = 'Quelle est votre organisation\u00a0?';
const LAST = 'Comme la dernière fois';

await walk(async (page, context) => {
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  const become = (what) => fetch(`${site.control}/${what}`);
  // As later on: no session is there any more.
  const again = async () => {
    await become('later');
    await context.clearCookies({ name: SEAT });
    asked.length = 0;
    await page.goto(site.permis + ASKED);
  };
  const isIn = async (issuer, other) => {
    await page.waitForURL(site.permis + ASKED);
    assert.match(await page.innerText('body'), /^permis for /);
    assert.ok(asked.some((url) => url.startsWith(issuer)), issuer);
    assert.ok(!asked.some((url) => url.startsWith(other)), other);
  };
  const remembered = async () => (await context.cookies()).some(({ name }) => name === `${SEAT}-provider`);

  // The network: the provider of its people stands first, and others below.
  await become('network');
  await again();
  await isOurs(page, 'Choisissez votre service de connexion');
  assert.equal(await page.getByRole('list', { name: 'Proposé sur votre réseau' }).innerText(), 'Département');
  assert.equal(await page.getByRole('list', { name: 'Autres services de connexion' }).innerText(), 'Métropole');

  // The host: all its people are of one provider, and nobody is asked.
  await become('host');
  await again();
  await isIn(site.second, site.first);

  // It is remembered where people choose from a list, too.
  await become('list');
  await again();
  await isOurs(page, 'Choisissez votre service de connexion');
  assert.equal(await page.getByRole('list', { name: LAST }).innerText(), 'Département');
  assert.equal(await page.getByRole('list', { name: 'Autres services de connexion' }).innerText(), 'Métropole');
  await page.getByRole('button', { name: 'Oublier ce choix' }).click();
  await page.getByText(LAST).waitFor({ state: 'detached' });
  await isOurs(page, 'Choisissez votre service de connexion');
  assert.ok(!(await remembered()));

  // The domain of an address.
  await become('organisations');
  await again();
  await isOurs(page, SEARCH);
  assert.equal(await page.getByText(LAST).count(), 0);
  await page.getByRole('searchbox').fill('helene@metropole.example');
  await page.getByRole('list', { name: 'Organisations trouvées' }).getByRole('link', { name: 'Métropole' }).click();
  await isIn(site.first, site.second);

  // It is remembered in this browser: one click the next time, and one that undoes it.
  assert.ok(await remembered());
  await again();
  await page.getByRole('list', { name: LAST }).getByRole('link', { name: 'Métropole' }).click();
  await isIn(site.first, site.second);
  await again();
  await page.getByRole('button', { name: 'Oublier ce choix' }).click();
  await page.getByText(LAST).waitFor({ state: 'detached' });
  await isOurs(page, SEARCH);
  assert.ok(!(await remembered()));
  // What was asked for is kept by it.
  await page.getByRole('searchbox').fill('lille');
  await page.getByRole('link', { name: /^Lille/ }).click();
  await isIn(site.first, site.second);

  // Where one is left, nobody is asked.
  await become('one');
  await again();
  await isIn(site.first, site.second);
});
