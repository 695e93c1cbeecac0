// One browser is one person: "use another account" on the portal leaves no page of the first person on any host, and the
// list of sessions names who is there, in French and in English.
import assert from 'node:assert/strict';

import { site, walk } from '../chromium.mjs';

const body = (page) => page.innerText('body');
const mainOf = (page) => page.innerText('main');

await walk(async (page, context) => {
  const becomes = (name) => context.addCookies([{ name: 'op', value: name, url: site.provider }]);
  await becomes('alice');
  for (const [host, word] of [[site.actes, 'actes'], [site.permis, 'permis']]) {
    await page.goto(host);
    assert.equal(await body(page), `${word} for alice`);
  }
  // A tab of the first person stays open.
  const left = await context.newPage();
  await left.goto(`${site.actes}/dossier?id=7`);
  assert.equal(await body(left), 'actes for alice');

  await page.goto(site.portal);
  assert.match(await mainOf(page), /Compte\s: alice/);
  await becomes('bob');
  await page.getByRole('link', { name: 'Utiliser un autre compte' }).click();
  await page.waitForURL(`${site.portal}/**`);
  await page.goto(site.portal);
  assert.match(await mainOf(page), /Compte\s: bob/);
  assert.doesNotMatch(await body(page), /alice/);

  await left.reload();
  assert.equal(await body(left), 'actes for bob');
  await page.goto(site.permis);
  assert.equal(await body(page), 'permis for bob');

  await page.goto(`${site.portal}/_ecluse/sessions`);
  for (const [language, word] of [['Français', 'Compte'], ['English', 'Account']]) {
    if (language === 'English') await page.getByRole('link', { name: language }).click();
    const listed = await mainOf(page);
    assert.match(listed, new RegExp(`${word}\\s?:\\s*bob`));
    assert.doesNotMatch(listed, /alice/);
  }
});
