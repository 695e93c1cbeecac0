// What an operator writes in `theme:` as people see it: name, logo, colours, help and links, in both languages, in light
// and dark, on a desk and a telephone; a refusal in the operator's words; times in the operator's zone, wherever the
// browser is. With site.mark it is the State's design system: a sheet of the page's own host, and light pages alone.
import assert from 'node:assert/strict';

import { isPastWaiting, site, walk } from '../chromium.mjs';

const told = Object.fromEntries(['names', 'help', 'legal', 'statement', 'refusal', 'label']
  .map((name) => [name, JSON.parse(site[name])]));
const mark = site.mark ? JSON.parse(site.mark) : null;
const words = {
  fr: {
    refused: 'Vous n’avez pas accès à cette page',
    general: 'Votre compte ne donne pas accès',
    home: 'Vos applications',
    footer: [`Mentions légales ${told.legal.fr}`, `Données personnelles ${site.privacy}`,
      `Accessibilité\u00a0: partiellement conforme ${told.statement.fr}`],
    opened: /Ouverture\u00a0: (?:hier|aujourd’hui)\u00a0à\u00a0(\d+)\u00a0h(?:\u00a0(\d\d))?/,
  },
  en: {
    refused: 'You may not open this page',
    general: 'Your account does not give access',
    home: 'Your applications',
    footer: [`Legal notice ${told.legal.en}`, `Data protection ${site.privacy}`,
      `Accessibility: partly conforming ${told.statement.en}`],
    opened: /Opened: (?:yesterday|today)\u00a0at\u00a0(\d+):(\d\d)\u00a0(am|pm)/,
  },
};
const looks = ['light', 'dark'].flatMap((colorScheme) => Object.entries({
  desk: { width: 1280, height: 800 }, phone: { width: 320, height: 640 },
}).map(([size, viewport]) => ({ colorScheme, size, viewport })));

const rgb = (hex) => `rgb(${[1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)).join(', ')})`;

// Minutes of the day, in the operator's zone, from a moment to another.
function minutes(from, to) {
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone: site.zone, hour: 'numeric', minute: 'numeric', hourCycle: 'h23' });
  const found = new Set();
  for (let at = from; at < to + 60_000; at += 60_000) {
    const [hour, minute] = clock.format(Math.min(at, to)).split(':').map(Number);
    found.add(hour * 60 + minute);
  }
  return found;
}

function told_at(text, language) {
  const [, hour, minute = '0', half] = text.match(words[language].opened) ?? assert.fail(text);
  const hours = half ? (Number(hour) % 12) + (half === 'pm' ? 12 : 0) : Number(hour);
  return hours * 60 + Number(minute);
}

async function isTheirs(page, language) {
  assert.equal(await page.getAttribute('html', 'lang'), language);
  assert.ok((await page.title()).endsWith(` – ${told.names[language]}`), await page.title());
  assert.ok((await page.innerText('header')).includes(told.names[language]));
  await page.waitForFunction(() => document.querySelector('header img').naturalWidth > 0);
  const footer = page.locator('footer');
  assert.ok((await footer.innerText()).includes(told.help[language]));
  const links = await footer.getByRole('link').evaluateAll((all) => all.map((one) => `${one.innerText.trim()} ${one.href}`));
  for (const link of words[language].footer) assert.ok(links.includes(link), `${link} is not one of ${links}`);
  if (mark) {
    // The system's sheet shows it in capitals.
    for (const block of await page.locator('.fr-logo').allInnerTexts()) {
      assert.equal(block.toLowerCase(), mark.join('\n').toLowerCase());
    }
  }
}

async function looksSo(page, name, language) {
  for (const { colorScheme, size, viewport } of looks) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(viewport);
    const seen = await page.evaluate(() => {
      const style = (selector) => getComputedStyle(document.querySelector(selector));
      return {
        isCut: document.documentElement.scrollWidth > document.documentElement.clientWidth,
        scheme: style(':root').colorScheme,
        ground: style(':root').backgroundColor,
        band: style('header').borderTopColor,
        place: style('main .app, main a').color,
        button: getComputedStyle(document.querySelector('.fr-btn') ?? document.body),
        sheets: document.styleSheets.length,
      };
    });
    assert.ok(!seen.isCut, `${name} does not fit a ${size}`);
    if (mark) {
      assert.equal(seen.scheme, 'light');
      assert.equal(seen.sheets, 2);
    } else {
      const colour = rgb(site[colorScheme]);
      assert.deepEqual([seen.band, seen.place], [colour, colour], `${name}, ${colorScheme}, ${size}`);
      assert.equal(seen.ground, rgb(colorScheme === 'light' ? '#f2f5f6' : '#0f191d'));
    }
    await page.screenshot({ path: `${site.pictures}/${name}.${language}.${colorScheme}.${size}.png`, fullPage: true });
  }
}

async function inLanguage(browser, language) {
  const context = await browser.newContext({
    locale: language === 'fr' ? 'fr-FR' : 'en-GB', timezoneId: 'America/New_York',
  });
  context.setDefaultTimeout(120_000);
  const page = await context.newPage();
  const complaints = [], loaded = [];
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load')) complaints.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.isNavigationRequest() && !request.url().startsWith('data:')) loaded.push(request.url());
  });

  const from = Date.now();
  await page.goto(`${site.app}/reserve/7`);
  await isPastWaiting(page);
  const to = Date.now();
  // Once more: where the sign-in took its time, the first answer says that.
  const answer = await page.reload();
  assert.equal(answer.status(), 403);
  assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), words[language].refused);
  await isTheirs(page, language);
  // The operator's words in the page's language, those of the other one nowhere.
  const text = await page.innerText('main');
  const other = language === 'fr' ? 'en' : 'fr';
  for (const said of [told.refusal, told.label]) {
    assert.ok(text.includes(said[language]), text);
    assert.ok(!text.includes(said[other]), text);
  }
  // Our own sentence stands there where the operator has none, and not after theirs.
  assert.ok(!text.includes(words[language].general), text);
  await looksSo(page, 'refused', language);

  await page.goto(`${site.portal}/?q=${encodeURIComponent(told.label[language].slice(0, 6))}`);
  assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), words[language].home);
  await isTheirs(page, language);
  await page.getByRole('link', { name: told.label[language] }).waitFor();
  const opened = told_at(await page.innerText('main'), language);
  assert.ok(minutes(from, to).has(opened), `${opened} minutes of the day`);
  await looksSo(page, 'home', language);

  assert.deepEqual(complaints, []);
  const sheet = /\/_ecluse\/dsfr\/[0-9a-f]{16}\/dsfr\.min\.css$/, file = /\/_ecluse\/dsfr\/[0-9a-f]{16}\/[\w./-]+$/;
  // The sheet, and what it names beside it.
  if (mark) assert.ok(loaded.some((url) => sheet.test(url)) && loaded.every((url) => file.test(url)), loaded.join(' '));
  else assert.deepEqual(loaded, []);
  assert.ok(loaded.every((url) => url.startsWith(`${site.app}/`) || url.startsWith(`${site.portal}/`)));
  await context.close();
}

await walk(async (unused, context, browser) => {
  for (const language of ['fr', 'en']) await inLanguage(browser, language);
});
