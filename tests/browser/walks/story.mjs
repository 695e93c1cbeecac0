// The demo's first page, as a person follows it in five minutes in one language: each of its links leads somewhere, and
// each step comes out as it is told.
import assert from 'node:assert/strict';

import { heading, isNoTrace, person, received, site, walk } from '../chromium.mjs';

const words = {
  fr: {
    title: 'Écluse en cinq minutes', other: 'English', refused: 'Vous n’avez pas accès à cette page',
    why: 'Cette liste s’ouvre aux services d’état civil', reference: 'Référence pour votre assistance',
    stronger: 'Une authentification plus forte est nécessaire', on: 'Continuer',
    home: 'Vos applications', out: 'Votre session est fermée', changed: 'La règle a changé', figures: 'Les mesures',
  },
  en: {
    title: 'Écluse in five minutes', other: 'Français', refused: 'You may not open this page',
    why: 'This roll is open to registry offices', reference: 'Reference for your support',
    stronger: 'A stronger sign-in is needed', on: 'Go on',
    home: 'Your applications', out: 'You are signed out', changed: 'The rule has changed', figures: 'Metrics',
  },
};
const ROLL = `${site.elections}/listes/59343`, OPINIONS = `${site.avis}/dossiers/7/avis`;

async function begin(page, language) {
  await page.goto(site.story);
  assert.equal(await heading(page), words[language].title);
  assert.equal(await page.getAttribute('html', 'lang'), language);
}

// By its link on the first page.
async function step(page, language, url) {
  await begin(page, language);
  await page.locator(`main a[href="${url}"]`).first().click();
  await page.waitForLoadState();
}

async function choose(page, provider, login, url) {
  await page.locator(`main a[href*="provider=${provider}"]`).click();
  await pick(page, login, url);
}

async function pick(page, login, url) {
  await page.locator(`button[value=${login}]`).click();
  await page.waitForURL(url);
  await page.waitForLoadState();
}

async function eachLinkLeadsSomewhere(browser, language, locale) {
  const stranger = await person(browser, locale);
  const page = await stranger.newPage();
  await begin(page, language);
  const links = await page.locator('a').evaluateAll((all) => [...new Set(all.map((one) => one.href))]);
  assert.ok(links.length > 15, links.join(' '));
  for (const link of links) {
    const answer = await page.goto(link);
    assert.ok([200, 401, 403].includes(answer.status()), `${answer.status()} ${link}`);
    await isNoTrace(page);
    // Of what is told to programs there is no page.
    const isPage = answer.headers()['content-type'].startsWith('text/html');
    assert.equal(await page.getByRole('heading', { level: 1 }).count(), isPage ? 1 : 0, link);
  }
  await begin(page, language);
  await page.getByRole('link', { name: words[language].other }).click();
  await page.waitForFunction((before) => document.documentElement.lang !== before, language);
  await stranger.close();
}

async function asTheMayor(page, language) {
  const said = words[language];
  await step(page, language, `${site.elections}/`);
  await choose(page, 'proconnect', 'marc', `${site.elections}/`);
  await page.getByRole('button', { name: 'Signer la liste' }).click();
  await page.getByText('C’est enregistré.').waitFor();

  await step(page, language, ROLL);
  assert.equal(await heading(page), said.refused);
  const text = await page.innerText('main');
  for (const part of [said.why, said.reference]) assert.ok(text.includes(part), text);

  await step(page, language, `${ROLL}/procurations`);
  assert.equal(await heading(page), said.stronger);
  await page.getByRole('link', { name: said.on }).click();
  await page.getByText('Un second facteur est demandé.').waitFor();
  await pick(page, 'marc', `${ROLL}/procurations`);
  assert.ok((await page.innerText('main')).includes('Les procurations'));

  await step(page, language, `${site.elections}/`);
  assert.equal(await received(page, 'HTTP_X_REMOTE_USER'), 'marc');
  await step(page, language, `${site.elections}/_ecluse/session`);
  assert.match(await page.innerText('body'), /"headers":\{"X-Remote-User":"marc"\}/);

  await step(page, language, `${site.portal}/`);
  assert.equal(await heading(page), said.home);
  await step(page, language, `${site.astreinte}/`);
  await page.getByText('Connecté.').waitFor();
  await page.getByLabel('Message').fill(`La digue tient (${language}).`);
  await page.getByRole('button', { name: 'Envoyer' }).click();
  await page.getByText(`marc : La digue tient (${language}).`).waitFor();
  await step(page, language, `${site.avis}/api/dossiers/7`);
  assert.match(await page.innerText('body'), /"lu_par": "marc"/);

  // Its file says that browsers keep nothing: Back shows nobody's page once the person is signed out.
  await page.goto(`${site.elections}/`);
  await page.goto(`${site.portal}/_ecluse/logout`);
  await page.locator('main button').click();
  await page.getByRole('heading', { name: said.out }).waitFor();
  while (await page.goBack()) {
    if (page.url().startsWith('about:')) break;
    assert.ok(!(await page.innerText('body')).includes('marc'), page.url());
    if (page.url().startsWith(`${site.portal}/_ecluse/start`)) break;
  }
}

async function asSomebodyElse(browser, page, language, locale) {
  await step(page, language, `${site.examens}/`);
  await choose(page, 'syndicat', 'rose', `${site.examens}/`);
  await page.getByText('Bonjour rose.').waitFor();
  assert.equal(await page.locator('input[type=password]').count(), 0);

  const deputy = await person(browser, locale);
  const closed = await deputy.newPage();
  await step(closed, language, `${site.examens}/`);
  await choose(closed, 'syndicat', 'iris', `${site.examens}/`);
  assert.equal(await heading(closed), words[language].refused);
  await deputy.close();
}

// The rule is turned by the button, twice: it is as it was in the end.
async function changeARule(browser, language, locale) {
  const said = words[language], syndicate = await person(browser, locale);
  const page = await syndicate.newPage();
  const give = () => page.getByRole('button', { name: 'Donner un avis favorable' }).click();
  const turn = async () => {
    await begin(page, language);
    await page.locator('main form button').click();
    await page.getByRole('heading', { name: said.changed }).waitFor();
    const shown = await page.locator('main pre').innerText();
    for (const part of ['changed  apps/ecologie/avis.yaml', 'live: revision']) assert.ok(shown.includes(part), shown);
    await page.locator(`main a[href="${OPINIONS}"]`).click();
    await page.waitForURL(OPINIONS);
  };

  await step(page, language, OPINIONS);
  await choose(page, 'proconnect', 'theo', OPINIONS);
  await give();
  await page.getByRole('heading', { name: said.refused }).waitFor();
  await turn();
  await give();
  await page.getByText('C’est enregistré.').waitFor();
  await turn();
  await give();
  await page.getByRole('heading', { name: said.refused }).waitFor();

  await begin(page, language);
  await page.locator('main a[href^="/figures"]').click();
  assert.equal(await heading(page), said.figures);
  assert.match(await page.innerText('main'), /ecluse_auth_logins_total\{provider="proconnect"/);
  await syndicate.close();
}

await walk(async (unused, context, browser) => {
  const { language, locale } = site, complaints = [];
  await eachLinkLeadsSomewhere(browser, language, locale);
  const visitor = await person(browser, locale, complaints);
  const page = await visitor.newPage();
  await asTheMayor(page, language);
  await asSomebodyElse(browser, page, language, locale);
  await changeARule(browser, language, locale);
  assert.deepEqual(complaints, []);
});
