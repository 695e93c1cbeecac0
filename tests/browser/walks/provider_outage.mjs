// A provider ends, or hangs: what people are told, how they get round it, and that they go there again once it is back.
import assert from 'node:assert/strict';

import { isNoTrace, isOurs, site, walk } from '../chromium.mjs';

const ASKED = '/dossier?id=7';
const SILENT = 'Ne répond pas pour le moment';
const CHOOSE = 'Choisissez votre service de connexion';

await walk(async (page) => {
  const asked = [];
  page.on('request', (request) => request.url().startsWith(site.provider) && asked.push(request.url()));
  const become = async (what) => assert.ok((await fetch(`${site.control}/${what}`)).ok, what);
  const line = () => page.getByRole('link', { name: /^Fournisseur/ });
  const choose = async () => {
    await page.goto(site.app + ASKED);
    await isOurs(page, CHOOSE);
  };
  // What becomes of it is not waited for where it hangs: a browser has patience for minutes.
  const isSent = async (link) => {
    const sent = page.waitForRequest((request) => request.url().startsWith(site.provider));
    await link.click({ noWaitAfter: true });
    await sent;
  };
  const isSentInVain = async (link) => {
    const failed = site.trouble === 'killed' && page.waitForEvent('framenavigated', (frame) => frame.url().startsWith('chrome-error:'));
    await isSent(link);
    await failed;
  };
  const says = async (silent) => {
    do await choose();
    while ((await line().innerText()).includes(SILENT) !== silent);
  };

  // It answers, and a look of the gateway sees that.
  await choose();
  await isSent(line());
  await page.locator('input[name=login]').waitFor();
  await become('seen');

  // The first person who is sent there then is the last who is not told.
  await become(site.trouble);
  await says(false);
  await isSentInVain(line());
  await says(true);
  await become('everywhere');

  // Who chooses it all the same is told what to expect, and of another way in.
  asked.length = 0;
  await line().click();
  await isOurs(page, 'Votre service de connexion ne répond pas');
  assert.match(await page.innerText('main'), /Le service de connexion ne répond pas pour le moment\s: Fournisseur/);
  assert.deepEqual(asked, [], 'nobody is sent there');
  await page.getByRole('link', { name: 'Choisir un autre service de connexion' }).click();
  await isOurs(page, CHOOSE);
  await page.goBack();
  const others = page.getByRole('list', { name: 'Autres services de connexion' });
  assert.equal(await others.getByRole('link').count(), 1);
  await isNoTrace(page);

  // Who knows better goes there.
  await isSentInVain(page.getByRole('link', { name: 'Essayer quand même' }));
  assert.equal(asked.length, 1);

  // A navigation that still hangs would interrupt the next one, once the provider answers again.
  await page.goto('about:blank', { waitUntil: 'commit' });

  // It is back: people are led there as before.
  await become('well');
  await says(false);
  await isSent(line());
  await page.locator('input[name=login]').fill('helene');
  const password = page.locator('input[name=password]');
  if (await password.count()) await password.fill('any');
  // To sign in; and at some, to agree.
  await page.locator('button').first().click();
  const agrees = page.getByRole('button', { name: 'Continue' });
  const arrives = page.waitForURL(site.app + ASKED, { waitUntil: 'commit' });
  await Promise.race([arrives, agrees.waitFor()]);
  if (!page.url().startsWith(site.app)) await agrees.click();
  await arrives;
  assert.match(await page.innerText('body'), /helene/);
});
