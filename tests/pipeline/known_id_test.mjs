// An id that comes again: as a duplicate, with other bytes, from a test button; and events that lie where nobody can
// deliver them until an operator gives them an id.
import assert from 'node:assert/strict';
import {createHmac} from 'node:crypto';
import {test} from 'node:test';

import {Recorder} from '../support/recorder.mjs';
import {request, run, temporaryDirectory, waitFor, Weir, weirBin} from '../support/weir_process.mjs';

const secret = 'a secret of known ids';
const hex = body => createHmac('sha256', secret).update(body).digest('hex');

const custom = (more = '', scheme = '') => `
[[source]]
name = "acme"
kind = "custom"
secrets_insecure = ["${secret}"]
${more}
[source.scheme]
algorithm = "hmac-sha256"
signature = { header = "X-Sig", encoding = "hex" }
signed = "{body}"
event_id = { json = "/id" }
event_type = { json = "/type" }
${scheme}
`;
const to = (recorder, types = '') => `
[[sink]]
name = "recorder"
kind = "http"
url = "${recorder.url}"
[[route]]
source = "acme"
${types}
sink = "recorder"
`;

const startWeir = async (t, configuration) =>
  new Weir(t, {directory: await temporaryDirectory(t), configure: () => configuration}).start();
async function post(weir, body, headers = {}) {
  const answer = await request(`${weir.url}/webhooks/acme`, {method: 'POST', headers: {'x-sig': hex(body), ...headers}, body});
  return JSON.parse(answer.body);
}
async function json(weir, command, ...args) {
  const ran = await weir.command(command, '--json', ...args);
  assert.equal(ran.code, 0, ran.stderr);
  return JSON.parse(ran.stdout);
}
async function text(weir, command, ...args) {
  const ran = await weir.command(command, ...args);
  assert.equal(ran.code, 0, ran.stderr);
  return ran.stdout;
}

test('a conflict is answered as a duplicate, kept, counted, said, and can become an event', async t => {
  const recorder = await new Recorder({keepBodies: true}).listen(t);
  const weir = await startWeir(t, custom() + to(recorder));
  assert.equal(await weir.metric('webhook_conflicts_total', {source: 'acme'}), 0, 'there from the start');
  const [first, second] = ['{"id":"e1","type":"t","n":1}', '{"id":"e1","type":"t","n":2}'];
  assert.equal((await post(weir, first)).status, 'accepted');
  for (let i = 0; i < 3; ++i) assert.deepEqual(await post(weir, second), {status: 'duplicate', event_id: 'e1', sequence: 1});
  assert.equal(await weir.metric('webhook_conflicts_total', {source: 'acme'}), 3);
  assert.equal(await weir.metric('webhook_duplicate_total', {source: 'acme'}), 0);
  const kept = await json(weir, 'events list', '--state', 'conflict');
  assert.equal(kept.length, 1, 'once however often it came');
  assert.deepEqual([kept[0].sequence, kept[0].id, kept[0].state], [1, 'e1', 'conflict']);
  assert.equal(await text(weir, 'events show', kept[0].conflict, '--body'), second);
  const lines = weir.running.stderr().split('\n').filter(line => line.includes('other bytes'));
  assert.equal(lines.length, 1, 'one line a minute');
  assert.match(lines[0], new RegExp(`"source":"acme".*"sequence":1,"conflict":"${kept[0].conflict}".*weir events list --state conflict`));

  assert.match(await text(weir, 'dlq admit', kept[0].conflict, '--id', 'e1', '--dry-run'), /event 1 has this id/);
  const taken = await weir.command('dlq admit', kept[0].conflict, '--id', 'e1');
  assert.equal(taken.code, 1);
  assert.match(taken.stderr, /event 1 has this id and other content; nothing was changed/);
  const admitted = await json(weir, 'dlq admit', kept[0].conflict, '--id', 'e1-second');
  assert.deepEqual([admitted.admitted[0].event_id, admitted.admitted[0].stored], ['e1-second', 1]);
  await waitFor('both are delivered', () => recorder.has('e1') && recorder.has('e1-second'));
  assert.deepEqual(await json(weir, 'events list', '--state', 'conflict'), []);
  assert.equal(recorder.bodies.find(({id}) => id === 'e1-second').body.toString(), second);
});

