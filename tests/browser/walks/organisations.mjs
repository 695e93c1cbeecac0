// An organisation is found as its name is typed; where scripts are off, by the button.
import assert from 'node:assert/strict';

import { isOurs, site, walk } from '../chromium.mjs';

await walk(async (page, context, browser) => {
  await page.goto(site.permis);
  await isOurs(page, 'Quelle est votre organisation\u00a0?');
  const chooser = page.url();
  const field = page.getByRole('searchbox');
  await field.pressSequentially('saint den');
  await page.getByRole('heading', { name: 'Organisations trouvées' }).waitFor();
  assert.equal(await page.getByRole('status').textContent(), 'Organisations trouvées');
  await page.getByText('La Réunion (974)').waitFor();
  assert.equal(page.url(), chooser);
  // What is typed stays typed, and the keyboard stays where it was.
  assert.equal(await page.evaluate(() => document.activeElement.value), 'saint den');
  await page.screenshot({ path: `${site.pictures}/organisations.png` });
  // By any of its numbers, a part of its postcode, or an address of its people; and whose list it is stands there.
  const ways = { postcode: '590', siret: '21590350100017', siren: '215903501', insee: '59350', address: 'agent@lille.example' };
  for (const typed of Object.values(ways)) {
    await field.fill('zzzz');
    await page.getByRole('alert').waitFor();
    await field.fill(typed);
    await page.getByRole('link', { name: /^Lille/ }).waitFor();
  }
  assert.match(await page.innerText('main'), /INSEE – Licence Ouverte.*15\u00a0janvier 2026/);
  await field.fill('zzzz');
  await page.getByRole('alert').waitFor();
  await field.fill('lille');
  await page.getByRole('link', { name: /^Lille/ }).click();
  await page.waitForURL(`${site.permis}/`);

  const plain = await browser.newContext({ locale: 'fr-FR', javaScriptEnabled: false });
  const still = await plain.newPage();
  await still.goto(site.permis);
  await still.getByRole('searchbox').fill('lille');
  await still.getByRole('button', { name: 'Rechercher' }).click();
  await still.getByRole('link', { name: /^Lille/ }).waitFor();
  await plain.close();
});
