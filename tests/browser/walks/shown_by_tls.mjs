// The demo as it is shown to other machines, by TLS: from its first page to an application, by both protocols. That its
// authority can be trusted, and for no other name, is tried elsewhere; here nobody has been told of it.
import assert from 'node:assert/strict';

import { SEAT, site, walk } from '../chromium.mjs';

async function signIn(browser, url, provider, login) {
  const context = await browser.newContext({ locale: 'fr-FR', ignoreHTTPSErrors: true });
  context.setDefaultTimeout(120_000);
  const page = await context.newPage();
  await page.goto(site.story);
  await page.locator(`main a[href="${url}/"]`).first().click();
  await page.locator(`main a[href*="provider=${provider}"]`).click();
  await page.locator(`button[value=${login}]`).click();
  await page.waitForURL(`${url}/`);
  await page.getByText(`Bonjour ${login}.`).waitFor();
  const cookies = (await context.cookies()).filter(({ name }) => name === SEAT);
  assert.deepEqual(cookies.map(({ domain }) => domain).sort(), [url, site.portal].map((of) => new URL(of).hostname).sort());
  assert.ok(cookies.every(({ secure, httpOnly }) => secure && httpOnly));
  await context.close();
}

await walk(async (unused, context, browser) => {
  for (const url of [site.story, site.elections, site.examens, site.portal]) assert.equal(new URL(url).protocol, 'https:');
  await signIn(browser, site.elections, 'proconnect', 'marc');
  await signIn(browser, site.examens, 'syndicat', 'rose');
});
