// One bit flipped in a file of a running store, in places chosen at random: tables of events, runs of the dedupe index,
// the log. Three sources and two sinks go on as if nothing had happened, but for what needs the record that was hit.
//
// 4 places; 100 with WEIR_TEST_LONG=1, or as many as WEIR_TEST_FLIPS says.
import assert from 'node:assert/strict';
import {open, readdir, stat} from 'node:fs/promises';
import path from 'node:path';
import {test} from 'node:test';

import {countSinkFiles, missingFrom} from '../support/event_log.mjs';
import {Random} from '../support/random.mjs';
import {stripeEvent} from '../support/stripe_event.mjs';
import {longRun, request, temporaryDirectory, waitFor, Weir} from '../support/weir_process.mjs';

const flips = Number(process.env.WEIR_TEST_FLIPS ?? (longRun ? 100 : 4));
const secret = 'whsec_flipped_bit';
const sources = ['one', 'two', 'three'];
const stored = 150;  // of each source

// What a sink does not deliver because of one bit: one record.
const lostMax = 1;

async function post(weir, source, id) {
  const {body, headers} = stripeEvent(secret, id);
  return (await request(`${weir.url}/webhooks/${source}`, {method: 'POST', headers, body})).status;
}

async function flip(file, random) {
  const {size} = await stat(file);
  const at = Math.floor(random.between(0, size));
  const handle = await open(file, 'r+');
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, at);
  byte[0] ^= 1 << Math.floor(random.between(0, 8));
  await handle.write(byte, 0, 1, at);
  await handle.close();
  return at;
}

// Any table, of whatever it is; of the logs the one that holds what is newest.
async function choose(weir, ending, random) {
  const folder = path.join(weir.data, 'store');
  const names = (await readdir(folder)).filter(name => name.endsWith(ending)).sort();
  const found = [];
  for (const name of names) {
    const file = path.join(folder, name);
    if ((await stat(file)).size > 0) found.push(file);
  }
  return ending === '.log' ? found.at(-1) : found[Math.floor(random.between(0, found.length))];
}

async function tryOnce(t, random, number) {
  const directory = await temporaryDirectory(t);
  const archives = ['a', 'b'].map(name => path.join(directory, `${name}.ndjson`));
  // Until the sinks are let loose they only fail, so that everything is before them.
  let letLoose = false;
  const sinks = () => archives.map((file, i) => `
[[sink]]
name = "sink${i}"
${letLoose ? `kind = "file"\npath = "${file}"` : 'kind = "http"\nurl = "http://127.0.0.1:1/"'}
retry = { attempts = 1000, first = "100ms", factor = 1, max = "100ms" }
breaker = { failures = 2, open = "1s" }
[[route]]
source = "*"
sink = "sink${i}"
`).join('');
  const weir = new Weir(t, {directory, configure: () => sources.map(name => `
[[source]]
name = "${name}"
kind = "stripe"
secrets_insecure = ["${secret}"]
`).join('') + sinks()});
  await weir.start();
  const ids = sources.flatMap(source => Array.from({length: stored}, (_, i) => `${source}_${i}`));
  await Promise.all(sources.map(async source => {
    for (let i = 0; i < stored; ++i) assert.equal(await post(weir, source, `${source}_${i}`), 202);
  }));
  // Into tables: what is recovered is written out.
  await weir.stop();
  await weir.start();

  const what = ['.sst', '.log'][number % 4 === 3 ? 1 : 0];
  const file = await choose(weir, what, random);
  const at = await flip(file, random);
  const place = `${path.basename(file)} at ${at}`;

  // A record whose id was hit is known until the restart only: what repeats it then is a new event.
  const check = async ({restarted}) => {
    let unavailable = 0;
    for (const source of sources) {
      assert.equal(await post(weir, source, `${source}_new_${number}_${weir.pid}`), 202, `a new event, ${place}`);
      for (let i = 0; i < stored; i += 1) {
        const status = await post(weir, source, `${source}_${i}`);
        if (status === 503 || (restarted && status === 202)) ++unavailable;
        else assert.equal(status, 200, `a duplicate, ${place}`);
      }
    }
    assert.ok(unavailable <= lostMax, `${unavailable} duplicates cannot be told, ${place}`);
  };
  await check({restarted: false});
  if (what === '.log') {  // the only copy of what it holds: a restart is refused, and says why
    await weir.kill();
    return;
  }
  // A restart, and sinks that read it all.
  letLoose = true;
  await weir.stop();
  await weir.start();
  await check({restarted: true});
  await waitFor(`the sinks are done, ${place}`, async () => {
    if (await weir.metric('weir_sink_stopped') > 0) {
      for (const sink of ['sink0', 'sink1']) await weir.command('sinks skip', '--sink', sink);
    }
    return await weir.metric('webhook_queue_depth') === 0;
  });
  for (const archive of archives) {
    const missing = missingFrom(ids, await countSinkFiles(archive));
    assert.ok(missing.length <= lostMax, `${missing.length} events are not delivered, ${place}`);
  }
  const dead = JSON.parse((await weir.command('dlq list', '--limit', '100', '--json')).stdout);
  for (const letter of dead) assert.equal(letter.reason, 'unreadable');
  assert.deepEqual(await weir.stop(), {code: 0, signal: null});
}

test(`${flips} flipped bits: everything that does not need the record goes on`, async t => {
  const random = new Random();
  t.diagnostic(`seed ${random.seed}`);
  const failed = [];
  for (let number = 0; number < flips; ++number) {
    await tryOnce(t, random, number).catch(error => failed.push(`${number}: ${error.message}`));
  }
  t.diagnostic(`${flips - failed.length} of ${flips} go on`);
  assert.deepEqual(failed, []);
});
