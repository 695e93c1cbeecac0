// Whose organisation no provider serves by name is led to the one for all others, which is told the organisation where it
// takes that; whoever does not find theirs takes the same way.
import assert from 'node:assert/strict';

import { isOurs, SEAT, site, walk } from '../chromium.mjs';

const ASKED = '/dossier?id=7';

await walk(async (page, context) => {
  const asked = [];
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.pathname === '/authorize') asked.push([url.origin, url.searchParams.get('siret_hint')]);
  });
  const search = async (typed) => {
    await context.clearCookies();
    await page.goto(site.permis + ASKED);
    await isOurs(page, 'Quelle est votre organisation\u00a0?');
    await page.getByRole('searchbox').fill(typed);
  };
  const isIn = async () => {
    await page.waitForURL(site.permis + ASKED);
    assert.ok((await context.cookies()).some(({ name }) => name === SEAT));
    assert.match(await page.innerText('body'), /^permis for /);
  };

  // By name: its own provider.
  await search('lille');
  await page.getByRole('link', { name: /^Lille/ }).click();
  await isIn();
  // Of no provider's list: the one for all others, which is told for whom.
  await search('roubaix');
  await page.getByRole('link', { name: /^Roubaix/ }).click();
  await isIn();
  // Not found at all.
  await search('zzzz');
  await page.getByRole('alert').waitFor();
  assert.match(await page.innerText('main'), /Vous ne trouvez pas votre organisation/);
  await page.getByRole('link', { name: 'ProConnect' }).click();
  await isIn();
  assert.deepEqual(asked, [[site.named, null], [site.others, '21590512600011'], [site.others, null]]);
});
