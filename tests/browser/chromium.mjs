// What the walks share: Chromium, and the ways that a person goes in all of them.
import assert from 'node:assert/strict';

import { chromium } from 'playwright-core';

// permis, subventions, portal, provider: origins. executablePath: Chromium.
export const site = JSON.parse(process.argv[2]);
export const SEAT = '__Host-ecluse';

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
  '--no-proxy-server',
  // A page of Chromium's own, at a server that is away, would be loaded again while a walk goes elsewhere.
  '--disable-auto-reload',
];

// Runs `steps(page, context, browser)`. Whatever they find wrong, the page that they stood on is printed with it.
// `expected`: how complaints begin that belong to the walk.
export async function walk(steps, expected = []) {
  const browser = await chromium.launch({ executablePath: site.executablePath, args: ARGS, timeout: 120_000 });
  const complaints = [];
  const context = await person(browser, 'fr-FR', complaints);
  const page = await context.newPage();
  try {
    await steps(page, context, browser);
    // What a page is not allowed to do (Content-Security-Policy), and faults in scripts.
    assert.deepEqual(complaints.filter((text) => !expected.some((begins) => text.startsWith(begins))), []);
  } catch (error) {
    const text = await page.innerText('body', { timeout: 1000 }).catch(() => 'no page');
    console.error(`${error.stack}\n\nat ${page.url()}\n${text.slice(0, 1500)}`);
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
}

// A browser of one's own: no cookie is shared.
export async function person(browser, locale = 'fr-FR', complaints = []) {
  const context = await browser.newContext({ locale });
  context.setDefaultTimeout(120_000);
  context.on('page', (page) => {
    const goto = page.goto.bind(page);
    // Whoever types an address reads what it leads to before they type another.
    page.goto = async (url, options) => {
      const answer = await goto(url, options);
      if (!options) await isPastWaiting(page);
      return answer;
    };
  });
  context.on('console', (message) => {
    // A page with an error status is a complaint of Chromium's too; its status is looked at where it matters.
    const text = message.text();
    // Nor are ours the files that a provider's pages name and its test server does not serve.
    if (site.incomplete && text.startsWith('Refused to') && text.includes(`'${site.incomplete}/`)) return;
    if (message.type() === 'error' && !text.startsWith('Failed to load resource')) complaints.push(text);
  });
  return context;
}

// A page says so where others are slow to answer, and leads on by itself. On a busy machine any of them may be.
export async function isPastWaiting(page) {
  await page.waitForFunction(() => document.readyState === 'complete'
    && !document.querySelector('meta[http-equiv="refresh"][content*="/_ecluse/wait?"]'));
}

export async function toProvider(page, url) {
  await page.goto(url);
  assert.equal(new URL(page.url()).origin, site.portal);
  await page.getByRole('link', { name: 'Métropole du Nord' }).click();
  await page.waitForURL(`${site.provider}/**`);
}

// Picks an account on the provider's page; ends where the gateway leads.
export async function pick(page, login) {
  await page.locator(`button[value=${login}]`).click();
  await page.waitForURL((url) => url.origin !== site.provider);
  await isPastWaiting(page);
}

export async function signIn(page, url, login = 'helene') {
  await toProvider(page, url);
  await pick(page, login);
}

// What the application says it received under this name, or null.
export async function received(page, name) {
  const row = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) });
  return (await row.count()) ? row.getByRole('cell').first().innerText() : null;
}

export async function heading(page) {
  await isPastWaiting(page);
  return page.getByRole('heading', { level: 1 }).innerText();
}

// One of our own pages: readable, styled, in French, and no trace of a fault.
export async function isOurs(page, title) {
  assert.equal(await heading(page), title);
  assert.equal(await page.getAttribute('html', 'lang'), 'fr');
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.body).maxWidth), 'none');
  await isNoTrace(page);
}

export async function isNoTrace(page) {
  assert.doesNotMatch(await page.innerText('body'), /Traceback|Exception|Internal Server Error|\.py\b/);
}

export async function seats(context) {
  return (await context.cookies()).filter(({ name }) => name === SEAT).map(({ domain }) => domain).sort();
}
