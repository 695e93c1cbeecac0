import { site, walk } from '../chromium.mjs';

// Three pages of an application whose session cookie is hidden; no response has it, nor has document.cookie, nor the jar.
await walk(async (page) => {
  const seen = [];
  page.on('response', async (response) => seen.push(JSON.stringify(await response.allHeaders())));
  await page.goto(`${site.app}/page`);
  for (const number of [1, 2, 3]) {
    if (number > 1) await page.goto(`${site.app}/page`);
    const text = await page.locator('p').textContent();
    if (!text.endsWith(`: ${number}`)) throw new Error(`page ${number} says ${text}`);
  }
  const script = await page.evaluate(() => document.cookie);
  const held = JSON.stringify(await page.context().cookies());
  if (`${script} ${held} ${seen.join(' ')}`.includes('PHPSESSID')) throw new Error('the browser has seen it');
  if (!held.includes('__Host-ecluse-c')) throw new Error('it has no mark');
  await page.goto(`${site.app}/_ecluse/logout`);
  await page.getByRole('button').first().click();
  await page.waitForLoadState();
  console.log(script);
});
