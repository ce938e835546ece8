// Drives the demo web application in chromium, as a person would: by what stands
// on the buttons. Each expectation counts; one that fails makes the exit status 1.
//   node webapp.mjs PROGRAM FOLDER
// PROGRAM is the built examples/webapp, FOLDER is for screenshots. CHROMIUM names
// another browser than Debian's.
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const [program, shots] = process.argv.slice(2);
if (!program || !shots) throw new Error('usage: node webapp.mjs PROGRAM FOLDER');
mkdirSync(shots, { recursive: true });

// What is expected of each provider; the names are those on the page.
const providers = [
  { id: 'oidc', title: 'OpenID Connect' },
  { id: 'ishare', title: 'iSHARE', posts: true },
  { id: 'bankid', title: 'BankID Norway' },
  { id: 'blockid', title: 'BlockID by 1Kosmos' },
  { id: 'faces', title: 'Umbrella Faces' },
];

// ---- counting --------------------------------------------------------------

let passed = 0;
let failed = 0;

function expect(what, holds, detail = '') {
  if (holds) {
    passed += 1;
    return;
  }
  failed += 1;
  console.log(`FAILED ${what}${detail === '' ? '' : `: ${detail}`}`);
}

// scene runs one person's visit in a browser profile of its own. What it throws is
// a failure, and so is any complaint of the browser that it did not announce.
async function scene(browser, name, options, play) {
  const began = Date.now();
  const context = await browser.newContext({ viewport: { width: 1000, height: 900 }, ...options });
  context.setDefaultTimeout(15000);
  const outside = [];
  await context.route((url) => url.hostname !== '127.0.0.1', (route) => {
    outside.push(route.request().url());
    return route.abort();
  });
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  try {
    await play(page, complaints);
  } catch (error) {
    expect(name, false, error.message);
    await page.screenshot({ path: join(shots, `failed-${name.replaceAll(/\W+/g, '-')}.png`) }).catch(() => {});
  }
  expect(`${name}: the browser complains of nothing`, complaints.length === 0, complaints.join('\n'));
  expect(`${name}: nothing leaves loopback`, outside.length === 0, outside.join('\n'));
  await context.close();
  console.log(`${name}: ${Date.now() - began} ms`);
}

// ---- what a person does ----------------------------------------------------

const heading = (page) => page.getByRole('heading', { level: 1 });
const button = (page, name) => page.getByRole('button', { name, exact: true });

// session asks the application itself, with the cookies of the browser.
async function session(page, base) {
  const answer = await page.request.get(`${base}/session`, { headers: { accept: 'application/json' } });
  return { status: answer.status(), ...(answer.ok() ? await answer.json() : {}) };
}

// choose answers the provider's page.
async function choose(page, person = 0) {
  await page.getByRole('radio').nth(person).check();
  await button(page, 'Log in').click();
}

async function start(page, base, { id, title }) {
  await page.goto(base);
  const link = page.getByRole('link', { name: `Log in with ${title}` });
  expect(`${id}: one link to log in`, await link.count() === 1, `${await link.count()} links`);
  await link.click();
}

async function welcome(page, base) {
  await page.goto(base);
  expect('the start asks who one is', await heading(page).textContent() === 'Who are you?');
  const links = page.getByRole('link', { name: /^Log in with / });
  expect('the start lists every provider', await links.count() === providers.length, `${await links.count()} links`);
  expect('there is one main part', await page.getByRole('main').count() === 1);
  expect('the page says its language', await page.locator('html').getAttribute('lang') === 'en');
  await page.keyboard.press('Tab');
  const first = page.getByRole('link', { name: 'To the content' });
  expect('the keyboard comes to the skip link first', await first.evaluate((link) => link === document.activeElement));
  expect('a link that has the focus can be seen', await first.evaluate((link) => link.getBoundingClientRect().top >= 0));
  expect('without a session there is none', (await session(page, base)).status === 401);
}

