// Nearly full is weir's decision, not RocksDB's: 503 with Retry-After while there is still room to work, and acceptance again
// by itself when there is more.
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {rm} from 'node:fs/promises';
import path from 'node:path';
import {test} from 'node:test';
import {promisify} from 'node:util';

import {CrashDisk} from '../support/crash_disk.mjs';
import {stripeEvent} from '../support/stripe_event.mjs';
import {request, temporaryDirectory, waitFor, Weir} from '../support/weir_process.mjs';

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
