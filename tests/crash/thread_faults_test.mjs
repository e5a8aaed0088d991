// One error in one call of one thread of the server, then the loss that its witness is there to notice. Whatever the
// error was, no store that lost an acked event may be served or be called sound.
//
// strace makes a single call fail with the file as it is: what was to be written is not.
import assert from 'node:assert/strict';
import {readdir, readFile, truncate} from 'node:fs/promises';
import path from 'node:path';
import {test} from 'node:test';

import {stripeEvent} from '../support/stripe_event.mjs';
import {request, run, start, temporaryDirectory, waitFor, Weir, weirBin} from '../support/weir_process.mjs';

const secret = 'whsec_thread_faults';

async function startWeir(t) {
  const directory = await temporaryDirectory(t);
  const archive = path.join(directory, 'archive.ndjson');
  const weir = new Weir(t, {directory, configure: () => `
[[source]]
name = "stripe"
kind = "stripe"
secrets_insecure = ["${secret}"]
quarantine = "4MiB"
[[sink]]
name = "archive"
kind = "file"
path = "${archive}"
retry = { attempts = 1000, first = "50ms", factor = 1, max = "50ms" }
[[route]]
source = "*"
sink = "archive"
`});
  await weir.start();
  return {weir, archive, acked: new Set()};
}

// Sends `count` events one after another; what is acked is in `acked`. What is refused comes again, as a sender's would.
let sent = 0;
async function send(weir, acked, count) {
  for (let i = 0; i < count; ++i) {
    const id = `evt_${++sent}`;
    const {body, headers} = stripeEvent(secret, id);
    const done = await waitFor(`an answer for ${id}`, async () => {
      const answer = await request(`${weir.url}/webhooks/stripe`, {method: 'POST', headers, body}).catch(() => null);
      if (answer === null) return weir.running.process.exitCode === null ? null : 'ended';
      return [200, 202].includes(answer.status) ? 'acked' : null;
    });
    if (done === 'ended') return false;
    acked.add(id);
  }
  return true;
}

// The next `call` on one of `files` fails once with `error`.
async function failOnce(t, weir, files, call, error) {
  const paths = files.flatMap(file => ['-P', file]);
  const tracer = start(t, 'strace', ['-f', '-o', '/dev/null', '-p', String(weir.pid), ...paths,
    '-e', `trace=${call}`, '-e', `inject=${call}:error=${error}:when=1`]);
  await waitFor('strace is attached', () => {
    if (tracer.process.exitCode !== null) throw new Error(`strace ended: ${tracer.stderr()}`);
    return tracer.stderr().includes('attached');
  });
  return async () => {
    if (tracer.process.exitCode === null) tracer.process.kill('SIGINT');
    await tracer.exited;
  };
}

const databaseFiles = async (weir, ending) => {
  const folder = path.join(weir.data, 'store');
  return (await readdir(folder)).filter(name => name.endsWith(ending) || name.startsWith(ending)).map(name => path.join(folder, name));
};

// The newest sequence that the high-water record promises (docs/format.md): the larger of its two slots.
async function promised(weir) {
  const record = await readFile(path.join(weir.data, 'high-water'));
  return Number([24, 512 + 24].map(at => record.readBigUInt64LE(at)).reduce((a, b) => a > b ? a : b));
}

// Cuts off what the write-ahead log holds: acked events, unless they are in tables.
async function loseTheLog(weir) {
  for (const file of await databaseFiles(weir, '.log')) await truncate(file, 0);
}

async function expectNoFalseSound(t, weir, acked) {
  const served = start(t, weirBin, ['serve', '--config', weir.configFile], {env: weir.env});
  const ready = await waitFor('it serves or refuses', async () => {
    if (served.process.exitCode !== null) return 'refused';
    return await weir.isReady() ? 'serves' : null;
  });
  if (ready === 'serves') {
    const answer = await request(`${weir.adminUrl}/api/events/count`).catch(() => null);
    served.process.kill('SIGTERM');
    await served.exited;
    assert.fail(`a store that lost ${acked.size} acked events is served (${answer?.body})`);
  }
  assert.match(served.stderr(), /refus|acknowledged|missing/i);
  const verified = await run(t, weirBin, ['verify', '--data', weir.data]);
  assert.notEqual(verified.code, 0, verified.stdout);
}

test('control: without an error a lost log is refused', async t => {
  const {weir, acked} = await startWeir(t);
  await send(weir, acked, 20);
  await waitFor('the events are delivered', async () => await weir.metric('webhook_queue_depth') === 0);
  await waitFor('the record has followed', async () => await promised(weir) === acked.size);
  await weir.kill();
  await loseTheLog(weir);
  await expectNoFalseSound(t, weir, acked);
});

