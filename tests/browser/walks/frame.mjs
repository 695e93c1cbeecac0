import assert from 'node:assert/strict';

import { pick, received, seats, site, walk } from '../chromium.mjs';

const embed = (page, src) =>
  page.evaluate((src) => {
    const frame = document.createElement('iframe');
    Object.assign(frame, { src, name: 'inside', title: 'inside' });
    document.querySelector('main').append(frame);
    return new Promise((resolve) => frame.addEventListener('load', resolve));
  }, src);

await walk(async (page, context) => {
  // A page of the application's own holds a frame whose session has ended, then a page of another site does.
  for (const outside of [site.subventions, site.permis]) {
    await page.goto(`${outside}/public/`);
    const [answer] = await Promise.all([
      page.waitForResponse(`${site.permis}/dossiers?a=b`),
      embed(page, `${site.permis}/dossiers?a=b`),
    ]);
    assert.equal(answer.status(), 401);
    const inside = page.frame('inside');
    assert.equal(inside.url(), `${site.permis}/dossiers?a=b`);
    await inside.getByRole('heading', { name: 'Veuillez vous connecter' }).waitFor();
    assert.equal(await inside.getByRole('link', { name: 'Se connecter' }).getAttribute('target'), '_top');
  }
  assert.deepEqual(await seats(context), []);

  // Its link opens at the top, and the sign-in ends on the page that the frame was to show.
  await page.frame('inside').getByRole('link', { name: 'Se connecter' }).click();
  await page.getByRole('link', { name: 'Métropole du Nord' }).click();
  await page.waitForURL(`${site.provider}/**`);
  await pick(page, 'helene');
  assert.equal(page.url(), `${site.permis}/dossiers?a=b`);
  assert.equal(page.frames().length, 1);
  assert.equal(await received(page, 'HTTP_X_REMOTE_USER'), 'helene');

  // Signed in, the frame of the same site shows the application.
  await page.goto(`${site.permis}/public/`);
  await embed(page, `${site.permis}/`);
  assert.match(await page.frame('inside').innerText('main'), /Bonjour helene/);
});
