// Falling behind and starting up are one path: a sink that was down while events came gets every one of them after a restart.
import assert from 'node:assert/strict';
import path from 'node:path';
import {test} from 'node:test';

import {readLedger} from '../support/event_log.mjs';
import {Recorder} from '../support/recorder.mjs';
import {freePort, longRun, run, temporaryDirectory, waitFor, Weir, weirBenchBin} from '../support/weir_process.mjs';

const secret = 'whsec_backlog';
const backlog = longRun ? 500_000 : 50_000;

test(`a backlog of ${backlog} undelivered events is delivered after a crash`, async t => {
  const directory = await temporaryDirectory(t);
  const sinkPort = await freePort();  // nobody listens there yet
  const ledger = path.join(directory, 'acked.txt');
  const weir = new Weir(t, {directory, configure: () => `
[[source]]
name = "stripe"
kind = "stripe"
secrets_insecure = ["${secret}"]
[[sink]]
name = "recorder"
kind = "http"
url = "http://127.0.0.1:${sinkPort}/events"
concurrency = 64
retry = { attempts = 1000, first = "200ms", factor = 1.5, max = "1s" }
breaker = { failures = 5, open = "500ms" }
[[route]]
source = "*"
sink = "recorder"
`});
  await weir.start();
  const loaded = await run(t, weirBenchBin, ['--url', `${weir.url}/webhooks/stripe`, '--kind', 'stripe', '--secret', secret,
    '--count', String(backlog), '--connections', '128', '--ledger', ledger]);
  assert.equal(loaded.code, 0, loaded.stdout);
  await weir.kill();

  const recorder = await new Recorder().listen(t, sinkPort);
  await weir.start();
  const acked = await readLedger(ledger);
  assert.equal(acked.size, backlog);
  await waitFor('the whole backlog is delivered', () => recorder.deliveries.size >= backlog, {deadline_ms: 300_000});
  for (const id of acked) assert.ok(recorder.has(id));
  assert.equal(recorder.repeated, 0, 'nothing was delivered before the crash, so nothing may come twice');

  // And what comes now is delivered behind it.
  const more = await run(t, weirBenchBin, ['--url', `${weir.url}/webhooks/stripe`, '--kind', 'stripe', '--secret', secret,
    '--count', '100', '--id-prefix', 'after_', '--ledger', ledger]);
  assert.equal(more.code, 0, more.stdout);
  await waitFor('new events follow', () => recorder.deliveries.size >= backlog + 100);
  assert.deepEqual(await weir.stop(), {code: 0, signal: null});
});
