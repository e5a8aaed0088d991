// A secret that the sender hands over itself: kept before it is told so, used from then on and after a restart, never logged,
// and not replaced by whoever asks next.
import assert from 'node:assert/strict';
import {createHmac} from 'node:crypto';
import {chmod, mkdir, readFile, rm, stat, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {test} from 'node:test';

import {request, run, temporaryDirectory, waitFor, Weir, weirBin} from '../support/weir_process.mjs';

const handedOver = 'b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81';
const verificationToken = 'secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl';
const hex = (key, body) => createHmac('sha256', key).update(body).digest('hex');

const startWeir = async t => new Weir(t, {directory: await temporaryDirectory(t), server: 'threads = 2', configure: () => `
[[source]]
name = "tasks"
kind = "asana"
[[source]]
name = "pages"
kind = "notion"
`}).start();

const post = (weir, source, headers, body = '') => request(`${weir.url}/webhooks/${source}`, {method: 'POST', headers, body});
const handshake = (weir, secret = handedOver) => post(weir, 'tasks', {'x-hook-secret': secret});
const task = gid => JSON.stringify({events: [{action: 'changed', resource: {gid, resource_type: 'task'}}]});
const signedTask = (weir, gid, key = handedOver) => post(weir, 'tasks', {'x-hook-signature': hex(key, task(gid))}, task(gid));
const secretFile = (weir, source) => path.join(weir.data, 'secrets', source);
const checkFile = (weir, source) => path.join(weir.data, 'secret-checks', source);
const reloads = weir => weir.running.stderr().split('configuration reloaded').length - 1;
const reload = async weir => {
  const before = reloads(weir);
  weir.running.process.kill('SIGHUP');
  await waitFor('the reload', () => reloads(weir) > before);
};

test('Asana\'s secret is echoed, kept for its owner alone, and verifies from then on', async t => {
  const weir = await startWeir(t);
  assert.equal((await signedTask(weir, '1')).status, 503, 'before the handshake: to be sent again, not wrong');

  const answer = await handshake(weir);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['x-hook-secret'], handedOver);
  const file = secretFile(weir, 'tasks');
  assert.equal(await readFile(file, 'utf8'), handedOver, 'kept before the answer');
  assert.equal((await stat(file)).mode & 0o777, 0o600);

  assert.equal((await signedTask(weir, '1')).status, 200, 'in force before the answer');
  assert.equal((await signedTask(weir, '2', 'another key')).status, 401);
  assert.equal((await handshake(weir, 'whoever asks next')).status, 401);
  assert.equal((await signedTask(weir, '3', 'whoever asks next')).status, 401);

  await weir.stop();
  assert.ok(!weir.running.stderr().includes(handedOver), 'never logged');
  assert.equal(JSON.parse((await weir.command('events count', '--json')).stdout).count, 1);
});

test('a secret that was handed over outlives kill -9, and a reload', async t => {
  const weir = await startWeir(t);
  assert.equal((await handshake(weir)).status, 200);
  await weir.kill();
  await weir.start();
  assert.equal((await signedTask(weir, '1')).status, 200);
  weir.running.process.kill('SIGHUP');
  await waitFor('the reload', () => weir.running.stderr().includes('configuration reloaded'));
  assert.equal((await signedTask(weir, '2')).status, 200);
  assert.equal((await handshake(weir, 'another')).status, 401);
});

test('of many that ask at once, one is told that its secret was taken', async t => {
  const weir = await startWeir(t);
  const candidates = Array.from({length: 32}, (_, i) => `candidate-${i}`);
  const answers = await Promise.all(candidates.map(candidate => handshake(weir, candidate)));
  const winners = candidates.filter((_, i) => answers[i].status === 200);
  assert.equal(winners.length, 1, `${winners.length} were told so`);
  assert.equal(await readFile(secretFile(weir, 'tasks'), 'utf8'), winners[0]);
  assert.equal((await signedTask(weir, '1', winners[0])).status, 200);
});

