// The pages in the folder that is the one argument, in Chromium: what axe-core finds, in light and in dark, and what
// is cut off in a window of 320 pixels (WCAG 1.4.10; 1280 pixels at 400 %). Prints a JSON object: page to findings.
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

const [, , folder, executablePath] = process.argv;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const found = {};

const browser = await chromium.launch({
  executablePath,
  timeout: 120_000,
  args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
for (const colorScheme of ['light', 'dark']) {
  const context = await browser.newContext({ colorScheme, bypassCSP: true, viewport: { width: 320, height: 640 } });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  for (const name of readdirSync(folder)) {
    found[name] ??= [];
    await page.goto(`file://${join(folder, name)}`);
    if (await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)) {
      found[name].push('does not fit 320 pixels');
    }
    if (await page.evaluate(() => performance.getEntriesByType('resource').length)) {
      found[name].push('loads something');
    }
    await page.keyboard.press('Tab');
    if ((await page.evaluate(() => document.activeElement.className)) !== 'skip') {
      found[name].push('the first stop of the keyboard is not the way to the content');
    }
    await page.evaluate(axe);
    const { violations } = await page.evaluate((only) => globalThis.axe.run({ runOnly: only }), tags);
    found[name].push(...violations.map((violation) => `${colorScheme}: ${violation.id}: ${violation.help}`));
  }
}
await browser.close();
console.log(JSON.stringify(found));