test('under store both bodies are events, found by the id they share', async t => {
  const weir = await startWeir(t, custom('on_conflict = "store"'));
  const [first, second] = ['{"id":"e1","type":"t","n":1}', '{"id":"e1","type":"t","n":2}'];
  assert.equal((await post(weir, first)).status, 'accepted');
  assert.equal((await post(weir, second)).status, 'accepted');
  assert.equal((await post(weir, first)).status, 'duplicate');
  const listed = await json(weir, 'events list', '--id', 'e1');
  assert.equal(listed.length, 2);
  for (const {id} of listed) assert.match(id, /^e1#[0-9a-f]{16}$/);
  const shown = await weir.command('events show', '--id', 'e1', '--body');
  assert.equal(shown.stdout, second, 'the newest');
  assert.match(shown.stderr, /to events 2, 1; this is the newest/);
});

test('under reject the second body gets 409 and is not kept', async t => {
  const weir = await startWeir(t, custom('on_conflict = "reject"'));
  await post(weir, '{"id":"e1","n":1}');
  const body = '{"id":"e1","n":2}';
  const answer = await request(`${weir.url}/webhooks/acme`, {method: 'POST', headers: {'x-sig': hex(body)}, body});
  assert.deepEqual([answer.status, JSON.parse(answer.body).error.code], [409, 'id_conflict']);
  assert.equal(await weir.metric('webhook_rejected_total', {source: 'acme', code: 'id_conflict'}), 1);
  assert.deepEqual(await json(weir, 'events list', '--state', 'conflict'), []);
});

test('a duplicate leaves how often it came and its sender\'s count of attempts', async t => {
  const weir = await startWeir(t, custom('', 'volatile = "/try"\nretry_counter = { json = "/try" }'));
  for (const attempt of [1, 4, 2]) await post(weir, `{"id":"e1","try":${attempt}}`);
  assert.match(await text(weir, 'events show', '1'), /came:\s+3 times, last attempt 4/);
  assert.equal(await weir.metric('webhook_conflicts_total', {source: 'acme'}), 0);
});

test('an event that somebody asked its sender for again is a duplicate, and the log says so once', async t => {
  const weir = await startWeir(t, custom('', 'redelivered_by_hand = true'));
  const body = '{"id":"e1"}';
  for (const status of ['accepted', 'duplicate', 'duplicate']) assert.equal((await post(weir, body)).status, status);
  const said = () => weir.running.stderr().split('\n').filter(line => line.includes('events came again')).map(line => JSON.parse(line));
  const [line] = await waitFor('it is said', () => said().length > 0 && said());
  assert.equal(line.source, 'acme');
  assert.equal(line.sequence, 1);
  const [, ...look] = line.look.split(' ');
  const shown = await run(t, weirBin, look);
  assert.match(shown.stdout, /e1/);
  await weir.stop();
  assert.equal(said().length, 1);
});

test('a test button makes an event each time it is pressed, and an event without a type says so', async t => {
  const weir = await startWeir(t, custom('', 'test_ids = ["button"]'));
  for (let i = 0; i < 2; ++i) assert.equal((await post(weir, '{"id":"button"}')).status, 'accepted');
  const listed = await json(weir, 'events list', '--id', 'button');
  assert.deepEqual(listed.map(({test: isTest, untyped}) => [isTest, untyped]), [[true, true], [true, true]]);
  assert.match(await text(weir, 'events list'), /unrouted, test, no type/);
});

test('an undeliverable event gets an id and is delivered as any other, with a server or without', async t => {
  const recorder = await new Recorder({keepBodies: true}).listen(t);
  const weir = await startWeir(t, custom('', 'batch = ""') + to(recorder, 'types = ["fixed"]'));
  const body = '[{"id":"e1","type":"fixed"},null,{"type":"x"}]';
  assert.deepEqual(await post(weir, body), {status: 'accepted', event_id: 'e1', sequence: 1});
  assert.equal((await json(weir, 'dlq list', '--sink', '-')).length, 2);
  assert.match(await text(weir, 'dlq admit', '2', '--id', 'fix', '--type', 'fixed', '--dry-run'), /would be stored/);
  const nowhere = await weir.command('dlq admit', '3', '--id', 'fix');
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.stderr, /3 stays: as type "x" no route of source "acme" takes it; give it one with --type/);
  const many = await weir.command('dlq admit', '--id', 'fix');
  assert.match(many.stderr, /several letters match/);
  assert.match(await text(weir, 'dlq admit', '2', '--id', 'fix', '--type', 'fixed'), /2 as fix, type fixed: stored as event 4/);
  await waitFor('it is delivered', () => recorder.has('fix'));
  assert.equal(recorder.bodies.find(({id}) => id === 'fix').body.toString(), 'null');
  assert.equal(await weir.metric('webhook_dlq_size', {sink: '-'}), 1);

  await weir.stop();
  assert.match(await text(weir, 'dlq admit', '--source', 'acme', '--id', 'acme-{sequence}', '--type', 'fixed'), /3 as acme-3/);
  assert.deepEqual(await json(weir, 'dlq list', '--sink', '-'), []);
  assert.equal((await weir.command('dlq admit', '3', '--id', 'again')).code, 1, 'the letter is gone');
  await weir.start();
  await waitFor('it is delivered', () => recorder.has('acme-3'));
});

test('a byte order mark does not hide an id, and the bytes stay as they came', async t => {
  const recorder = await new Recorder({keepBodies: true}).listen(t);
  const weir = await startWeir(t, custom() + to(recorder));
  const body = '\ufeff{"id":"e1","type":"t"}';
  assert.equal((await post(weir, body)).event_id, 'e1');
  await waitFor('it is delivered', () => recorder.has('e1'));
  assert.equal(recorder.bodies[0].body.toString(), body);
});
