import assert from 'node:assert/strict';

import { received, seats, signIn, site, walk } from '../chromium.mjs';

// What a browser does by itself, or because another site tells it to, signs nobody in and nobody out.
await walk(async (page, context) => {
  await page.goto(`${site.permis}/public/`);

  // A script.
  const told = await page.evaluate(async () => {
    const answer = await fetch('/api/dossiers');
    return { status: answer.status, redirected: answer.redirected, body: await answer.json() };
  });
  assert.deepEqual([told.status, told.redirected], [401, false]);
  assert.ok(told.body.login_url.startsWith(`${site.permis}/_ecluse/login?to=`));

  // An image and a prefetch.
  const of = (name) => page.waitForResponse((response) => response.url().endsWith(name));
  const [image, prefetched] = await Promise.all([
    of('/dossiers/photo'),
    of('/dossiers/suite'),
    page.evaluate(() => {
      document.body.append(Object.assign(document.createElement('img'), { src: '/dossiers/photo', alt: '' }));
      document.head.append(Object.assign(document.createElement('link'), { rel: 'prefetch', href: '/dossiers/suite' }));
    }),
  ]);
  assert.deepEqual([image.status(), prefetched.status()], [401, 401]);
  assert.deepEqual(await context.cookies(), []);

  // The login URL that the script was told works, and ends on the page of the script.
  await signIn(page, told.body.login_url);
  assert.equal(page.url(), `${site.permis}/public/`);

  // Another site cannot sign anybody out, by a form or a link.
  await page.goto(`${site.subventions}/public/`);
  const [refused] = await Promise.all([
    page.waitForNavigation(),
    page.evaluate((action) => {
      const form = Object.assign(document.createElement('form'), { method: 'post', action });
      document.body.append(form);
      form.submit();
    }, `${site.permis}/_ecluse/logout`),
  ]);
  assert.equal(refused.status(), 403);
  await page.goto(`${site.permis}/_ecluse/logout`);
  await page.goto(site.permis);
  assert.equal(await received(page, 'HTTP_X_REMOTE_USER'), 'helene');
  assert.ok((await seats(context)).includes('permis.localhost'));
});
