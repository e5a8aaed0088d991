// The machine's clock set under a running server and between two runs. Only the wall clock is moved: what passes, passes.
import assert from 'node:assert/strict';
import {readdir, rename, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {test} from 'node:test';

import {Recorder} from '../support/recorder.mjs';
import {stripeEvent} from '../support/stripe_event.mjs';
import {longRun, request, temporaryDirectory, waitFor, Weir} from '../support/weir_process.mjs';

const secret = 'whsec_clock';
const retryDelay_ms = 1000;
// The short run only tells a retry that comes from one that waits for the clock.
const retryLate_ms = longRun ? 1000 : 20_000;
const steps_h = longRun ? [1, -1, 24, -24, 960, -960] : [-24, 960];

async function libfaketime() {
  const [lib] = (await readdir('/usr/lib')).filter(name => name.endsWith('-linux-gnu') && name.startsWith(process.arch === 'arm64' ? 'aarch64' : 'x86_64'));
  return `/usr/lib/${lib}/faketime/libfaketimeMT.so.1`;
}

// A weir whose wall clock is `offset_s` ahead of the machine's, whatever that is set to while it runs.
class WeirWithClock extends Weir {
  offset_s = 0;

  static async make(t, directory, configure) {
    const clockFile = path.join(directory, 'clock');
    const weir = new WeirWithClock(t, {directory, configure, server: 'threads = 1\nretention = "10m"', env: {
      LD_PRELOAD: await libfaketime(), FAKETIME_TIMESTAMP_FILE: clockFile, FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1', FAKETIME_DONT_RESET: '1',
    }});
    weir.clockFile = clockFile;
    await weir.setClock(0);
    return weir;
  }

  // Whole or not at all: the file is read with every call.
  async setClock(offset_s) {
    this.offset_s = offset_s;
    await writeFile(`${this.clockFile}.new`, `${offset_s < 0 ? '' : '+'}${offset_s}\n`);
    await rename(`${this.clockFile}.new`, this.clockFile);
  }

  send(id) {
    const {headers, body} = stripeEvent(secret, id, {at_ms: Date.now() + this.offset_s * 1000});
    return request(`${this.url}/webhooks/stripe`, {method: 'POST', headers, body});
  }
}

for (const step_h of steps_h) {
  test(`a clock that is set by ${step_h} h delays no retry, forgets no event and opens no window`, async t => {
    const directory = await temporaryDirectory(t);
    const attempts = new Map();  // id -> when, by this process's monotonic clock
    const sink = await new Recorder({
      answer: ({id}) => {
        if (!attempts.has(id)) attempts.set(id, []);
        attempts.get(id).push(performance.now());
        return attempts.get(id).length === 1 ? 503 : 204;
      },
    }).listen(t);
    const weir = await WeirWithClock.make(t, directory, () => `
[[source]]
name = "stripe"
kind = "stripe"
secrets_insecure = ["${secret}"]
dedupe_window = "10m"
[[sink]]
name = "billing"
kind = "http"
url = "${sink.url}"
retry = { attempts = 5, first = "${retryDelay_ms}ms", factor = 1, max = "${retryDelay_ms}ms", jitter = 0 }
breaker = { failures = 1000 }
[[route]]
source = "*"
sink = "billing"
`);
    const attemptsOf = count => id => waitFor(`attempt ${count} of ${id}`, () => attempts.get(id)?.length >= count);
    const firstOf = attemptsOf(1);
    const secondOf = attemptsOf(2);

    const looked = async () => {
      const looks = async () => await weir.metric('weir_retention_looks_total');
      const before = await looks();
      await waitFor('retention looks', async () => await looks() > before, {deadline_ms: 90_000});
    };

    // While it runs.
    await weir.start();
    assert.equal((await weir.send('evt_running')).status, 202);
    await firstOf('evt_running');
    await weir.setClock(step_h * 3600);
    await secondOf('evt_running');
    const [first, second] = attempts.get('evt_running');
    assert.ok(second - first <= retryDelay_ms + retryLate_ms, `${second - first} ms`);
    t.diagnostic(`retried after ${Math.round(second - first)} ms of ${retryDelay_ms}`);
    assert.equal((await weir.send('evt_running')).status, 200);
    if (longRun) {
      await looked();
      assert.ok(await weir.metric('weir_clock_steps_total') > 0);
      assert.equal((await weir.send('evt_running')).status, 200);
    }

    // Between two runs, set back to where it was.
    assert.equal((await weir.send('evt_stopped')).status, 202);
    await firstOf('evt_stopped');
    assert.deepEqual(await weir.stop(), {code: 0, signal: null});
    await weir.setClock(0);
    await weir.start();
    const started = performance.now();
    await secondOf('evt_stopped');
    assert.ok(attempts.get('evt_stopped')[1] - started <= retryDelay_ms + retryLate_ms);
    assert.equal((await weir.send('evt_running')).status, 200);
    assert.equal((await weir.send('evt_stopped')).status, 200);
    if (longRun) await looked();
    assert.equal(await weir.metric('weir_log_first_sequence'), 1);
    assert.equal(await weir.metric('weir_log_last_sequence'), 2);
    assert.deepEqual(await weir.stop(), {code: 0, signal: null});
  });
}
