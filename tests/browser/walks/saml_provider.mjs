// A SAML provider by the name and the logo of its own metadata, in both languages; and another account at it in one click,
// from home and on the way to a page, which is kept.
import assert from 'node:assert/strict';

import { isOurs, person, site, walk } from '../chromium.mjs';

const ASKED = '/dossier?id=7';
const names = JSON.parse(site.names);

async function named(page, name) {
  const link = page.getByRole('link', { name, exact: true });
  await link.waitFor();
  const logo = link.locator('img');
  await page.waitForFunction(() => document.querySelector('.choices img').naturalWidth > 0);
  assert.equal(await logo.getAttribute('alt'), '');
  assert.ok(new URL(await logo.evaluate((one) => one.src)).href.startsWith(`${site.portal}/_ecluse/saml/logo?`));
  return link;
}

await walk(async (page, context, browser) => {
  const become = (who) => page.request.get(`${site.control}/${who}`);
  // Through the provider's page: whether it was asked to sign the person in anew.
  const through = async (link, anew) => {
    await link.click();
    await page.getByText(`ForceAuthn: ${anew}`).waitFor();
    await page.getByRole('button', { name: 'Continuer' }).click();
  };
  const english = await person(browser, 'en-GB');
  const other = await english.newPage();
  await other.goto(site.permis + ASKED);
  await named(other, names.en);
  await english.close();

  await page.goto(site.permis + ASKED);
  await through(await named(page, names.fr), false);
  await page.waitForURL(site.permis + ASKED);
  assert.equal(await page.innerText('body'), 'permis for alice');

  // From home: the provider is asked anew, and home is of the other person then.
  await become('bob');
  await page.goto(`${site.portal}/`);
  assert.match(await page.innerText('header'), /Compte\s: helene/);
  await through(page.getByRole('link', { name: 'Utiliser un autre compte' }), true);
  await page.getByRole('link', { name: 'Continuer' }).click();
  await isOurs(page, 'Vos applications');
  assert.match(await page.innerText('header'), /Compte\s: bob@/);

  // On the way to a page of an application, by the link that its refusals have: at once, and by another organisation.
  const asked = `${site.permis}/_ecluse/login?to=${encodeURIComponent(ASKED)}&other_account=`;
  for (const [who, how, person] of [['well', '1', 'alice'], ['bob', 'organisation', 'bob']]) {
    await become(who);
    await page.goto(asked + how);
    if (how === 'organisation') await (await named(page, names.fr)).click();
    await page.getByText('ForceAuthn: true').waitFor();
    await page.getByRole('button', { name: 'Continuer' }).click();
    await page.waitForURL(site.permis + ASKED);
    assert.equal(await page.innerText('body'), `permis for ${person}`);
  }
});