async function login(page, base, provider, person) {
  const { id } = provider;
  await start(page, base, provider);
  await page.getByRole('radio').first().waitFor();
  expect(`${id}: the provider is elsewhere`, new URL(page.url()).origin !== base);
  await page.screenshot({ path: join(shots, `${id}-provider.png`), fullPage: true });
  await choose(page, person);
  await page.waitForURL(`${base}/`);
  const now = await session(page, base);
  expect(`${id}: the session is this provider's`, now.status === 200 && now.client === id, JSON.stringify(now));
  expect(`${id}: the session has a subject`, Boolean(now.subject));
  expect(`${id}: the page greets`, /^(Hello, .+|You are logged in)$/.test(await heading(page).textContent()));
  const shown = page.getByRole('region', { name: 'The login' }).getByText(now.subject, { exact: true });
  expect(`${id}: the page shows the subject`, await shown.count() === 1);
  const body = await page.getByRole('main').textContent();
  expect(`${id}: the page shows no token`, !/eyJ[\w-]+\.[\w-]+\.[\w-]+/.test(body));
  await page.screenshot({ path: join(shots, `${id}-logged-in.png`), fullPage: true });
  return now;
}

async function refresh(page, base, before) {
  if (await button(page, 'Refresh the tokens').count() === 0) return false;
  await button(page, 'Refresh the tokens').click();
  await page.waitForURL(`${base}/`);
  const after = await session(page, base);
  expect(`${before.client}: refreshed as the same person`, after.status === 200 && after.subject === before.subject, JSON.stringify(after));
  expect(`${before.client}: refreshed tokens end later`, after.expires_at >= before.expires_at, `${before.expires_at} ${after.expires_at}`);
  return true;
}

async function logout(page, base, { id }) {
  await button(page, 'Log out').click();
  await page.waitForURL(`${base}/`);
  expect(`${id}: logged out`, await heading(page).textContent() === 'Who are you?');
  expect(`${id}: the session has ended`, (await session(page, base)).status === 401);
}

async function link(page, base, other) {
  const account = page.getByRole('region', { name: 'Your account' });
  const identities = account.getByRole('listitem');
  expect('one login leads to the account', await identities.count() === 1, `${await identities.count()}`);
  await button(account, `Link ${other.title}`).click();
  await page.getByRole('radio').first().waitFor();
  await choose(page);
  await page.waitForURL(`${base}/`);
  expect('two logins lead to the account', await identities.count() === 2, `${await identities.count()}`);
  await page.screenshot({ path: join(shots, 'linked.png'), fullPage: true });
  await account.getByRole('button', { name: /^Unlink / }).click();
  await page.waitForURL(`${base}/`);
  expect('unlinked again', await identities.count() === 1, `${await identities.count()}`);
}

// sticksOut lists what is wider than the screen or the box that it stands in.
function sticksOut(page) {
  return page.evaluate(() => [...document.querySelectorAll('main, main *')]
    .filter((element) => {
      const box = element.parentElement.closest('section, main, body');
      const edge = Math.min(window.innerWidth, box.getBoundingClientRect().right);
      return element.getBoundingClientRect().right > edge + 0.5;
    })
    .map((element) => `${element.tagName} "${element.textContent.trim().slice(0, 60)}"`));
}

// ---- the visits ------------------------------------------------------------

