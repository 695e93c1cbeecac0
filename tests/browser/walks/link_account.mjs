// A person links their own account of an application with a login form, and writes its new password where it was changed.
import assert from 'node:assert/strict';
import fs from 'node:fs';

import { isOurs, site, walk } from '../chromium.mjs';

const login = (page) => page.getByLabel('Votre identifiant dans cette application');

async function write(page, password) {
  await page.getByLabel('Votre mot de passe dans cette application').fill(password);
  await page.getByRole('button', { name: 'Rattacher ce compte' }).click();
}

// The application's page, and not ours that leads to it.
async function arrived(page) {
  await page.waitForURL(`${site.app}/notes`);
  assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), 'Bonjour a.liddell');
}

await walk(async (page) => {
  await page.goto(`${site.app}/notes`);
  await isOurs(page, 'Rattachez d’abord votre compte dans cette application');
  await page.getByRole('link', { name: 'Rattacher votre compte' }).click();
  await isOurs(page, 'Rattacher votre compte');
  await login(page).fill('a.liddell');
  await write(page, 'au hasard');
  await isOurs(page, 'Ce compte n’a pas été rattaché');
  assert.equal(await login(page).inputValue(), 'a.liddell');
  await write(page, site.password);
  await arrived(page);

  fs.writeFileSync(`${site.folder}/password-a.liddell`, 'le nouveau');
  for (const name of fs.readdirSync(site.folder)) if (name.startsWith('sess_')) fs.unlinkSync(`${site.folder}/${name}`);
  await page.reload();
  await isOurs(page, 'L’application a refusé votre compte');
  await page.getByRole('link', { name: 'Indiquer le nouveau mot de passe' }).click();
  assert.equal(await login(page).inputValue(), 'a.liddell');
  await write(page, 'le nouveau');
  await arrived(page);
});
