// A reload tells the truth: what it changed, what needs a restart, why it changed nothing; and every key of [[sink]] that it
// takes has its effect.
import assert from 'node:assert/strict';
import {createHmac} from 'node:crypto';
import {readFile, readdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {test} from 'node:test';

import {Recorder} from '../support/recorder.mjs';
import {stripeEvent} from '../support/stripe_event.mjs';
import {request, temporaryDirectory, waitFor, Weir} from '../support/weir_process.mjs';

const secret = 'whsec_reload';
const route = '[[route]]\nsource = "*"\nsink = "billing"\n';
const httpSink = (url, settings = '') => `[[sink]]\nname = "billing"\nkind = "http"\nurl = "${url}"\n${settings}\n`;
const fileSink = (file, settings = '') => `[[sink]]\nname = "billing"\nkind = "file"\npath = ${JSON.stringify(file)}\n${settings}\n`;

// A running weir whose configuration after the source is `state.rest`.
async function startWeir(t, rest) {
  const state = {rest, source: ''};
  const weir = new Weir(t, {directory: await temporaryDirectory(t), configure: () => `
[[source]]
name = "stripe"
kind = "stripe"
secrets_insecure = ["${secret}"]
${state.source}
${state.rest}`});
  await weir.start();
  return {weir, state};
}

async function send(weir, id, more = {}) {
  const {headers, body} = stripeEvent(secret, id);
  const answer = await request(`${weir.url}/webhooks/stripe`, {method: 'POST', headers: {...headers, ...more}, body});
  assert.equal(answer.status, 202, answer.body);
}

async function reload(weir, code = 0) {
  await weir.writeConfiguration();
  const answer = await weir.command('reload', '--json');
  assert.equal(answer.code, code, answer.stderr + answer.stdout);
  return answer.stdout === '' ? answer.stderr : JSON.parse(answer.stdout);
}

test('every key of a sink that is changed is named and takes effect', async t => {
  let status = 204;
  const seen = [];
  const recorder = await new Recorder({answer: delivery => { seen.push(delivery); return status; }}).listen(t);
  const other = await new Recorder().listen(t);
  const held = [];  // answers of a sink that never comes to one
  const hanging = await new Recorder({answer: () => { throw new Error('not used'); }}).listen(t);
  hanging.server.removeAllListeners('request');
  hanging.server.on('request', (incoming, outgoing) => held.push(outgoing));
  const failed = (weir, reason) => weir.metric('webhook_failed_total', {sink: 'billing', reason});
  const dead = weir => weir.metric('webhook_dlq_size', {sink: 'billing'});
  const quick = 'retry = { attempts = 9, first = "1h", factor = 1, max = "1h", jitter = 0 }';
  const grows = 'retry = { attempts = 9, first = "1s", factor = 2, max = "1h", jitter = 0 }';
  // What is known of an event that waits for a retry, with the delay between reading it and its next attempt in ms.
  const waiting = (weir, sequence, attempts = 1) => waitFor(`${sequence} waits`, async () => {
    const [shown] = JSON.parse((await weir.command('events show', `${sequence}`, '--json')).stdout).deliveries;
    return shown.attempts >= attempts && {...shown, delay: Date.parse(shown.due_at) - Date.now()};
  });
  // The delay after the second attempt: the first that grows.
  const secondDelay = async (weir, id) => {
    status = 500;
    await send(weir, id);
    return (await waiting(weir, 1, 2)).delay;
  };
  const rows = [
    {key: 'url', before: httpSink(recorder.url), after: httpSink(other.url), async effect(weir) {
      await send(weir, 'evt_url');
      await waitFor('the other sink has it', () => other.has('evt_url'));
    }},
    {key: 'secret_insecure', before: httpSink(recorder.url, 'secret_insecure = "the first secret that is long enough"'),
     after: httpSink(recorder.url, 'secret_insecure = "the second secret that is long enough"'), async effect(weir) {
       await send(weir, 'evt_signed');
       await waitFor('it comes', () => recorder.has('evt_signed'));
       const {headers, body} = seen.find(delivery => delivery.id === 'evt_signed');
       const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
       assert.equal(headers['webhook-signature'],
         `v1,${createHmac('sha256', 'the second secret that is long enough').update(signed).digest('base64')}`);
     }},
    {key: 'timeout', before: httpSink(hanging.url, `timeout = "1h"\n${quick}`), after: httpSink(hanging.url, `timeout = "200ms"\n${quick}`),
     async effect(weir) {
       await send(weir, 'evt_timeout');
       await waitFor('it times out', async () => await failed(weir, 'timeout') > 0);
     }},
    {key: 'concurrency', before: httpSink(hanging.url, 'concurrency = 1'), after: httpSink(hanging.url, 'concurrency = 3'), async effect(weir) {
      held.length = 0;
      for (let i = 0; i < 4; ++i) await send(weir, `evt_concurrent_${i}`);
      await waitFor('three at once', () => held.length >= 3);
      assert.equal(held.length, 3);
    }},
    {key: 'dead_letter_statuses', before: httpSink(recorder.url, quick), after: httpSink(recorder.url, `dead_letter_statuses = [418]\n${quick}`),
     async effect(weir) {
       status = 418;
       await send(weir, 'evt_teapot');
       await waitFor('it is dead', async () => await dead(weir) === 1);
     }},
    {key: 'retry.attempts', before: httpSink(recorder.url, quick), after: httpSink(recorder.url, quick.replace('attempts = 9', 'attempts = 1')),
     async effect(weir) {
       status = 500;
       await send(weir, 'evt_once');
       await waitFor('it is dead', async () => await dead(weir) === 1);
     }},
    {key: 'retry.first', before: httpSink(recorder.url, quick), after: httpSink(recorder.url, quick.replace('first = "1h"', 'first = "1ms"')),
     async effect(weir) {
       status = 500;
       seen.length = 0;
       await send(weir, 'evt_soon');
       await waitFor('it is tried again', () => seen.length >= 2);
     }},
    {key: 'retry.factor', before: httpSink(recorder.url, grows), after: httpSink(recorder.url, grows.replace('factor = 2', 'factor = 100')),
     effect: async weir => assert.ok(await secondDelay(weir, 'evt_factor') > 30_000)},
    {key: 'retry.max', before: httpSink(recorder.url, grows.replace('factor = 2', 'factor = 100')),
     after: httpSink(recorder.url, grows.replace('factor = 2', 'factor = 100').replace('max = "1h"', 'max = "10s"')),
     effect: async weir => assert.ok(await secondDelay(weir, 'evt_max') < 30_000)},
    {key: 'retry.jitter', before: httpSink(recorder.url, quick), after: httpSink(recorder.url, quick.replace('jitter = 0', 'jitter = 1')),
     async effect(weir) {
       status = 500;
       for (let i = 0; i < 8; ++i) await send(weir, `evt_jitter_${i}`);
       const delays = [];
       for (let i = 1; i <= 8; ++i) delays.push((await waiting(weir, i)).delay);
       const spread = Math.max(...delays) - Math.min(...delays);
       assert.ok(spread > 60_000, `${delays}`);
     }},
    {key: 'breaker.open', before: httpSink(recorder.url, `breaker = { failures = 1, open = "1h" }\n${quick}`),
     after: httpSink(recorder.url, `breaker = { failures = 1, open = "1ms" }\n${quick}`), async effect(weir) {
       status = 500;
       await send(weir, 'evt_breaks');
       await waitFor('it failed', async () => await failed(weir, 'status_5xx') === 1);
       status = 204;
       await send(weir, 'evt_closes');
       await waitFor('the breaker has opened again', () => recorder.has('evt_closes'));
     }},
    {key: 'forward_headers', before: httpSink(recorder.url), after: httpSink(recorder.url, 'forward_headers = ["x-acme"]'),
     async effect(weir) {
       await send(weir, 'evt_forwards', {'X-Acme': '7'});
       await waitFor('it comes', () => recorder.has('evt_forwards'));
       assert.equal(seen.find(({id}) => id === 'evt_forwards').headers['x-acme'], '7');
     }},
    {key: 'breaker.failures', before: httpSink(recorder.url, quick), after: httpSink(recorder.url, `breaker = { failures = 1 }\n${quick}`),
     async effect(weir) {
       status = 500;
       await send(weir, 'evt_breaks');
       await waitFor('the breaker is open', async () => await weir.metric('weir_sink_breaker_open', {sink: 'billing'}) === 1);
     }},
    {key: 'path', before: fileSink('first.ndjson'), after: fileSink('second.ndjson'), async effect(weir) {
      await send(weir, 'evt_path');
      await waitFor('it is in the second file', async () =>
        (await readFile(path.join(weir.directory, 'second.ndjson'), 'utf8').catch(() => '')).includes('evt_path'));
    }},
    {key: 'rotate_size', before: fileSink('out.ndjson'), after: fileSink('out.ndjson', 'rotate_size = "4KiB"'), async effect(weir) {
      for (let i = 0; i < 30; ++i) await send(weir, `evt_${i}`);
      await waitFor('it was rotated', async () => {
        await send(weir, `evt_more_${Math.random()}`);
        return (await readdir(weir.directory)).some(name => /^out-\d+-\d+\.ndjson$/.test(name));
      });
    }},
    {key: 'rotate_age', before: fileSink('out.ndjson'), after: fileSink('out.ndjson', 'rotate_age = "1s"'), async effect(weir) {
      await waitFor('it was rotated', async () => {
        await send(weir, `evt_${Math.random()}`);
        return (await readdir(weir.directory)).some(name => /^out-\d+-\d+\.ndjson$/.test(name));
      });
    }},
    {key: 'kind', before: httpSink(recorder.url), after: fileSink('kind.ndjson'), async effect(weir) {
      await send(weir, 'evt_kind');
      await waitFor('it is in the file', async () =>
        (await readFile(path.join(weir.directory, 'kind.ndjson'), 'utf8').catch(() => '')).includes('evt_kind'));
    }},
  ];
  for (const {key, before, after, effect} of rows) {
    await t.test(key, async inner => {
      status = 204;
      const {weir, state} = await startWeir(inner, before + route);
      state.rest = after + route;
      const report = await reload(weir);
      assert.ok(report.changed.some(change => change.startsWith(`sink billing: ${key}`)), JSON.stringify(report));
      await effect(weir);
      for (const outgoing of held.splice(0)) outgoing.destroy();
    });
  }
});

test('a configuration that is wrong changes nothing and says so everywhere', async t => {
  const recorder = await new Recorder().listen(t);
  const {weir, state} = await startWeir(t, httpSink(recorder.url) + route);
  assert.equal(await weir.metric('weir_config_last_reload_success'), 1, 'the start read it');
  const startedAt = await weir.metric('weir_config_last_reload_timestamp_seconds');
  assert.ok(Math.abs(startedAt - Date.now() / 1000) < 60);

  state.rest = httpSink(recorder.url, 'timeuot = "1s"') + route + '[[sink]]\nname = "x"\nkind = "carrier-pigeon"\n';
  const message = await reload(weir, 2);
  assert.match(message, /nothing changed/);
  assert.match(message, /weir\.toml:\d+: sink\[0\]\.timeuot: unknown key/);
  assert.match(message, /weir\.toml:\d+: sink\[1\]\.kind/, 'every mistake');
  assert.equal(await weir.metric('weir_config_last_reload_success'), 0);
  assert.ok(await weir.metric('weir_config_last_reload_timestamp_seconds') >= startedAt);
  const status = await weir.command('status');
  assert.match(status.stdout, /config +REFUSED at /);
  assert.match(status.stdout, /timeuot/);
  await send(weir, 'evt_still');
  await waitFor('the old configuration delivers', () => recorder.has('evt_still'));

  state.rest = httpSink(recorder.url) + route;
  await reload(weir);
  assert.equal(await weir.metric('weir_config_last_reload_success'), 1);
  assert.match((await weir.command('status')).stdout, /config +read /);
});

test('SIGHUP takes the same path', async t => {
  const recorder = await new Recorder().listen(t);
  const {weir, state} = await startWeir(t, httpSink(recorder.url) + route);
  state.rest = 'nonsense = 1';
  await weir.writeConfiguration();
  weir.running.process.kill('SIGHUP');
  await waitFor('it is refused', async () => await weir.metric('weir_config_last_reload_success') === 0);
  assert.match(weir.running.stderr(), /nonsense: unknown key/);
});

test('keys that need a restart are named until it comes, and the rest applies', async t => {
  const before = await new Recorder().listen(t);
  const after = await new Recorder().listen(t);
  const {weir, state} = await startWeir(t, httpSink(before.url) + route);
  weir.server = 'drain_timeout = "3s"\nretention = "30d"';
  state.rest = httpSink(after.url) + route;
  const report = await reload(weir);
  assert.deepEqual(report.needs_restart, ['server.drain_timeout', 'server.retention']);
  assert.deepEqual(report.changed, ['sink billing: url']);
  await send(weir, 'evt_1');
  await waitFor('the rest applies', () => after.has('evt_1'));
  assert.equal(await weir.metric('weir_config_restart_pending'), 2);
  assert.match((await weir.command('status')).stdout, /only after a restart: server\.drain_timeout server\.retention/);

  const again = await reload(weir);
  assert.deepEqual(again.needs_restart, ['server.drain_timeout', 'server.retention'], 'they still wait');
  await weir.stop();
  await weir.start();
  assert.equal(await weir.metric('weir_config_restart_pending'), 0);
});

test('the number of connections waits for the restart too', async t => {
  const {weir} = await startWeir(t, '');
  const before = await weir.metric('weir_connections_max');
  weir.server = 'limits = { connections = 7 }';
  assert.deepEqual((await reload(weir)).needs_restart, ['server.limits.connections']);
  assert.equal(await weir.metric('weir_connections_max'), before);
});

test('a value that only says the default needs no restart', async t => {
  const {weir} = await startWeir(t, '');
  weir.server = 'ack = "fsync"';
  assert.deepEqual((await reload(weir)).needs_restart, []);
});

test('a secret whose file changed is named although the configuration did not', async t => {
  const recorder = await new Recorder().listen(t);
  const directory = await temporaryDirectory(t);
  const file = path.join(directory, 'secret');
  await writeFile(file, 'the first secret that is long enough', {mode: 0o600});
  const {weir} = await startWeir(t, httpSink(recorder.url, `secret = "file:${file}"`) + route);
  assert.deepEqual((await reload(weir)).changed, []);
  await writeFile(file, 'the second secret that is long enough', {mode: 0o600});
  assert.deepEqual((await reload(weir)).changed, ['sink billing: secret (another value in the same place)']);
});

test('sources and sinks that come and go are named, with what a removed sink leaves behind', async t => {
  const recorder = await new Recorder().listen(t);
  const {weir, state} = await startWeir(t, httpSink(recorder.url) + route);
  await send(weir, 'evt_1');
  await waitFor('it arrives', () => recorder.has('evt_1'));
  state.rest = (httpSink(recorder.url) + route).replaceAll('billing', 'invoices');
  const report = await reload(weir);
  assert.ok(report.changed.includes('sink invoices added'), JSON.stringify(report));
  assert.ok(report.changed.includes('sink billing removed'), JSON.stringify(report));
  assert.ok(report.notes.some(note => note.startsWith('sink invoices is new: starts at sequence 2, 1 event of the log is not sent')),
    JSON.stringify(report));
  assert.ok(report.notes.some(note => note.startsWith('sink billing is removed: its position')), JSON.stringify(report));
});

test('a sink that cannot be opened is in force, named, and waits', async t => {
  const recorder = await new Recorder().listen(t);
  const {weir, state} = await startWeir(t, httpSink(recorder.url) + route);
  state.rest = httpSink(recorder.url) + route + '[[sink]]\nname = "archive"\nkind = "file"\npath = "missing/out.ndjson"\n'
    + '[[route]]\nsource = "*"\nsink = "archive"\n';
  const report = await reload(weir, 1);
  assert.match(report.not_open[0], /^sink archive: cannot be opened: .*missing/);
  await send(weir, 'evt_1');
  await waitFor('the others go on', () => recorder.has('evt_1'));
  await waitFor('it is counted', async () => await weir.metric('weir_sink_unopened', {sink: 'archive'}) === 1);
});

test('a reload of what does not run is not reachable', async t => {
  const {weir} = await startWeir(t, '');
  await weir.stop();
  const answer = await weir.command('reload');
  assert.equal(answer.code, 3, answer.stderr);
});
