// Acks must mean durable: load, then the power of the disk under the store is cut, then the machine "restarts".
//
// The control is the same run with ack = "os", which acks before the sync. It must be caught, every time: a harness that
// cannot see that loss would prove nothing when it sees none.
import assert from 'node:assert/strict';
import path from 'node:path';
import {test} from 'node:test';

import {CrashDisk} from '../support/crash_disk.mjs';
import {countEvents, missingFrom, readLedger, repeatedIn} from '../support/event_log.mjs';
import {longRun, start, temporaryDirectory, waitFor, Weir, weirBenchBin} from '../support/weir_process.mjs';

const secret = 'whsec_power_cut';
const cuts = longRun ? 20 : 3;
const ackedBeforeCut = 2000;

// Runs load into a store on `disk` and cuts the power. Resolves with the acked ids and the weir, not running.
async function loadAndCut(t, {directory, disk, ack, run}) {
  const weir = new Weir(t, {
    directory, data: path.join(disk.mountPoint, `data-${ack}-${run}`), server: `ack = "${ack}"`,
    configure: () => `
[[source]]
name = "stripe"
kind = "stripe"
secrets_insecure = ["${secret}"]
`});
  await weir.start();
  const ledger = path.join(directory, `acked-${ack}-${run}.txt`);
  const load = start(t, weirBenchBin, [
    '--url', `${weir.url}/webhooks/stripe`, '--kind', 'stripe', '--secret', secret, '--duration', '10m', '--connections', '64',
    '--ahead', '20000', '--reconnect', '0s', '--timeout', '2s', '--id-prefix', `${ack}_${run}_`, '--ledger', ledger]);
  await waitFor('enough events are acked', async () => (await readLedger(ledger)).size > ackedBeforeCut);
  await disk.cutPower();
  await weir.kill();
  await load.exited;
  await disk.powerOn();
  return {weir, ledger, acked: await readLedger(ledger)};
}

async function storedIds(weir, directory, name) {
  const exported = path.join(directory, `${name}.ndjson`);
  const result = await weir.command('export', '--out', exported);
  assert.equal(result.code, 0, result.stderr);
  return countEvents(exported);
}

test('a power cut loses no event that was acked after its sync', async t => {
  const directory = await temporaryDirectory(t);
  const disk = await CrashDisk.create(t, directory);
  for (let run = 1; run <= cuts; ++run) {
    const {weir, ledger, acked} = await loadAndCut(t, {directory, disk, ack: 'fsync', run});
    // The next start must serve: what is there is whole.
    await weir.start();
    assert.deepEqual(await weir.stop(), {code: 0, signal: null});
    const verified = await weir.command('verify', '--ledger', ledger);
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
    const stored = await storedIds(weir, directory, `fsync-${run}`);
    assert.deepEqual(missingFrom(acked, stored), []);
    assert.deepEqual(repeatedIn(stored), []);
    t.diagnostic(`cut ${run}: ${acked.size} acked, 0 lost`);
  }
});

test('the control, which acks before the sync, is caught by the same check', async t => {
  const directory = await temporaryDirectory(t);
  const disk = await CrashDisk.create(t, directory);
  for (let run = 1; run <= cuts; ++run) {
    const {weir, ledger, acked} = await loadAndCut(t, {directory, disk, ack: 'os', run});
    const verified = await weir.command('verify', '--ledger', ledger);
    assert.equal(verified.code, 1, `verify did not notice: ${verified.stdout}${verified.stderr}`);
    t.diagnostic(`cut ${run}: ${acked.size} acked; ${verified.stdout.trim().split('\n').at(-1)}`);
  }
});
