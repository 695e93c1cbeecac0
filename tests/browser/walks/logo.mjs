// A provider's logo, as its metadata name it on a server of somebody else: the portal shows it, from a copy that it has
// drawn anew, and the browser asks no host but ours.
import assert from 'node:assert/strict';

import { isOurs, site, walk } from '../chromium.mjs';

const source = Buffer.from(site.picture, 'base64');
const chunks = (png) => {
  const found = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) found.push(png.toString('latin1', at + 4, at + 8));
  return found;
};

await walk(async (page) => {
  const asked = [], logos = [];
  page.on('request', (request) => asked.push(new URL(request.url()).origin));
  page.on('response', (response) => {
    if (response.request().resourceType() === 'image') logos.push(response);
  });
  await page.goto(`${site.permis}/agenda`);
  await isOurs(page, 'Choisissez votre service de connexion');
  const logo = page.getByRole('link', { name: 'Région Nord' }).locator('img');
  await page.waitForFunction(() => document.querySelector('.choices img').naturalWidth > 0);
  assert.ok(await logo.isVisible());
  const { width, height } = await logo.boundingBox();
  assert.deepEqual([width > 0, height], [true, 32]);

  assert.deepEqual([...new Set(asked)].sort(), [site.permis, site.portal].sort());
  const [answer] = logos;
  assert.equal(answer.url(), await logo.evaluate((one) => one.src));
  assert.equal(answer.headers()['content-type'], 'image/png');
  const shown = await answer.body();
  assert.ok(chunks(source).includes('tEXt') && source.includes(site.words));
  assert.deepEqual(new Set(chunks(shown)), new Set(['IHDR', 'IDAT', 'IEND']));
  assert.ok(!shown.includes(site.words) && !shown.equals(source));
});
