// A person whose home page has thousands of applications to judge: they find theirs, fifty a page, and while one page is
// judged the same worker answers others.
import assert from 'node:assert/strict';

import { heading, site, walk } from '../chromium.mjs';

// How often another request came and went while the page was made. A loop that stood still would answer
// those that it had read before, one or two.
const MEANWHILE = 5, ROUNDS = 30;

await walk(async (page, context, browser) => {
  const names = () => page.locator('main .choices a').allInnerTexts();
  await page.goto(site.actes);
  await page.goto(site.home);
  assert.equal(await heading(page), 'Vos applications');
  const first = await names();
  assert.equal(first.length, 50);
  assert.deepEqual(first, [...first].sort());

  await page.getByRole('searchbox').fill('4999');
  await page.getByRole('main').getByRole('button', { name: 'Rechercher' }).click();
  await page.waitForURL('**?q=4999');
  // It asks for a stronger sign-in, is listed all the same, and says so.
  assert.deepEqual(await names(), ['Service 4999\nDemande une authentification plus forte']);
  // What they may not open is found by no search.
  await page.goto(`${site.home}?q=0007`);
  await page.getByRole('alert').waitFor();

  // A page beyond the last judges every application. Our pages fetch nothing: their policy is set aside for the question.
  const asking = await browser.newContext({ locale: 'fr-FR', bypassCSP: true, storageState: await context.storageState() });
  const other = await asking.newPage();
  await other.goto(site.home);
  const meanwhile = () => other.evaluate(async ([home, beside]) => {
    let isMade = false, answered = 0;
    const made = fetch(`${home}?page=999`).then((answer) => answer.text()).then((text) => { isMade = true; return text; });
    while (!isMade) {
      const answer = await fetch(beside);
      await answer.text();
      if (!isMade && answer.status === 200) answered += 1;
    }
    return { answered, text: await made };
  }, [site.home, `${site.portal}/_ecluse/logout`]);
  const seen = [];
  while (Math.max(0, ...seen) < MEANWHILE && seen.length < ROUNDS) {
    const { answered, text } = await meanwhile();
    assert.ok(text.includes('Page précédente'), text.slice(0, 500));
    seen.push(answered);
  }
  assert.ok(Math.max(...seen) >= MEANWHILE, `others that were answered meanwhile: ${seen}`);
  await asking.close();
});
