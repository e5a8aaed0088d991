// Delivery as an operator meets it: a sink that is down, a reload that moves it, dead letters that are retried and dropped.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {Recorder} from '../support/recorder.mjs';
import {stripeEvent} from '../support/stripe_event.mjs';
import {freePort, request, temporaryDirectory, waitFor, Weir} from '../support/weir_process.mjs';

const secret = 'whsec_deliver';

async function startWeir(t, sinkUrl, sinkSettings = '') {
  const state = {sinkUrl};
  const weir = new Weir(t, {directory: await temporaryDirectory(t), configure: () => `
[[source]]
name = "stripe"
kind = "stripe"
secrets_insecure = ["${secret}"]
[[sink]]
name = "recorder"
kind = "http"
url = "${state.sinkUrl}"
${sinkSettings}
[[route]]
source = "*"
sink = "recorder"
`});
  await weir.start();
  return {weir, state};
}

async function send(weir, ids) {
  for (const id of ids) {
    const {headers, body} = stripeEvent(secret, id);
    const answer = await request(`${weir.url}/webhooks/stripe`, {method: 'POST', headers, body});
    assert.equal(answer.status, 202, answer.body);
  }
}

const idsFrom = (first, count) => Array.from({length: count}, (_, i) => `evt_${first + i}`);

test('a sink that is down costs its sender nothing and gets everything when it is back', async t => {
  const port = await freePort();
  const {weir} = await startWeir(t, `http://127.0.0.1:${port}/events`,
    'retry = { attempts = 1000, first = "100ms", factor = 1.5, max = "500ms" }\nbreaker = { failures = 5, open = "200ms" }');
  await send(weir, idsFrom(0, 100));
  await waitFor('failures are counted', async () => await weir.metric('webhook_failed_total', {sink: 'recorder', reason: 'connect'}) > 0);
  assert.equal(await weir.metric('webhook_processed_total', {sink: 'recorder'}), 0);
  assert.equal(await weir.metric('webhook_dlq_size', {sink: 'recorder'}), 0);

  const recorder = await new Recorder().listen(t, port);
  await waitFor('everything arrives', () => recorder.deliveries.size === 100);
  assert.equal(recorder.repeated, 0);
  await waitFor('nothing waits any more', async () => await weir.metric('webhook_queue_depth', {sink: 'recorder'}) === 0
    && await weir.metric('webhook_retry_queue_size', {sink: 'recorder'}) === 0);
  assert.equal(await weir.metric('webhook_processed_total', {sink: 'recorder'}), 100);
});

test('SIGHUP moves a sink to another URL and loses nothing', async t => {
  const before = await new Recorder().listen(t);
  const after = await new Recorder().listen(t);
  const {weir, state} = await startWeir(t, before.url);
  await send(weir, idsFrom(0, 20));
  state.sinkUrl = after.url;
  await weir.writeConfiguration();
  weir.running.process.kill('SIGHUP');
  let sent = 20;
  await waitFor('the new sink gets events', async () => {
    await send(weir, idsFrom(sent, 5));
    sent += 5;
    return after.total > 0;
  });
  await waitFor('everything arrived somewhere', () => new Set([...before.deliveries.keys(), ...after.deliveries.keys()]).size === sent);
});

test('a dead letter is retried or dropped as the operator says', async t => {
  let works = false;
  const recorder = await new Recorder({answer: () => works ? 204 : 410}).listen(t);
  const {weir} = await startWeir(t, recorder.url);
  await send(weir, idsFrom(0, 3));
  await waitFor('three dead letters', async () => await weir.metric('webhook_dlq_size', {sink: 'recorder'}) === 3);
  const listed = await weir.command('dlq list', '--json');
  assert.equal(listed.code, 0, listed.stderr);
  assert.match(listed.stdout, /"410"/);

  works = true;
  const retried = await weir.command('dlq retry', '--id', 'evt_1');
  assert.equal(retried.code, 0, retried.stderr);
  await waitFor('the retried event arrives', () => recorder.has('evt_1'));
  const dropped = await weir.command('dlq drop', '--all', '--yes');
  assert.equal(dropped.code, 0, dropped.stderr);
  await waitFor('no dead letter is left', async () => await weir.metric('webhook_dlq_size', {sink: 'recorder'}) === 0);
  assert.equal(recorder.total, 1);
});
