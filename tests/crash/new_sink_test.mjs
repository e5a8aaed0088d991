// Where a new sink begins is on disk before anybody is told: killed right after the reload or the start that brought it, it
// begins there and not at a later "now".
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {Recorder} from '../support/recorder.mjs';
import {stripeEvent} from '../support/stripe_event.mjs';
import {freePort, request, temporaryDirectory, waitFor, Weir} from '../support/weir_process.mjs';

const secret = 'whsec_new_sink';

// A running weir with ten events; `state.sinks` are [name, url, settings].
async function startWeir(t) {
  const state = {sinks: []};
  const weir = new Weir(t, {directory: await temporaryDirectory(t), configure: () => `
[[source]]
name = "stripe"
kind = "stripe"
secrets_insecure = ["${secret}"]
${state.sinks.map(([name, url, settings]) => `[[sink]]\nname = "${name}"\nkind = "http"\nurl = "${url}"\n${settings}
retry = { attempts = 1000, first = "50ms", factor = 1, max = "50ms" }
breaker = { failures = 1000000 }
[[route]]\nsource = "*"\nsink = "${name}"\n`).join('')}`});
  await weir.start();
  await send(weir, 0, 10);
  return {weir, state};
}

async function send(weir, first, count) {
  for (let i = first; i < first + count; ++i) {
    const {headers, body} = stripeEvent(secret, `evt_${i}`);
    const answer = await request(`${weir.url}/webhooks/stripe`, {method: 'POST', headers, body});
    assert.equal(answer.status, 202, answer.body);
  }
}

const ids = recorder => [...recorder.deliveries.keys()].sort();
const idsFrom = (first, count) => Array.from({length: count}, (_, i) => `evt_${first + i}`).sort();

test('a sink that a reload brought begins where the reload said, although weir is killed at once', async t => {
  const {weir, state} = await startWeir(t);
  const port = await freePort();  // nobody listens: nothing is settled before the kill
  state.sinks = [['billing', `http://127.0.0.1:${port}/events`, '']];
  await weir.writeConfiguration();
  const reloaded = await weir.command('reload', '--json');
  await weir.kill();
  assert.equal(reloaded.code, 0, reloaded.stderr);
  assert.ok(JSON.parse(reloaded.stdout).notes.includes(
    'sink billing is new: starts at sequence 11, 10 events of the log are not sent; start = "beginning" would send them'), reloaded.stdout);

  // Events between the kill and the sink's first settlement: a "now" found again would leave them out.
  const sinks = state.sinks;
  state.sinks = [];
  await weir.start();
  await send(weir, 10, 5);
  await weir.stop();
  state.sinks = sinks;
  await weir.start();
  const recorder = await new Recorder().listen(t, port);
  await waitFor('the five arrive', () => recorder.deliveries.size >= 5);
  await send(weir, 15, 1);
  await waitFor('so does the next', () => recorder.has('evt_15'));
  assert.deepEqual(ids(recorder), idsFrom(10, 6));
});

test('a sink that a start brought begins there, although weir is killed at once', async t => {
  const {weir, state} = await startWeir(t);
  await weir.stop();
  const port = await freePort();
  state.sinks = [['billing', `http://127.0.0.1:${port}/events`, '']];
  await weir.start();
  await send(weir, 10, 1);  // ingest has begun
  await weir.kill();
  state.sinks[0][2] = 'start = "beginning"';  // not looked at: the sink is known
  await weir.start();
  const recorder = await new Recorder().listen(t, port);
  await send(weir, 11, 1);
  await waitFor('both arrive', () => recorder.deliveries.size >= 2);
  assert.deepEqual(ids(recorder), idsFrom(10, 2));
});

test('each way to start gets its events', async t => {
  const {weir, state} = await startWeir(t);
  const rows = [['now', 'start = "now"', 0], ['default', '', 0], ['beginning', 'start = "beginning"', 10], ['ago', 'start = "-1h"', 10],
    ['time', `start = "${new Date(Date.now() - 3600_000).toISOString()}"`, 10]];
  const recorders = new Map();
  for (const [name, start] of rows) {
    const recorder = await new Recorder().listen(t);
    recorders.set(name, recorder);
    state.sinks.push([name, recorder.url, start]);
  }
  await weir.writeConfiguration();
  const reloaded = await weir.command('reload', '--json');
  assert.equal(reloaded.code, 0, reloaded.stderr);
  await send(weir, 10, 1);
  for (const [name, , earlier] of rows) {
    const recorder = recorders.get(name);
    await waitFor(`the newest arrives at ${name}`, () => recorder.has('evt_10') && recorder.deliveries.size >= earlier + 1);
    assert.deepEqual(ids(recorder), idsFrom(earlier === 0 ? 10 : 0, earlier + 1), name);
  }
});

test('in a store without events a sink begins at the beginning', async t => {
  const recorder = await new Recorder().listen(t);
  const weir = new Weir(t, {directory: await temporaryDirectory(t), configure: () => `
[[source]]
name = "stripe"
kind = "stripe"
secrets_insecure = ["${secret}"]
[[sink]]
name = "billing"
kind = "http"
url = "${recorder.url}"
[[route]]
source = "*"
sink = "billing"
`});
  await weir.start();
  await send(weir, 0, 3);
  await waitFor('all arrive', () => recorder.deliveries.size === 3);
});

test('a start in the future is refused, at the start and at a reload', async t => {
  const {weir, state} = await startWeir(t);
  state.sinks = [['billing', 'http://127.0.0.1:9/', 'start = "2999-01-01T00:00:00Z"']];
  await weir.writeConfiguration();
  const reloaded = await weir.command('reload');
  assert.equal(reloaded.code, 2, reloaded.stderr);
  assert.match(reloaded.stderr, /sink "billing": start lies in the future/);
  await weir.stop();
  await weir.launch();
  const {code} = await weir.running.exited;
  assert.notEqual(code, 0);
  assert.match(weir.running.stderr(), /start lies in the future/);
});
