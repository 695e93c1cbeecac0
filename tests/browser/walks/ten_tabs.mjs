import assert from 'node:assert/strict';

import { pick, received, seats, site, toProvider, walk } from '../chromium.mjs';

await walk(async (_, context) => {
  const tabs = await Promise.all(Array.from({ length: 10 }, () => context.newPage()));
  const asked = tabs.map((_, number) => `${number % 2 ? site.permis : site.subventions}/onglet?n=${number}`);
  // All of them stand at the provider before the first one goes on.
  await Promise.all(tabs.map((tab, number) => toProvider(tab, asked[number])));
  await Promise.all(tabs.map((tab) => pick(tab, 'helene')));
  for (const [number, tab] of tabs.entries()) {
    assert.equal(tab.url(), asked[number]);
    assert.equal(await received(tab, number % 2 ? 'HTTP_X_REMOTE_USER' : 'HTTP_AUTH_USER'), 'helene');
  }
  assert.deepEqual(await seats(context), ['permis.localhost', 'portail.localhost', 'subventions.localhost']);
  for (const [number, tab] of tabs.entries()) {
    await tab.reload();
    assert.equal(tab.url(), asked[number]);
  }
});
