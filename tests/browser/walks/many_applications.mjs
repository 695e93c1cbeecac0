// A person with more applications than fit a page: fifty at a time, forth and back, and found by a part of their name.
import assert from 'node:assert/strict';

import { heading, site, walk } from '../chromium.mjs';

const NEXT = 'Page suivante', BEFORE = 'Page précédente';

await walk(async (page) => {
  const names = () => page.locator('main .choices a').allInnerTexts();
  const links = async () => [await page.getByRole('link', { name: BEFORE }).count(), await page.getByRole('link', { name: NEXT }).count()];
  const turn = async (name) => {
    const [first] = await names();
    await page.getByRole('link', { name }).click();
    await page.waitForFunction((before) => document.querySelector('main .choices a').innerText !== before, first);
    return names();
  };
  const search = async (text) => {
    await page.getByRole('searchbox').fill(text);
    await Promise.all([page.waitForURL(`**/?q=${encodeURIComponent(text).replace('%20', '+')}`),
      page.getByRole('main').getByRole('button', { name: 'Rechercher' }).click()]);
    return names();
  };

  await page.goto(`${site.portal}/`);
  // Who is not signed in chooses where to do so, and is back.
  await page.getByRole('link', { name: 'alpha' }).click();
  await page.getByRole('link', { name: 'Continuer' }).click();
  assert.equal(await heading(page), 'Vos applications');

  const first = await names();
  assert.equal(first.length, 50);
  assert.deepEqual(await links(), [0, 1]);
  const second = await turn(NEXT);
  assert.equal(second.length, 50);
  assert.deepEqual(await links(), [1, 0]);
  // Each of them once; what the person may not open is in no list.
  assert.equal(new Set([...first, ...second]).size, 100);
  assert.ok(![...first, ...second].includes('Service 999'));
  assert.deepEqual(await turn(BEFORE), first);

  assert.deepEqual(await search('SERVICE 042'), ['Service 042']);
  assert.deepEqual(await links(), [0, 0]);
  // A search goes on over its pages.
  assert.equal((await search('service')).length, 50);
  assert.equal((await turn(NEXT)).length, 48);
  assert.equal(await page.getByRole('searchbox').inputValue(), 'service');
});
