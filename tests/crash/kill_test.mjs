// The invariant of the whole system under kill -9: every acked id is stored exactly once and reaches every sink.
//
// Load runs throughout and re-sends what lost its connection, as providers do; the server is killed at random moments,
// during its start as well, and started again on the same directory. What is compared at the end are two ledgers that weir
// does not write: the ids the load saw acked, and the ids the sinks received. 20 kills; 200 with WEIR_TEST_LONG=1, or as
// many as WEIR_TEST_KILLS says.
import assert from 'node:assert/strict';
import path from 'node:path';
import {test} from 'node:test';
import {setTimeout as delay} from 'node:timers/promises';

import {countEvents, countSinkFiles, missingFrom, readLedger, repeatedIn} from '../support/event_log.mjs';
import {Random} from '../support/random.mjs';
import {Recorder} from '../support/recorder.mjs';
import {longRun, start, temporaryDirectory, waitFor, Weir, weirBenchBin} from '../support/weir_process.mjs';

const kills = Number(process.env.WEIR_TEST_KILLS ?? (longRun ? 200 : 20));
const secret = 'whsec_crash_test';
const sinkConcurrency = 16;
// A sink's position is written every 20 ms: a kill may repeat what was out and what was answered since then.
const repeatedPerKill = sinkConcurrency + 500;

test(`${kills} kills under load lose no acked event, store none twice and deliver all`, async t => {
  const random = new Random();
  t.diagnostic(`seed ${random.seed}`);
  const directory = await temporaryDirectory(t);
  const recorder = await new Recorder().listen(t);
  const archive = path.join(directory, 'archive.ndjson');
  const ledger = path.join(directory, 'acked.txt');
  const weir = new Weir(t, {directory, configure: () => `
[[source]]
name = "stripe"
kind = "stripe"
secrets_insecure = ["${secret}"]

[[sink]]
name = "recorder"
kind = "http"
url = "${recorder.url}"
concurrency = ${sinkConcurrency}
retry = { attempts = 50, first = "100ms", factor = 2, max = "1s" }

[[sink]]
name = "archive"
kind = "file"
path = "${archive}"

[[route]]
source = "*"
sink = "recorder"

[[route]]
source = "*"
sink = "archive"
`});
  await weir.start();
  const load = start(t, weirBenchBin, [
    '--url', `${weir.url}/webhooks/stripe`, '--kind', 'stripe', '--secret', secret, '--duration', '24h', '--rate', '1200',
    '--connections', '32', '--duplicates', '0.05', '--resend', '--reconnect', '5m', '--ahead', '5000', '--ledger', ledger]);

  let crashes = 0;
  let killedWhileStarting = 0;
  for (let kill = 1; kill <= kills; ++kill) {
    const ackedBefore = (await readLedger(ledger)).size;
    if (random.next() < 0.2) {
      // While it recovers: a crash during recovery must not cost what the crash before it did not.
      await weir.kill();
      await weir.launch();
      await delay(random.between(1, 150));
      if (!await weir.isReady()) ++killedWhileStarting;
      ++crashes;
      await weir.kill();
    } else {
      await delay(random.between(20, 900));
      await weir.kill();
    }
    ++crashes;
    await weir.start();
    await waitFor('events are acked again', async () => (await readLedger(ledger)).size > ackedBefore + 50);
  }
  load.process.kill('SIGTERM');
  await load.exited;

  const acked = await readLedger(ledger);
  t.diagnostic(`${acked.size} ids acked over ${crashes} kills, ${killedWhileStarting} of them before it served`);
  await waitFor('every acked event is at the http sink', () => [...acked].every(id => recorder.has(id)), {deadline_ms: 120_000});
  await waitFor('every acked event is at the file sink',
    async () => missingFrom(acked, await countSinkFiles(archive)).length === 0, {deadline_ms: 120_000});
  assert.deepEqual(await weir.stop(), {code: 0, signal: null});

  const verified = await weir.command('verify', '--ledger', ledger);
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);

  const exported = path.join(directory, 'export.ndjson');
  assert.equal((await weir.command('export', '--out', exported)).code, 0);
  const stored = await countEvents(exported);
  assert.deepEqual(missingFrom(acked, stored), [], 'acked and not stored');
  assert.deepEqual(repeatedIn(stored), [], 'stored twice');
  // More may be stored than was acked (the answer was lost with the server), but nothing may be delivered that is not stored.
  assert.deepEqual(missingFrom(recorder.deliveries.keys(), stored), [], 'delivered and not stored');

  const archived = await countSinkFiles(archive);
  const archivedTwice = [...archived.values()].reduce((sum, count) => sum + count - 1, 0);
  t.diagnostic(`${recorder.repeated} repeated deliveries to the http sink, ${archivedTwice} to the file sink`);
  assert.ok(recorder.repeated <= crashes * repeatedPerKill, `${recorder.repeated} repeated deliveries`);
  assert.ok(archivedTwice <= crashes * repeatedPerKill, `${archivedTwice} repeated lines`);
});

test('without a kill nothing is delivered twice', async t => {
  const directory = await temporaryDirectory(t);
  const recorder = await new Recorder().listen(t);
  const ledger = path.join(directory, 'acked.txt');
  const weir = new Weir(t, {directory, configure: () => `
[[source]]
name = "stripe"
kind = "stripe"
secrets_insecure = ["${secret}"]
[[sink]]
name = "recorder"
kind = "http"
url = "${recorder.url}"
concurrency = ${sinkConcurrency}
[[route]]
source = "*"
sink = "recorder"
`});
  await weir.start();
  const load = start(t, weirBenchBin, [
    '--url', `${weir.url}/webhooks/stripe`, '--kind', 'stripe', '--secret', secret, '--count', '5000', '--rate', '2000',
    '--connections', '32', '--duplicates', '0.1', '--ledger', ledger]);
  assert.deepEqual(await load.exited, {code: 0, signal: null}, load.stdout());
  const acked = await readLedger(ledger);
  await waitFor('every acked event is delivered', () => [...acked].every(id => recorder.has(id)));
  assert.deepEqual(await weir.stop(), {code: 0, signal: null});
  await weir.start();
  await waitFor('the queue is empty', async () => (await weir.metric('webhook_queue_depth')) === 0);
  assert.deepEqual(await weir.stop(), {code: 0, signal: null});
  assert.equal(recorder.deliveries.size, acked.size);
  assert.equal(recorder.repeated, 0);
});
