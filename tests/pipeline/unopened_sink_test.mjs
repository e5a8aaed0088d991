// One sink that cannot be opened never stops the others: it is reported, tried again, and its events wait. `weir check` sees
// it before, and leaves nothing behind.
import assert from 'node:assert/strict';
import {chmod, chown, mkdir, readdir, readFile, rm, symlink, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {test} from 'node:test';

import {Recorder} from '../support/recorder.mjs';
import {stripeEvent} from '../support/stripe_event.mjs';
import {request, run, temporaryDirectory, waitFor, Weir, weirBin} from '../support/weir_process.mjs';

const secret = 'whsec_unopened';
const nobody = 65534;
const source = `[[source]]\nname = "stripe"\nkind = "stripe"\nsecrets_insecure = ["${secret}"]\n`;
const file = (name, target) => `[[sink]]\nname = "${name}"\nkind = "file"\npath = ${JSON.stringify(target)}\n`
  + `[[route]]\nsource = "*"\nsink = "${name}"\n`;

// Paths below a directory that cannot be opened, each of another kind. `prepare` makes what stands in the way.
const ways = [
  {what: 'a directory that is missing', target: 'missing/out.ndjson', reason: /No such file/},
  {what: 'a directory where the file would be', target: 'taken', prepare: d => mkdir(path.join(d, 'taken')), reason: /directory/i},
  {what: 'a file where the directory would be', target: 'plain/out.ndjson', prepare: d => writeFile(path.join(d, 'plain'), ''),
   reason: /Not a directory/},
  {what: 'a link to nowhere', target: 'link/out.ndjson', prepare: d => symlink('nowhere', path.join(d, 'link')), reason: /No such file/},
  {what: 'a name that is too long', target: `${'x'.repeat(300)}.ndjson`, reason: /too long/},
  {what: 'a socket, a pipe or a device', target: '/dev/null', reason: /not a regular file/},
  {what: 'a file system that takes no files', target: '/proc/out.ndjson', reason: /proc/},
];

for (const {what, target, prepare = () => {}, reason} of ways) {
  test(`${what}: check refuses it with its line, serve goes on`, async t => {
    const recorder = await new Recorder().listen(t);
    const directory = await temporaryDirectory(t);
    await prepare(directory);
    const weir = new Weir(t, {directory, configure: () => source + file('archive', target)
      + `[[sink]]\nname = "billing"\nkind = "http"\nurl = "${recorder.url}"\n[[route]]\nsource = "*"\nsink = "billing"\n`});
    await weir.start();
    const before = (await readdir(directory)).sort();
    const check = await run(t, weirBin, ['check', '--config', weir.configFile]);
    assert.equal(check.code, 2, check.stdout);
    assert.match(check.stderr, /weir\.toml:\d+: sink\[0\]\.path: cannot be opened: /);
    assert.match(check.stderr, reason);
    const at = Number(/weir\.toml:(\d+): sink\[0\]/.exec(check.stderr)[1]);
    assert.match((await readFile(weir.configFile, 'utf8')).split('\n')[at - 1], /^path = /);
    assert.equal((await run(t, weirBin, ['check', '--offline', '--config', weir.configFile])).code, 0, 'the file itself is right');
    assert.deepEqual((await readdir(directory)).sort(), before, 'no trace');

    const {headers, body} = stripeEvent(secret, 'evt_1');
    assert.equal((await request(`${weir.url}/webhooks/stripe`, {method: 'POST', headers, body})).status, 202);
    await waitFor('the other sink has it', () => recorder.has('evt_1'));
    await waitFor('it is counted', async () => await weir.metric('weir_sink_unopened', {sink: 'archive'}) === 1);
    assert.equal(await weir.metric('weir_sink_unopened', {sink: 'billing'}), 0);
    const status = await weir.command('status');
    assert.match(status.stdout, /sink archive cannot be opened, its events wait: /);
    assert.match(status.stdout, reason);
    assert.match(weir.running.stderr(), /sink cannot be opened; its events wait/);
    assert.equal((await weir.stop()).code, 0);
  });
}

// What serve opens, check passes; what it makes in a place that is reached through a link, it looks at there.
test('a file behind a link is judged where it leads', async t => {
  const directory = await temporaryDirectory(t);
  await mkdir(path.join(directory, 'there'));
  const state = {target: 'link'};
  const weir = new Weir(t, {directory, configure: () => source + file('archive', state.target)});
  await weir.writeConfiguration();
  for (const [leads, code] of [['missing/out.ndjson', 2], ['there/out.ndjson', 0]]) {
    await rm(path.join(directory, 'link'), {force: true});
    await symlink(leads, path.join(directory, 'link'));
    const check = await run(t, weirBin, ['check', '--config', weir.configFile]);
    assert.equal(check.code, code, `${leads}: ${check.stderr}`);
  }
});

test('a file that is there needs no directory that takes more', async t => {
  const directory = await temporaryDirectory(t);
  await chmod(directory, 0o755);
  await mkdir(path.join(directory, 'closed'));
  await writeFile(path.join(directory, 'closed', 'out.ndjson'), '');
  await chmod(path.join(directory, 'closed', 'out.ndjson'), 0o666);
  const state = {target: 'closed/out.ndjson'};
  const weir = new Weir(t, {directory, configure: () => source + file('archive', state.target)});
  await weir.writeConfiguration();
  await mkdir(path.join(directory, 'data'));
  await chown(path.join(directory, 'data'), nobody, nobody);
  await chmod(weir.configFile, 0o644);
  const checkAsNobody = () => run(t, 'setpriv', [`--reuid=${nobody}`, '--clear-groups', weirBin, 'check', '--config', weir.configFile]);
  assert.equal((await checkAsNobody()).code, 0, (await checkAsNobody()).stderr);
  state.target = 'closed/other.ndjson';
  await weir.writeConfiguration();
  assert.equal((await checkAsNobody()).code, 2);
});

const places = [
  {what: 'a file', data: 'plain', reason: /plain: is not a directory/},
  {what: 'below a file', data: 'plain/data', reason: /plain: is not a directory/},
  {what: 'below what takes nothing', data: '/proc/weir', reason: /\/proc/},
];
for (const {what, data, reason} of places) {
  test(`data that is ${what} is refused by check as by serve`, async t => {
    const directory = await temporaryDirectory(t);
    await writeFile(path.join(directory, 'plain'), '');
    const weir = new Weir(t, {directory, data, configure: () => source + file('archive', 'out.ndjson')});
    await weir.writeConfiguration();
    const check = await run(t, weirBin, ['check', '--config', weir.configFile]);
    assert.equal(check.code, 2, check.stdout);
    assert.match(check.stderr, /weir\.toml:\d+: server\.data: the data directory /);
    assert.match(check.stderr, reason);
    const serve = await run(t, weirBin, ['serve', '--config', weir.configFile]);
    assert.notEqual(serve.code, 0);
    assert.match(serve.stderr, reason);
  });
}

test('a start that lies in the future is refused by check, with a store and without, as by serve', async t => {
  const directory = await temporaryDirectory(t);
  const state = {rest: ''};
  const later = file('archive', 'out.ndjson').replace('path', 'start = "2999-01-01T00:00:00Z"\npath');
  const weir = new Weir(t, {directory, configure: () => source + state.rest});
  const check = async () => {
    state.rest = later;
    await weir.writeConfiguration();
    return run(t, weirBin, ['check', '--config', weir.configFile]);
  };
  const refusal = /weir\.toml:\d+: sink\[0\]\.start: .*lies in the future/;
  const fresh = await check();
  assert.equal(fresh.code, 2, fresh.stdout);
  assert.match(fresh.stderr, refusal);
  state.rest = '';
  await weir.start();
  const running = await check();
  assert.equal(running.code, 2, running.stdout);
  assert.match(running.stderr, refusal);
  await weir.stop();
  const stopped = await check();
  assert.equal(stopped.code, 2, stopped.stdout);
  assert.match(stopped.stderr, refusal);
});

test('what waited is delivered once the sink can be opened', async t => {
  const directory = await temporaryDirectory(t);
  const weir = new Weir(t, {directory, configure: () => source + file('archive', 'later/out.ndjson')});
  await weir.start();
  for (let i = 0; i < 5; ++i) {
    const {headers, body} = stripeEvent(secret, `evt_${i}`);
    assert.equal((await request(`${weir.url}/webhooks/stripe`, {method: 'POST', headers, body})).status, 202);
  }
  await waitFor('they wait', async () => await weir.metric('webhook_queue_depth', {sink: 'archive'}) === 5);
  await mkdir(path.join(directory, 'later'));
  await waitFor('all five are in the file', async () => await weir.metric('webhook_processed_total', {sink: 'archive'}) === 5);
  assert.equal(await weir.metric('weir_sink_unopened', {sink: 'archive'}), 0);
  assert.equal(await weir.metric('webhook_dlq_size', {sink: 'archive'}), 0);
});

test('check passes while the server that it is for runs, and says where a new sink starts', async t => {
  const directory = await temporaryDirectory(t);
  const state = {rest: file('archive', 'out.ndjson')};
  const weir = new Weir(t, {directory, configure: () => source + state.rest});
  await weir.start();
  const {headers, body} = stripeEvent(secret, 'evt_1');
  assert.equal((await request(`${weir.url}/webhooks/stripe`, {method: 'POST', headers, body})).status, 202);
  state.rest += file('second', 'second.ndjson');
  await weir.writeConfiguration();
  const says = /sink second is new: starts at sequence 2, 1 event of the log is not sent; start = "beginning" would send it/;
  const running = await run(t, weirBin, ['check', '--config', weir.configFile]);
  assert.equal(running.code, 0, running.stderr);
  assert.match(running.stdout, says);
  await weir.stop();
  const stopped = await run(t, weirBin, ['check', '--config', weir.configFile]);
  assert.equal(stopped.code, 0, stopped.stderr);
  assert.match(stopped.stdout, says);
  assert.ok(!(await readdir(directory)).includes('second.ndjson'), 'nothing was created');
});
