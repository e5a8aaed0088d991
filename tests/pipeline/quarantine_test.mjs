// Refused requests as an operator meets them: a secret that is wrong for a while, what was kept meanwhile, and what is let in
// once it is right.
import assert from 'node:assert/strict';
import {readdir, stat, truncate} from 'node:fs/promises';
import path from 'node:path';
import {test} from 'node:test';

import {Recorder} from '../support/recorder.mjs';
import {stripeEvent} from '../support/stripe_event.mjs';
import {request, run, temporaryDirectory, waitFor, Weir, weirBin} from '../support/weir_process.mjs';

const rightSecret = 'whsec_the_right_one';
const wrongSecret = 'whsec_the_wrong_one';
const mark = 'only_in_the_payload';

async function startWeir(t, {bound = '64MiB', sinkUrl = 'http://127.0.0.1:9/'} = {}) {
  const state = {secret: wrongSecret};
  const weir = new Weir(t, {directory: await temporaryDirectory(t), configure: () => `
[[source]]
name = "stripe"
kind = "stripe"
secrets_insecure = ["${state.secret}"]
quarantine = "${bound}"
[[sink]]
name = "recorder"
kind = "http"
url = "${sinkUrl}"
[[route]]
source = "*"
sink = "recorder"
`});
  await weir.start();
  return {weir, state};
}

async function send(weir, id, status, options) {
  const {headers, body} = stripeEvent(rightSecret, id, options);
  const answer = await request(`${weir.url}/webhooks/stripe`, {method: 'POST', headers, body});
  assert.equal(answer.status, status, answer.body);
}

async function listed(weir) {
  const {code, stdout, stderr} = await weir.command('quarantine list', '--json', '--limit', '100000');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout).reverse();  // the oldest first
}

async function kept(weir, count) {
  await waitFor(`${count} requests are kept`, async () => await weir.metric('weir_quarantine_kept_total') === count);
  return listed(weir);
}

async function useSecret(weir, state, secret) {
  state.secret = secret;
  await weir.writeConfiguration();
  const reloads = () => weir.running.stderr().split('configuration reloaded').length;
  const before = reloads();
  weir.running.process.kill('SIGHUP');
  await waitFor('the configuration is reloaded', () => reloads() > before);
}

async function bytesOnDisk(weir) {
  const directory = path.join(weir.data, 'quarantine/stripe');
  let bytes = 0;
  for (const name of await readdir(directory)) bytes += (await stat(path.join(directory, name))).size;
  return bytes;
}

test('what a wrong secret refused is admitted once the secret is right, and delivered', async t => {
  const recorder = await new Recorder({keepBodies: true}).listen(t);
  const {weir, state} = await startWeir(t, {sinkUrl: recorder.url});
  for (const id of ['evt_1', 'evt_2']) await send(weir, id, 401, {type: mark});
  await send(weir, 'evt_old', 401, {at_ms: Date.now() - 3600_000});
  const entries = await kept(weir, 3);
  assert.deepEqual(entries.map(entry => entry.reason), Array(3).fill('invalid_signature'));

  const tooEarly = await weir.command('quarantine admit', '--all');
  assert.equal(tooEarly.code, 1);
  assert.match(tooEarly.stderr, /3 stay, .*invalid_signature/);
  assert.equal((await weir.command('events count')).stdout, '0\n');

  await useSecret(weir, state, rightSecret);
  await send(weir, 'evt_2', 202, {type: mark});  // the sender came again by itself
  const dry = await weir.command('quarantine admit', '--all', '--dry-run', '--json');
  assert.equal(JSON.parse(dry.stdout).done, 2, dry.stdout);
  assert.equal((await weir.command('events count')).stdout, '1\n');

  const admitted = await weir.command('quarantine admit', '--source', 'stripe', '--json');
  assert.equal(admitted.code, 1);  // one of them is stale, and was when it came
  const outcome = JSON.parse(admitted.stdout);
  assert.deepEqual(outcome.admitted.map(one => [one.event_id, one.stored, one.duplicates]), [['evt_1', 1, 0], ['evt_2', 0, 1]]);
  assert.match(outcome.refused[0].reason, /^stale_timestamp/);
  assert.deepEqual((await listed(weir)).map(entry => entry.id), [entries[2].id]);

  const events = JSON.parse((await weir.command('events list', '--json')).stdout);
  assert.deepEqual(events.map(event => event.id).sort(), ['evt_1', 'evt_2']);
  await waitFor('both are delivered', () => recorder.has('evt_1') && recorder.has('evt_2'));
  assert.equal(recorder.repeated, 0);
  assert.equal(JSON.parse(recorder.bodies.find(delivery => delivery.id === 'evt_1').body).id, 'evt_1');

  const unasked = await weir.command('quarantine drop', '--id', entries[2].id);
  assert.equal(unasked.code, 2);
  assert.match(unasked.stderr, /this would drop 1 kept requests for good; say --yes/);
  assert.deepEqual((await listed(weir)).map(entry => entry.id), [entries[2].id]);
  assert.equal((await weir.command('quarantine drop', '--id', entries[2].id, '--yes')).code, 0);
  assert.deepEqual(await listed(weir), []);
  await weir.stop();
  for (const hidden of [mark, rightSecret, wrongSecret, 'v1=']) assert.ok(!weir.running.stderr().includes(hidden), hidden);
  const audit = await weir.command('verify');
  assert.equal(audit.code, 0, audit.stdout + audit.stderr);
});

