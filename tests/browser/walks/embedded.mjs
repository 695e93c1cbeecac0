import assert from 'node:assert/strict';

import { pick, site, toProvider, walk } from '../chromium.mjs';

// A frame in the page that is open: the addresses that it was led by, and what it shows then.
async function embed(page) {
  const led = [];
  const seen = (request) => request.frame() !== page.mainFrame() && led.push(request.url().split('?')[0]);
  page.on('request', seen);
  await page.evaluate((src) => {
    const frame = document.createElement('iframe');
    Object.assign(frame, { src, name: 'inside' });
    document.body.append(frame);
    return new Promise((resolve) => frame.addEventListener('load', resolve));
  }, `${site.agenda}/jour?a=b`);
  page.off('request', seen);
  return { led: led.filter((url) => !url.endsWith('/favicon.ico')), inside: page.frame('inside') };
}

// The page that stands for an application here opens one, which is another walk's.
const refusedThere = ['WebSocket connection to'];
const goingRound = [`${site.agenda}/jour`, `${site.portal}/_ecluse/start`];
const heading = (frame) => frame.getByRole('heading', { level: 1 }).innerText();

await walk(async (page) => {
  // Nobody is signed in: a page in the frame, and no provider.
  await page.goto(site.intranet);
  let { led, inside } = await embed(page);
  assert.deepEqual(led, goingRound);
  assert.equal(await heading(inside), 'Veuillez vous connecter');
  assert.match(await inside.innerText('main'), /dans toute la fenêtre/);

  // Its link opens in the window, where the sign-in takes place.
  await inside.getByRole('link', { name: 'Se connecter' }).click();
  await page.getByRole('link', { name: 'Métropole du Nord' }).click();
  await page.waitForURL(`${site.provider}/**`);
  await pick(page, 'helene');
  assert.equal(page.url(), `${site.agenda}/jour?a=b`);
}, refusedThere);

await walk(async (page, context) => {
  await toProvider(page, `${site.permis}/dossiers`);
  await pick(page, 'helene');
  // The portal knows her: the frame goes there and back, and shows the application.
  await page.goto(site.intranet);
  let { led, inside } = await embed(page);
  assert.deepEqual(led, [...goingRound, `${site.agenda}/_ecluse/enter`, `${site.agenda}/jour`]);
  assert.equal(await heading(inside), 'Carnet');

  // With its own seat it needs nobody.
  await page.goto(site.intranet);
  ({ led, inside } = await embed(page));
  assert.deepEqual(led, [`${site.agenda}/jour`]);
  await context.clearCookies({ name: '__Host-ecluse', domain: 'agenda.portail.localhost' });

  // Neither a page of the site that is not listed, nor one of another site.
  for (const outside of [site.autre, `${site.permis}/public/`]) {
    await page.goto(outside);
    ({ led, inside } = await embed(page));
    assert.deepEqual(led, [`${site.agenda}/jour`]);
    assert.equal(await heading(inside), 'Veuillez vous connecter');
  }
}, refusedThere);
