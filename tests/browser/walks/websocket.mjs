import assert from 'node:assert/strict';

import { signIn, site, walk } from '../chromium.mjs';

const lines = (page) => page.locator('li').allInnerTexts();
const until = (page, text) => page.locator('li', { hasText: text }).waitFor();

await walk(async (page, context) => {
  await signIn(page, site.notebook);
  await until(page, 'hello helene');
  await page.evaluate(() => socket.send('bonjour'));
  await until(page, 'you said bonjour');

  // A page of another site opens none with this person's cookie.
  const elsewhere = await context.newPage();
  await elsewhere.goto(site.subventions);
  const seen = await elsewhere.evaluate((address) => new Promise((tell) => {
    const socket = new WebSocket(address);
    socket.onopen = () => tell('open');
    socket.onclose = ({ code }) => tell(code);
  }), `${site.notebook.replace('http', 'ws')}/ws`);
  assert.equal(seen, 1006);

  // In another tab, the person signs out.
  const other = await context.newPage();
  await other.goto(`${site.notebook}/_ecluse/logout`);
  await other.getByRole('button', { name: 'Se déconnecter' }).click();
  await other.getByRole('heading', { name: 'Votre session est fermée' }).waitFor();
  await until(page, 'closed');
  assert.deepEqual(await lines(page), ['open', 'hello helene', 'you said bonjour', 'closed 1008 signed out true']);

  // It does not open again, and what a script asks meanwhile is no redirect.
  await page.evaluate(() => begin());
  await until(page, 'closed 1006');
  const asked = await page.evaluate(() => fetch('/x').then((answer) => [answer.status, answer.redirected]));
  assert.deepEqual(asked, [401, false]);
}, ['WebSocket connection to']);
