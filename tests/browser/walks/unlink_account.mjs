// A person takes the link to their account back, on the page of their sessions.
import { isOurs, site, walk } from '../chromium.mjs';

await walk(async (page) => {
  await page.goto(site.app);
  await page.waitForURL(`${site.app}/`);
  await page.goto(`${site.portal}/_ecluse/sessions`);
  await isOurs(page, 'Vos sessions dans ce navigateur');
  await page.getByText('actes – a.liddell').waitFor();
  await page.getByRole('button', { name: 'Détacher ce compte' }).click();
  await page.getByText('actes – a.liddell').waitFor({ state: 'detached' });
  await isOurs(page, 'Vos sessions dans ce navigateur');
});
