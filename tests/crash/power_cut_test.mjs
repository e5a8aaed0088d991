// Acks must mean durable: load, then the power of the disk under the store is cut, then the machine "restarts".
//
// The control is the same run with syncs that return without having happened, so that every ack comes before its sync. It
// must be caught, every time: a check that cannot see that loss would prove nothing when it sees none.
import assert from 'node:assert/strict';
import {rm} from 'node:fs/promises';
import path from 'node:path';
import {test} from 'node:test';

import {CrashDisk} from '../support/crash_disk.mjs';
import {countEvents, countSinkFiles, missingFrom, readLedger, repeatedIn} from '../support/event_log.mjs';
import {longRun, start, temporaryDirectory, waitFor, Weir, weirBenchBin} from '../support/weir_process.mjs';

const secret = 'whsec_power_cut';
const cuts = longRun ? 20 : 3;
const ackedBeforeStrike = 2000;

function weirOn(t, {directory, disk, ack, run}) {
  return new Weir(t, {
    directory, data: path.join(disk.mountPoint, `data-${ack}-${run}`), server: `ack = "${ack}"`,
    configure: () => `
[[source]]
name = "stripe"
kind = "stripe"
secrets_insecure = ["${secret}"]
[[sink]]
name = "archive"
kind = "file"
path = "${directory}/archive-${ack}-${run}.ndjson"
[[route]]
source = "*"
sink = "archive"
`});
}

// Everything stops at one instant, as it does when the power goes. Without the freeze the file system's shutdown can overtake an fdatasync
// that is under way, which then reports success for bytes that are gone: ext4 alone does that in one of nine such cuts, and no disk does.
async function cutPowerUnder(weir, disk) {
  await weir.freeze();
  await disk.cutPower();
  await weir.kill();
}

// Runs load after `before`, calls `strike` while events are being acked, and turns the disk off and on. Resolves with the ledger of what
// was acked. Weir is not running then.
async function loadUntil(t, weir, {directory, disk, run, strike, before = () => {}}) {
  const ledger = path.join(directory, `acked-${run}.txt`);
  await weir.start();
  await before();
  const load = start(t, weirBenchBin, [
    '--url', `${weir.url}/webhooks/stripe`, '--kind', 'stripe', '--secret', secret, '--duration', '10m', '--connections', '64',
    '--ahead', '20000', '--reconnect', '0s', '--timeout', '2s', '--id-prefix', `${run}_`, '--ledger', ledger]);
  await waitFor('enough events are acked', async () => (await readLedger(ledger)).size > ackedBeforeStrike);
  await strike();
  await load.exited;
  await disk.powerOn();
  return {ledger, acked: await readLedger(ledger)};
}

async function assertNothingLost(weir, {directory, ledger, acked, run}) {
  // The next start must serve, and go on delivering: what is there is whole.
  await weir.start();
  const archive = path.join(directory, `archive-fsync-${run}.ndjson`);
  await waitFor('every acked event is at the sink', async () => missingFrom(acked, await countSinkFiles(archive)).length === 0);
  assert.deepEqual(await weir.stop(), {code: 0, signal: null});
  const verified = await weir.command('verify', '--ledger', ledger);
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  const stored = await storedIds(weir, directory, run);
  assert.deepEqual(missingFrom(acked, stored), []);
  assert.deepEqual(repeatedIn(stored), []);
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
  for (let cut = 1; cut <= cuts; ++cut) {
    const weir = weirOn(t, {directory, disk, ack: 'fsync', run: `cut${cut}`});
    const strike = () => cutPowerUnder(weir, disk);
    const outcome = await loadUntil(t, weir, {directory, disk, run: `cut${cut}`, strike});
    await assertNothingLost(weir, {directory, run: `cut${cut}`, ...outcome});
    t.diagnostic(`cut ${cut}: ${outcome.acked.size} acked, 0 lost`);
    await rm(weir.data, {recursive: true});
  }
});

// Attaches to a running weir and changes what its syncs do, in the kernel's name. Resolves when that is in force.
async function tamperWithSyncs(t, weir, how) {
  const calls = 'fdatasync,fsync,sync_file_range';
  const tracer = start(t, 'strace', ['-f', '-o', '/dev/null', '-p', String(weir.pid), '-e', `trace=${calls}`, '-e', `inject=${calls}:${how}`]);
  await waitFor('strace is attached', () => {
    if (tracer.process.exitCode !== null) throw new Error(`strace ended: ${tracer.stderr()}`);
    return tracer.stderr().includes('attached');
  });
}

test('the control, which acks before the sync, is caught by the same check', async t => {
  const directory = await temporaryDirectory(t);
  const disk = await CrashDisk.create(t, directory);
  for (const ack of ['fsync', 'os']) {
    for (let cut = 1; cut <= cuts; ++cut) {
      const run = `control-${ack}-${cut}`;
      const weir = weirOn(t, {directory, disk, ack, run});
      const strike = () => cutPowerUnder(weir, disk);
      const {ledger, acked} = await loadUntil(t, weir, {directory, disk, run, strike, before: () => tamperWithSyncs(t, weir, 'retval=0')});
      const verified = await weir.command('verify', '--ledger', ledger);
      assert.equal(verified.code, 1, `verify did not notice: ${verified.stdout}${verified.stderr}`);
      t.diagnostic(`ack = "${ack}", cut ${cut}: ${acked.size} acked; ${verified.stdout.trim().split('\n').at(-1)}`);
      await rm(weir.data, {recursive: true});
    }
  }
});

test('after a failed sync nothing is acked and the process ends', async t => {
  const directory = await temporaryDirectory(t);
  const disk = await CrashDisk.create(t, directory);
  const run = 'failed-sync';
  const weir = weirOn(t, {directory, disk, ack: 'fsync', run});
  const strike = async () => {
    // The syncs do not happen at all: an event acked on the strength of one is gone when the power is.
    await tamperWithSyncs(t, weir, 'error=EIO');
    const {code} = await weir.running.exited;
    assert.equal(code, 1, weir.running.stderr().slice(-1000));
    await disk.cutPower();
  };
  const outcome = await loadUntil(t, weir, {directory, disk, run, strike});
  await assertNothingLost(weir, {directory, run, ...outcome});
});
