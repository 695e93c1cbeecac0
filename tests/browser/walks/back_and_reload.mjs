import assert from 'node:assert/strict';

import { heading, isNoTrace, isOurs, person, received, seats, signIn, site, walk } from '../chromium.mjs';

await walk(async (page, context, browser) => {
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await signIn(page, `${site.permis}/dossiers`);
  const callback = asked.find((url) => url.startsWith(`${site.portal}/_ecluse/callback/`));
  const enter = asked.find((url) => url.startsWith(`${site.permis}/_ecluse/enter?`));
  assert.ok(callback && enter);

  // Back, to the first page of all, reloading each: a page or the application, never a trace.
  let steps = 0;
  while (await page.goBack()) {
    assert.ok((steps += 1) < 10);
    for (const again of [false, true]) {
      if (again) await page.reload();
      assert.ok((await heading(page)).length > 3, page.url());
      await isNoTrace(page);
    }
  }
  assert.ok(steps >= 2);
  while (await page.goForward()) await isNoTrace(page);
  await page.goto(`${site.permis}/dossiers`);
  assert.equal(await received(page, 'HTTP_X_REMOTE_USER'), 'helene');

  // The provider's answer once more.
  for (const again of [false, true]) {
    const answer = again ? await page.reload() : await page.goto(callback);
    assert.equal(answer.status(), 400);
    await isOurs(page, 'Votre session est déjà ouverte');
  }
  await page.getByRole('link', { name: 'Continuer' }).click();
  await isOurs(page, 'Vos applications');

  // The hand-over once more: on to the application.
  const before = await context.cookies();
  await page.goto(enter);
  assert.equal(page.url(), `${site.permis}/`);
  assert.equal(await received(page, 'HTTP_X_REMOTE_USER'), 'helene');
  assert.deepEqual(await context.cookies(), before);

  // Both in the browser of somebody else: no seat, a page and a way on.
  const other = await person(browser);
  const stranger = await other.newPage();
  assert.equal((await stranger.goto(callback)).status(), 400);
  await isOurs(stranger, 'Cette page de connexion a expiré');
  await stranger.reload();
  await isOurs(stranger, 'Cette page de connexion a expiré');
  await stranger.goto(enter);
  await isOurs(stranger, 'Choisissez votre service de connexion');
  assert.deepEqual(await seats(other), []);
});
