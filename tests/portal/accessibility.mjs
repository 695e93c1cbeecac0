// The pages in the folder that is the first argument, in Chromium: what axe-core finds, in light and in dark; what is cut
// off in a window of 320 pixels (WCAG 1.4.10; 1280 pixels at 400 %), in text of twice the size (1.4.4) and with wider
// spacing (1.4.12); where the keyboard goes (2.4.3, 2.4.7); what is printed; and what is left without styles and
// pictures. Prints a JSON object: page to findings. A third argument says that they load a sheet of styles that stands
// beside them.
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

const [, , folder, executablePath, sheets] = process.argv;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const spacing = '*{line-height:1.5!important;letter-spacing:.12em!important;word-spacing:.16em!important}'
  + 'p{margin-bottom:2em!important}';
const found = {};

const isCut = () => document.documentElement.scrollWidth > document.documentElement.clientWidth;

// The one picture that a page may load is a provider's logo, a file of our own.
const loaded = () => performance.getEntriesByType('resource').map((entry) => entry.name)
  .filter((address) => !address.endsWith('/logo.png')).map((address) => `loads ${address}`);

// The day of a date is on one line, or is broken in the middle: "le 30 novembre" and "2026".
const broken = () => [...document.querySelectorAll('main .whole')]
  .filter((part) => part.getClientRects().length > 1).map((part) => `breaks ${part.innerText}`);

// On paper: dark on white in either theme, and what cannot be used there is left out.
async function printed(page) {
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  const problems = await page.evaluate(() => {
    const shade = (colour) => Math.max(...colour.match(/[\d.]+/g).slice(0, 3).map(Number));
    const left = [...document.querySelectorAll('.skip,.tools,.act')].filter((part) => part.checkVisibility());
    return [
      shade(getComputedStyle(document.body).color) > 90 ? ['prints light text'] : [],
      document.querySelector('h1')?.checkVisibility() ? [] : ['prints no heading'],
      left.map((part) => `prints ${part.className}`),
    ].flat();
  });
  await page.emulateMedia({ media: 'screen', colorScheme: 'light' });
  return problems;
}

// Without style sheets and without pictures: the same words in the same order, every link and button with its own.
async function bare(page) {
  return page.evaluate(() => {
    const words = () => document.body.innerText.replace(/\s+/g, ' ').trim();
    const styled = words();
    document.querySelectorAll('style,svg,img').forEach((part) => part.remove());
    const plain = words();
    const wordless = [...document.querySelectorAll('a[href],button')].filter((stop) => !stop.innerText.trim());
    return [
      plain.replace(/ /g, '') === styled.replace(/ /g, '') ? [] : [`without styles it reads otherwise: ${plain}`],
      wordless.map((stop) => `without pictures this has no words: ${stop.outerHTML}`),
    ].flat();
  });
}

// Every stop of the keyboard, in the order of the page, each to be seen; the first leads past the head of the page.
async function keyboard(page) {
  const stops = await page.evaluate(() => {
    globalThis.stops = [...document.querySelectorAll('a[href],button,textarea,input:not([type=hidden])')];
    return globalThis.stops.length;
  });
  const problems = [];
  for (let at = 0; at < stops; at += 1) {
    await page.keyboard.press('Tab');
    const here = await page.evaluate(() => {
      const stop = document.activeElement;
      // A link that takes a whole tile has its outline around the tile.
      const outlined = [null, '::before', '::after'].some((part) => {
        const { outlineStyle, outlineWidth } = getComputedStyle(stop, part);
        return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
      });
      const { top, bottom, left } = stop.getBoundingClientRect();
      const seen = bottom > 0 && top < innerHeight && left >= 0 && outlined;
      return { at: globalThis.stops.indexOf(stop), seen, first: stop.getAttribute('href') };
    });
    if (here.at !== at) problems.push(`stop ${at} of the keyboard is element ${here.at}`);
    if (!here.seen) problems.push(`stop ${at} of the keyboard is not seen`);
    if (at === 0 && here.first !== '#main') problems.push('the first stop of the keyboard is not the way to the content');
  }
  return problems;
}

// Text of twice the size, and wider spacing: nothing is cut off, in the width that the text then has.
async function larger(page) {
  const problems = [];
  const style = await page.addStyleTag({ content: spacing });
  if (await page.evaluate(isCut)) problems.push('does not fit with wider spacing');
  await style.evaluate((element) => element.remove());
  await page.setViewportSize({ width: 640, height: 640 });
  await page.evaluate(() => { document.documentElement.style.fontSize = '34px'; });
  if (await page.evaluate(isCut)) problems.push('does not fit in text of twice the size');
  await page.setViewportSize({ width: 320, height: 640 });
  return problems;
}

const browser = await chromium.launch({
  executablePath,
  timeout: 120_000,
  args: ['--no-sandbox', '--allow-file-access-from-files', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
for (const colorScheme of ['light', 'dark']) {
  const context = await browser.newContext({ colorScheme, bypassCSP: true, viewport: { width: 320, height: 640 } });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  for (const name of readdirSync(folder)) {
    found[name] ??= [];
    await page.goto(`file://${join(folder, name)}`);
    if (await page.evaluate(isCut)) found[name].push('does not fit 320 pixels');
    found[name].push(...await page.evaluate(broken));
    if (!sheets) found[name].push(...await page.evaluate(loaded));
    await page.evaluate(axe);
    const { violations } = await page.evaluate((only) => globalThis.axe.run({ runOnly: only }), tags);
    found[name].push(...violations.map((violation) => `${colorScheme}: ${violation.id}: ${violation.help}`));
    if (colorScheme === 'light') {
      found[name].push(...(await keyboard(page)), ...(await larger(page)));
      if (!sheets) found[name].push(...(await printed(page)), ...(await bare(page)));
    }
  }
}
await browser.close();
console.log(JSON.stringify(found));