async function visits(browser, base) {
  await scene(browser, 'welcome', {}, async (page) => {
    await welcome(page, base);
    await page.screenshot({ path: join(shots, 'welcome.png'), fullPage: true });
  });
  const refreshed = [];
  for (const provider of providers) {
    await scene(browser, `login with ${provider.id}`, {}, async (page) => {
      const first = await login(page, base, provider, 0);
      if (await refresh(page, base, first)) refreshed.push(provider.id);
      await logout(page, base, provider);
      const second = await login(page, base, provider, 1);
      expect(`${provider.id}: another person has another subject`, second.subject !== first.subject);
    });
  }
  expect('some provider gives refresh tokens', refreshed.includes('oidc'), refreshed.join(' '));
  await scene(browser, 'link and unlink', {}, async (page) => {
    await login(page, base, providers[0], 0);
    await link(page, base, providers[2]);
  });
  await scene(browser, 'cancel', {}, async (page, complaints) => {
    await start(page, base, providers[0]);
    const [answer] = await Promise.all([
      page.waitForResponse((response) => response.url().startsWith(`${base}/callback/`)),
      button(page, 'Cancel').click(),
    ]);
    await page.getByRole('alert').waitFor();
    expect('a refusal is a 4xx page', answer.status() >= 400 && answer.status() < 500, `${answer.status()}`);
    expect('a refusal offers another try', await page.getByRole('link', { name: 'Log in again' }).count() === 1);
    expect('a refusal makes no session', (await session(page, base)).status === 401);
    await page.screenshot({ path: join(shots, 'cancelled.png'), fullPage: true });
    // Chromium logs the status of every page that is none of 2xx.
    const status = complaints.findIndex((text) => text.includes(`status of ${answer.status()}`));
    if (status >= 0) complaints.splice(status, 1);
  });
  await scene(browser, 'two tabs', {}, async (page) => {
    const other = await page.context().newPage();
    await start(page, base, providers[0]);
    await start(other, base, providers[2]);
    await choose(page);
    await page.waitForURL(`${base}/`);
    expect('the first tab logs in', (await session(page, base)).client === 'oidc');
    await choose(other);
    await other.waitForURL(`${base}/`);
    expect('the second tab logs in too', (await session(other, base)).client === 'bankid');
  });
  // The module of the conformance suite whose page needs a browser with scripts.
  await scene(browser, 'oidcc-client-test-session-management', {}, async (page, complaints) => {
    const here = page.context();
    await login(page, base, providers[0], 0);
    const callbacks = [];
    page.on('response', (response) => {
      if (response.url().startsWith(`${base}/callback/oidc`)) callbacks.push(response.status());
    });
    const watching = () => page.frames().find((frame) => frame.url() === `${base}/session-management/oidc`);
    const asks = () => page.waitForResponse((response) => response.url().startsWith(`${base}/callback/oidc`), { timeout: 15000 });
    expect('the page is watched', Boolean(watching()));
    await page.waitForTimeout(6000); // the frame is asked at once, and every five seconds
    expect('no login is repeated before something has changed', callbacks.length === 0, callbacks.join(' '));
    // The provider knows the browser by another state, and the person still.
    let answered = asks();
    await here.clearCookies({ name: 'oidctest_state' });
    expect('a login is repeated without asking', (await answered).status() === 303);
    await page.waitForTimeout(500);
    expect('one change is one login', callbacks.length === 1, callbacks.join(' '));
    expect('the session of the same person goes on', (await session(page, base)).status === 200);
    answered = asks();
    await here.clearCookies({ name: /^oidctest_/ });
    await answered;
    await page.waitForTimeout(500);
    expect('the session of nobody ends', (await session(page, base)).status === 401);
    // Chromium logs the status of the frame in which there is no session now.
    const status = complaints.findIndex((text) => text.includes('status of 401'));
    if (status >= 0) complaints.splice(status, 1);
  });
  await scene(browser, 'without scripts', { javaScriptEnabled: false }, async (page) => {
    const provider = providers.find(({ posts }) => posts);
    await start(page, base, provider);
    await button(page, 'Continue to the login').click();
    await choose(page);
    if (!page.url().startsWith(base)) await button(page, 'Continue').click();
    await page.waitForURL(`${base}/`);
    expect('a login needs no scripts', (await session(page, base)).client === provider.id);
  });
  await scene(browser, 'on a telephone, in the dark', { viewport: { width: 360, height: 740 }, colorScheme: 'dark' }, async (page) => {
    const fits = async (what) => {
      const outside = await sticksOut(page);
      expect(`${what} fits a telephone`, outside.length === 0, outside.join(', '));
    };
    await page.goto(base);
    await fits('the start');
    await page.screenshot({ path: join(shots, 'telephone-welcome.png'), fullPage: true });
    await start(page, base, providers[2]);
    await fits('the provider');
    await choose(page);
    await page.waitForURL(`${base}/`);
    await fits('the session');
    await page.screenshot({ path: join(shots, 'telephone-logged-in.png'), fullPage: true });
  });
}

// launch starts the application on a free port and waits for its address.
async function launch() {
  const app = spawn(program, ['-addr', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const log = [];
  app.stderr.on('data', (text) => log.push(text));
  const timer = setTimeout(() => app.kill(), 60000);
  for await (const line of createInterface({ input: app.stdout })) {
    const address = line.match(/http:\/\/127\.0\.0\.1:\d+/);
    if (address) {
      clearTimeout(timer);
      app.stdout.resume();
      return { app, log, base: address[0] };
    }
  }
  throw new Error(`the application printed no address\n${log.join('')}`);
}

const { app, log, base } = await launch();
try {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  try {
    await visits(browser, base);
  } finally {
    await browser.close();
  }
} finally {
  app.kill();
}
if (failed > 0) console.log(`the application said:\n${log.join('')}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