for (const [call, error] of [['fdatasync', 'EIO'], ['pwrite64', 'EIO'], ['pwrite64', 'ENOSPC']]) {
  test(`the high-water record goes on after ${error} in ${call}: a line, a metric, and a loss is noticed`, async t => {
    const {weir, acked} = await startWeir(t);
    await send(weir, acked, 5);
    const detach = await failOnce(t, weir, [path.join(weir.data, 'high-water')], call, error);
    assert.ok(await send(weir, acked, 5), 'the server goes on');
    await waitFor('the error is counted', async () => await weir.metric('weir_store_errors_total', {part: 'high_water'}) >= 1);
    await waitFor('it is over', async () => await weir.metric('weir_store_trouble', {part: 'high_water'}) === 0);
    await detach();
    assert.match(weir.running.stderr(), /high-water record/);
    assert.ok(await send(weir, acked, 20), 'the server goes on');
    await waitFor('it is ready', () => weir.isReady());
    await waitFor('the record has followed', async () => await promised(weir) === acked.size);
    await weir.kill();
    await loseTheLog(weir);
    await expectNoFalseSound(t, weir, acked);
  });
}

test('while the high-water record cannot be written nothing is acked, and everything again once it can', async t => {
  const {weir, acked} = await startWeir(t);
  await send(weir, acked, 5);
  const file = path.join(weir.data, 'high-water');
  const tracer = start(t, 'strace', ['-f', '-o', '/dev/null', '-p', String(weir.pid), '-P', file,
    '-e', 'trace=fdatasync', '-e', 'inject=fdatasync:error=EIO']);
  await waitFor('strace is attached', () => tracer.stderr().includes('attached'));
  const attempt = id => {
    const {body, headers} = stripeEvent(secret, id);
    return request(`${weir.url}/webhooks/stripe`, {method: 'POST', headers, body});
  };
  let tries = 0;
  const refused = await waitFor('events are refused', async () => {
    const answer = await attempt(`evt_refused_${++tries}`);
    return answer.status === 503 ? answer : null;
  });
  assert.ok(refused.headers['retry-after']);
  assert.equal(await weir.isReady(), false);
  tracer.process.kill('SIGINT');
  await tracer.exited;
  await waitFor('it is ready', () => weir.isReady());
  assert.equal((await attempt('evt_after')).status, 202);
  assert.deepEqual(await weir.stop(), {code: 0, signal: null});
});

for (const [call, error] of [['fdatasync', 'EIO'], ['pwrite64', 'EIO'], ['pwrite64', 'ENOSPC']]) {
  test(`the store fails after ${error} in ${call} of its log, and has everything after a restart`, async t => {
    const {weir, acked} = await startWeir(t);
    await send(weir, acked, 5);
    await failOnce(t, weir, await databaseFiles(weir, '.log'), call, error);
    await send(weir, acked, 20);
    let how;
    weir.running.exited.then(value => { how = value; });
    await waitFor('weir has ended', () => how);
    assert.deepEqual(how, {code: 1, signal: null});
    assert.match(weir.running.stderr(), /the store failed/);
    await weir.start();
    const shown = await weir.command('events list', '--limit', '1000', '--json');
    const stored = new Set(JSON.parse(shown.stdout).map(event => event.id));
    assert.deepEqual([...acked].filter(id => !stored.has(id)), []);
    assert.deepEqual(await weir.stop(), {code: 0, signal: null});
    assert.equal((await weir.command('verify')).code, 0);
  });
}

for (const call of ['fdatasync', 'write']) {
  test(`a file sink goes on after EIO in ${call} and loses no event`, async t => {
    const {weir, archive, acked} = await startWeir(t);
    await send(weir, acked, 5);
    await waitFor('the events are delivered', async () => await weir.metric('webhook_processed_total', {sink: 'archive'}) === 5);
    const detach = await failOnce(t, weir, [archive], call, 'EIO');
    assert.ok(await send(weir, acked, 5), 'the server goes on');
    await waitFor('the events are delivered', async () => await weir.metric('webhook_processed_total', {sink: 'archive'}) === 10);
    await detach();
    assert.deepEqual(await weir.stop(), {code: 0, signal: null});
  });
}

test('the quarantine goes on after EIO and says so', async t => {
  const {weir, acked} = await startWeir(t);
  const refuse = () => request(`${weir.url}/webhooks/stripe`, {method: 'POST', headers: {'stripe-signature': 't=1,v1=00'}, body: '{}'});
  await refuse();
  const folder = path.join(weir.data, 'quarantine', 'stripe');
  await waitFor('one is kept', async () => await weir.metric('weir_quarantine_kept_total') === 1);
  const segments = (await readdir(folder)).map(name => path.join(folder, name));
  const detach = await failOnce(t, weir, segments, 'write', 'EIO');
  await refuse();
  await waitFor('one is not', async () => await weir.metric('weir_quarantine_dropped_total', {reason: 'unwritten'}) === 1);
  await refuse();
  await waitFor('the next is', async () => await weir.metric('weir_quarantine_kept_total') === 2);
  await detach();
  assert.match(weir.running.stderr(), /refused requests are not kept/);
  assert.match(weir.running.stderr(), /kept again/);
  assert.ok(await send(weir, acked, 2));
  assert.deepEqual(await weir.stop(), {code: 0, signal: null});
});