test('Notion\'s verification token is kept where the operator finds it, and signs afterwards', async t => {
  const weir = await startWeir(t);
  const body = JSON.stringify({verification_token: verificationToken});
  assert.equal((await post(weir, 'pages', {'content-type': 'application/json'}, body)).status, 200);
  const line = weir.running.stderr().split('\n').find(text => text.includes('handed over its secret'));
  assert.equal(await readFile(JSON.parse(line).file, 'utf8'), verificationToken, 'the log names the file');
  const event = JSON.stringify({id: 'e-1', type: 'page.created'});
  const accepted = await post(weir, 'pages', {'x-notion-signature': `sha256=${hex(verificationToken, event)}`}, event);
  assert.equal(accepted.status, 202, accepted.body);
  assert.ok(!weir.running.stderr().includes(verificationToken));
});

test('removing both files and a reload let the sender hand over another', async t => {
  const weir = await startWeir(t);
  assert.equal((await handshake(weir)).status, 200);
  await rm(secretFile(weir, 'tasks'));
  await rm(checkFile(weir, 'tasks'));
  weir.running.process.kill('SIGHUP');
  await waitFor('the reload', () => weir.running.stderr().includes('configuration reloaded'));
  assert.equal((await handshake(weir, 'the next one')).status, 200);
  assert.equal(await readFile(secretFile(weir, 'tasks'), 'utf8'), 'the next one');
});

const losses = {
  'is gone': weir => rm(secretFile(weir, 'tasks')),
  'is gone with its directory': weir => rm(path.join(weir.data, 'secrets'), {recursive: true}),
  'is empty': weir => writeFile(secretFile(weir, 'tasks'), ''),
  'is cut': weir => writeFile(secretFile(weir, 'tasks'), handedOver.slice(0, 20)),
  'is altered': weir => writeFile(secretFile(weir, 'tasks'), handedOver.replace('b', 'c')),
};

for (const [what, lose] of Object.entries(losses)) {
  test(`a secret that ${what} costs its own source alone, and nobody hands over another`, async t => {
    const weir = await startWeir(t);
    assert.equal((await handshake(weir)).status, 200);
    await lose(weir);
    assert.notEqual((await handshake(weir, 'the next one')).status, 200);
    await reload(weir);
    assert.equal((await signedTask(weir, 'one')).status, 200, 'the one in memory goes on');
    await weir.stop();

    const checked = await run(t, weirBin, ['check', '--config', weir.configFile]);
    assert.match(checked.stdout + checked.stderr, /secret that its sender handed over is lost[^]*secrets\/tasks/);
    await weir.start();
    assert.equal((await signedTask(weir, 'two')).status, 503, 'to be sent again, not wrong');
    assert.notEqual((await handshake(weir, 'the next one')).status, 200);
    const token = JSON.stringify({verification_token: verificationToken});
    assert.equal((await post(weir, 'pages', {'content-type': 'application/json'}, token)).status, 200, 'other sources go on');

    await mkdir(path.join(weir.data, 'secrets'), {recursive: true, mode: 0o700});
    await writeFile(secretFile(weir, 'tasks'), handedOver, {mode: 0o600});
    await reload(weir);
    assert.equal((await signedTask(weir, 'two')).status, 200, 'back with its file');
  });
}

test('a secret that cannot be kept is not taken', async t => {
  const weir = await startWeir(t);
  await writeFile(path.join(weir.data, 'secrets'), 'not a directory');
  const answer = await handshake(weir);
  assert.equal(answer.status, 503);
  assert.equal(answer.headers['x-hook-secret'], undefined);
  assert.ok(!weir.running.stderr().includes(handedOver));
  await rm(path.join(weir.data, 'secrets'));
  await mkdir(path.join(weir.data, 'secrets'));
  await chmod(path.join(weir.data, 'secrets'), 0o700);
  assert.equal((await handshake(weir)).status, 200);
});
