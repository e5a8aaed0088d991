// A file sink on a disk whose syncs fail: what was written is not delivered until a sync of it has succeeded.
import assert from 'node:assert/strict';
import path from 'node:path';
import {test} from 'node:test';

import {countSinkFiles, missingFrom, readLedger} from '../support/event_log.mjs';
import {run, start, temporaryDirectory, waitFor, Weir, weirBenchBin} from '../support/weir_process.mjs';

const secret = 'whsec_sink_sync';
const events = 500;

// Attaches to a running weir: its fdatasyncs of `file` fail, those of the store do not. Resolves when that is in force.
async function failSyncsOf(t, weir, file) {
  const tracer = start(t, 'strace', ['-f', '-o', '/dev/null', '-p', String(weir.pid), '-P', file,
    '-e', 'trace=fdatasync', '-e', 'inject=fdatasync:error=EIO']);
  await waitFor('strace is attached', () => {
    if (tracer.process.exitCode !== null) throw new Error(`strace ended: ${tracer.stderr()}`);
    return tracer.stderr().includes('attached');
  });
  return async () => {
    tracer.process.kill('SIGINT');
    await tracer.exited;
  };
}

test('what a sink could not sync is not settled, and is delivered once it can', async t => {
  const directory = await temporaryDirectory(t);
  const archive = path.join(directory, 'archive.ndjson');
  const weir = new Weir(t, {directory, configure: () => `
[[source]]
name = "stripe"
kind = "stripe"
secrets_insecure = ["${secret}"]
[[sink]]
name = "archive"
kind = "file"
path = "${archive}"
retry = { attempts = 1000, first = "50ms", factor = 1, max = "50ms" }
breaker = { failures = 1000000 }
[[route]]
source = "*"
sink = "archive"
`});
  await weir.start();
  const mend = await failSyncsOf(t, weir, archive);
  const ledger = path.join(directory, 'acked.txt');
  const load = await run(t, weirBenchBin, ['--url', `${weir.url}/webhooks/stripe`, '--kind', 'stripe', '--secret', secret,
    '--count', String(events), '--connections', '8', '--ledger', ledger]);
  assert.equal(load.code, 0, load.stderr);
  const acked = await readLedger(ledger);
  assert.equal(acked.size, events, 'the store syncs as ever');

  await waitFor('attempts fail', async () => await weir.metric('webhook_failed_total', {sink: 'archive', reason: 'io'}) >= events);
  assert.equal(await weir.metric('webhook_processed_total', {sink: 'archive'}), 0);

  await mend();
  await waitFor('everything is settled', async () => await weir.metric('webhook_processed_total', {sink: 'archive'}) === events);
  assert.deepEqual(missingFrom(acked, await countSinkFiles(archive)), []);
  assert.equal(await weir.metric('webhook_dlq_size', {sink: 'archive'}), 0);
  assert.deepEqual(await weir.stop(), {code: 0, signal: null});
});