test('explain names the secret that is missing, from the quarantine alone', async t => {
  const {weir, state} = await startWeir(t);
  await send(weir, 'evt_1', 401);
  const [{id}] = await kept(weir, 1);
  const explain = () => run(t, weirBin, ['explain', '--config', weir.configFile, '--quarantine', id, '--json']);
  const refused = await explain();
  assert.equal(refused.code, 1, refused.stderr);
  assert.equal(JSON.parse(refused.stdout).verdict, 'invalid_signature');
  await weir.stop();
  state.secret = rightSecret;
  await weir.writeConfiguration();
  const authentic = await explain();
  assert.equal(authentic.code, 0, authentic.stderr);
  assert.equal(JSON.parse(authentic.stdout).verdict, 'accepted');
  assert.ok(!authentic.stdout.includes(rightSecret));
});

test('the bound holds, the oldest goes first, and ingest does not wait', async t => {
  const {weir, state} = await startWeir(t, {bound: '2MiB'});
  const filling = 'x'.repeat(20_000);
  for (let i = 0; i < 200; ++i) await send(weir, `evt_${i}`, 401, {type: filling});
  const entries = await kept(weir, 200);
  assert.ok(await bytesOnDisk(weir) <= 2 << 20);
  assert.ok(entries.length > 50 && entries.length < 110, `${entries.length} entries`);
  assert.equal(await weir.metric('weir_quarantine_dropped_total', {reason: 'oldest'}), 200 - entries.length);
  assert.equal(await weir.metric('weir_quarantine_bytes'), await bytesOnDisk(weir));
  const shown = await weir.command('quarantine show', entries.at(-1).id, '--body');
  assert.equal(JSON.parse(shown.stdout).id, 'evt_199');
  await useSecret(weir, state, rightSecret);
  await send(weir, 'evt_new', 202);
});

test('after kill -9 the quarantine is readable and what was torn is said', async t => {
  const {weir} = await startWeir(t);
  const sent = [];
  const sending = (async () => {
    for (let i = 0; i < 5000; ++i) {
      await send(weir, `evt_${i}`, 401);
      sent.push(i);
    }
  })().catch(() => {});  // until the server is gone
  await waitFor('some are kept', async () => await weir.metric('weir_quarantine_kept_total') > 100);
  await weir.kill();
  await sending;
  const offline = await listed(weir);
  assert.ok(offline.length > 100 && offline.length <= sent.length + 1);

  const directory = path.join(weir.data, 'quarantine/stripe');
  const [segment] = await readdir(directory);
  const {size} = await stat(path.join(directory, segment));
  await truncate(path.join(directory, segment), size - 1);
  await weir.start();
  const {stdout, stderr} = await weir.command('quarantine list', '--json', '--limit', '100000');
  assert.equal(JSON.parse(stdout).length, offline.length - 1);
  assert.match(stderr, /passed over \d+ torn bytes of source stripe/);
  await send(weir, 'evt_after', 401);
  assert.equal((await kept(weir, 1)).length, offline.length);
});
