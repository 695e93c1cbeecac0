// A provider takes its time: a page says who is waited for, and that there is nothing to do. The next one comes by itself.
import assert from 'node:assert/strict';

import { site, walk } from '../chromium.mjs';

const SHOWN = 'shown: ';

await walk(async (page, context) => {
  // The page goes on at once, to what is answered when there is something to show: nobody from outside may look into it
  // meanwhile, so that each page tells by itself what a person sees of it.
  const seen = [];
  page.on('console', (message) => {
    if (message.text().startsWith(SHOWN)) seen.push(message.text().slice(SHOWN.length));
  });
  await context.addInitScript((shown) => {
    const tell = () => console.info(shown + document.body.innerText);
    addEventListener('DOMContentLoaded', () => requestAnimationFrame(tell));
  }, SHOWN);
  await page.setViewportSize({ width: 320, height: 640 });
  await page.goto(`${site.permis}/agenda`);
  await page.getByRole('link', { name: 'Métropole' }).click();
  await page.waitForURL(`${site.permis}/agenda`);
  assert.equal(await page.innerText('body'), 'permis for alice');

  const waited = seen.filter((text) => text.includes('C’est plus long que d’habitude'));
  assert.equal(waited.length, 1, seen.join('\n---\n'));
  for (const said of ['Le service de connexion n’a pas encore répondu\u00a0: Métropole', 'Vous n’avez rien à faire']) {
    assert.ok(waited[0].includes(said), waited[0]);
  }
});
