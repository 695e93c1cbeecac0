// Photographs pages in Chromium. Takes a folder with pages in it, one a language and name (fr/chooser.html), and writes
// beside each, in light and dark, on a small telephone and a desk, what a person sees: fr/chooser.light.phone.png.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

const [, , folder, executablePath] = process.argv;
const sizes = { phone: { width: 320, height: 640 }, desk: { width: 1280, height: 800 } };

const browser = await chromium.launch({
  executablePath,
  timeout: 120_000,
  args: ['--no-sandbox', '--allow-file-access-from-files', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
for (const colorScheme of ['light', 'dark']) {
  for (const [size, viewport] of Object.entries(sizes)) {
    const context = await browser.newContext({ colorScheme, viewport, javaScriptEnabled: false });
    const page = await context.newPage();
    for (const language of ['fr', 'en']) {
      for (const name of readdirSync(join(folder, language)).filter((file) => file.endsWith('.html'))) {
        await page.goto(`file://${join(folder, language, name)}`);
        const path = join(folder, language, name.replace('.html', `.${colorScheme}.${size}.png`));
        await page.screenshot({ path, fullPage: true });
      }
    }
    await context.close();
  }
}
await browser.close();
