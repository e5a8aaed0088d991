// Nearly full is weir's decision, not RocksDB's: 503 with Retry-After while there is still room to work, and acceptance again
// by itself when there is more.
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {rm, statfs} from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import {test} from 'node:test';
import {promisify} from 'node:util';

import {CrashDisk} from '../support/crash_disk.mjs';
import {stripeEvent} from '../support/stripe_event.mjs';
import {atEnd, freePort, request, run, temporaryDirectory, waitFor, Weir, weirBenchBin, weirBin} from '../support/weir_process.mjs';

const secret = 'whsec_full_disk';
const MiB = 1024 * 1024;
const cycles = 5;

test('a full disk refuses events and an emptier one takes them again', async t => {
  const directory = await temporaryDirectory(t);
  const disk = await CrashDisk.create(t, directory, {bytes: 600 * MiB});
  const weir = new Weir(t, {
    directory, data: path.join(disk.mountPoint, 'data'), server: '[server.limits]\nmin_free_disk = "200MiB"',
    configure: () => `
[[source]]
name = "stripe"
kind = "stripe"
secrets_insecure = ["${secret}"]
`});
  await weir.start();
  const {pid} = weir;
  let sent = 0;
  const accepted = [];
  const post = async () => {
    const id = `evt_${++sent}`;
    const answer = await request(`${weir.url}/webhooks/stripe`, {method: 'POST', ...stripeEvent(secret, id)});
    if (answer.status === 202) accepted.push(id);
    return answer;
  };
  assert.equal((await post()).status, 202);

  const ballast = path.join(disk.mountPoint, 'ballast');
  for (let cycle = 0; cycle < cycles; ++cycle) {
    await promisify(execFile)('fallocate', ['-l', String(380 * MiB), ballast]);
    const refused = await waitFor('events are refused', async () => {
      const answer = await post();
      return answer.status !== 202 && answer;
    });
    assert.equal(refused.status, 503);
    assert.ok(Number(refused.headers['retry-after']) >= 1);
    assert.equal(await weir.isReady(), false, 'a load balancer must see it too');

    await rm(ballast);
    await waitFor('events are accepted again', async () => (await post()).status === 202);
    await waitFor('it is ready again', () => weir.isReady());
  }
  assert.equal(weir.pid, pid);
  assert.deepEqual(await weir.stop(), {code: 0, signal: null});
  const counted = await weir.command('events count', '--json');
  assert.match(counted.stdout, new RegExp(`\\b${accepted.length}\\b`));
  assert.equal((await weir.command('verify')).code, 0);
});

test('a sink that refuses a backlog for good does not fill the disk with dead letters', async t => {
  const directory = await temporaryDirectory(t);
  const disk = await CrashDisk.create(t, directory, {bytes: 900 * MiB});
  const sinkPort = await freePort();  // nobody listens there yet
  const weir = new Weir(t, {
    directory, data: path.join(disk.mountPoint, 'data'), server: '[server.limits]\nmin_free_disk = "200MiB"',
    configure: () => `
[[source]]
name = "stripe"
kind = "stripe"
secrets_insecure = ["${secret}"]
[[sink]]
name = "gone"
kind = "http"
url = "http://127.0.0.1:${sinkPort}/events"
concurrency = 64
retry = { attempts = 1000, first = "200ms", factor = 1.5, max = "1s" }
breaker = { failures = 5, open = "200ms" }
dead_letter_statuses = [410]
[[route]]
source = "*"
sink = "gone"
`});
  await weir.start();
  const backlog = 20_000;
  const loaded = await run(t, weirBenchBin, ['--url', `${weir.url}/webhooks/stripe`, '--kind', 'stripe', '--secret', secret,
    '--count', String(backlog), '--connections', '64']);
  assert.equal(loaded.code, 0, loaded.stdout);

  const free = async () => { const at = await statfs(disk.mountPoint); return at.bavail * at.bsize; };
  const ballast = path.join(disk.mountPoint, 'ballast');
  await promisify(execFile)('fallocate', ['-l', String(await free() - 230 * MiB), ballast]);
  const answer = Buffer.alloc(4096, 'x');
  const sink = http.createServer((incoming, outgoing) => {
    incoming.resume().on('end', () => outgoing.writeHead(410, {'content-length': answer.length}).end(answer));
  });
  await new Promise(resolve => { sink.listen(sinkPort, '127.0.0.1', resolve); });
  atEnd(t, () => { sink.closeAllConnections(); sink.close(); });

  const dead = () => weir.metric('webhook_dlq_size', {sink: 'gone'});
  let least = Infinity;
  // Deliveries wait when the floor is near, before ingest has to; a fast disk may have room for all of them.
  let buried = 0;
  let unchanged = 0;
  await waitFor('deliveries wait, or there is nothing left to bury', async () => {
    least = Math.min(least, await free());
    const now = await dead();
    unchanged = now === buried && now > 0 ? unchanged + 1 : 0;
    buried = now;
    return unchanged === 50 || now === backlog || !await weir.isReady();
  });
  least = Math.min(least, await free());
  assert.ok(least > 130 * MiB, `${Math.round(least / MiB)} MiB were left of a floor of 200`);

  await rm(ballast);
  await waitFor('the rest of the backlog is dead', async () => await dead() === backlog, {deadline_ms: 120_000});
  assert.deepEqual(await weir.stop(), {code: 0, signal: null});
  assert.equal((await weir.command('verify')).code, 0);
});

test('a disk that is full at the start is named, and with room weir starts', async t => {
  const directory = await temporaryDirectory(t);
  const disk = await CrashDisk.create(t, directory, {bytes: 600 * MiB});
  const weir = new Weir(t, {
    directory, data: path.join(disk.mountPoint, 'data'), configure: () => `
[[source]]
name = "stripe"
kind = "stripe"
secrets_insecure = ["${secret}"]
`});
  await weir.start();
  assert.equal((await request(`${weir.url}/webhooks/stripe`, {method: 'POST', ...stripeEvent(secret, 'evt_1')})).status, 202);
  await weir.kill();
  const at = await statfs(disk.mountPoint);
  const ballast = path.join(disk.mountPoint, 'ballast');
  await promisify(execFile)('fallocate', ['-l', String(at.bavail * at.bsize - 2 * MiB), ballast]);
  for (let i = 0; i < 3; ++i) {
    const refused = await run(t, weirBin, ['serve', '--config', weir.configFile]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /is full.*Make room/s);
  }
  await rm(ballast);
  await weir.start();
  const again = await request(`${weir.url}/webhooks/stripe`, {method: 'POST', ...stripeEvent(secret, 'evt_1')});
  assert.equal(again.status, 200, 'what was acknowledged is there');
  assert.deepEqual(await weir.stop(), {code: 0, signal: null});
});
