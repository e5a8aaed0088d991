// Nothing goes wrong in silence: a refused request, a failed attempt and an event that is not delivered each show in the
// log, in the metrics and in the commands, and the id of an answer finds its request.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {Recorder} from '../support/recorder.mjs';
import {stripeEvent} from '../support/stripe_event.mjs';
import {request, run, temporaryDirectory, waitFor, Weir, weirBin} from '../support/weir_process.mjs';

const secret = 'whsec_right';

async function startWeir(t, {source = '', rest = ''} = {}) {
  return new Weir(t, {directory: await temporaryDirectory(t), configure: () => `
[[source]]
name = "stripe"
kind = "stripe"
secrets_insecure = [{ secret = "${secret}", name = "2026-01" }]
${source}
${rest}`}).start();
}

const send = (weir, id, key = secret) => {
  const {headers, body} = stripeEvent(key, id);
  return request(`${weir.url}/webhooks/stripe`, {method: 'POST', headers, body});
};
const lines = (weir, message) => weir.running.stderr().split('\n').filter(line => line.includes(`"msg":"${message}"`)).map(JSON.parse);

test('a refused request is found by the id of its answer, in the log, the quarantine and the commands', async t => {
  const weir = await startWeir(t, {source: 'quarantine = "8MiB"'});
  assert.equal((await send(weir, 'evt_1')).status, 202);
  const answer = await send(weir, 'evt_2', 'whsec_wrong');
  assert.equal(answer.status, 401);
  const id = answer.headers['x-request-id'];
  assert.match(id, /^[0-9a-f]{16}$/);
  assert.equal(JSON.parse(answer.body).correlation_id, id);

  const [line] = await waitFor('the line', () => lines(weir, 'requests refused').length > 0 && lines(weir, 'requests refused'));
  assert.deepEqual([line.source, line.code, line.count, line.correlation_id], ['stripe', 'invalid_signature', 1, id]);
  assert.equal(line.explain, `weir explain --config ${weir.configFile} --quarantine ${id}`);
  await waitFor('it is kept', async () => await weir.metric('weir_quarantine_kept_total') === 1);
  const [, ...explain] = line.explain.split(' ');
  const explained = await run(t, weirBin, explain);
  assert.match(explained.stdout, /invalid_signature/);
  const shown = await weir.command('quarantine show', '--id', id, '--json');
  assert.equal(JSON.parse(shown.stdout).correlation_id, id);
  assert.match((await weir.command('quarantine list')).stdout, new RegExp(id));

  const status = (await weir.command('status')).stdout;
  assert.match(status, new RegExp(`stripe +\\d+m?s ago +\\d+m?s ago +invalid_signature +${id}`));
  for (const row of status.split('\n')) assert.ok(row.length <= 80, row);
  const [source] = JSON.parse((await weir.command('sources list', '--json')).stdout);
  assert.equal(source.last_refused.code, 'invalid_signature');
  assert.deepEqual(source.refused, {invalid_signature: 1});
  assert.equal(source.secrets[0].secret, '2026-01');
  assert.ok(await weir.metric('webhook_last_refused_timestamp_seconds', {source: 'stripe', code: 'invalid_signature'}) > 0);
  assert.ok(await weir.metric('webhook_last_received_timestamp_seconds', {source: 'stripe'}) > 0);
});

test('whatever a request is refused for, the id of its answer finds it', async t => {
  const weir = await startWeir(t, {source: 'quarantine = "8MiB"\nbody = "1KiB"'});
  const {headers, body} = stripeEvent(secret, 'evt_1');
  const old = stripeEvent(secret, 'evt_2', {at_ms: Date.now() - 3_600_000});
  const rows = [
    {code: 'missing_signature', kept: true, headers: {'content-type': 'application/json'}, body},
    {code: 'malformed_signature', kept: true, headers: {...headers, 'stripe-signature': 'v1'}, body},
    {code: 'invalid_signature', kept: true, headers, body: `${body} `},
    {code: 'stale_timestamp', kept: true, headers: old.headers, body: old.body},
    {code: 'body_too_large', headers, body: ' '.repeat(2048)},
    {code: 'method_not_allowed', method: 'PUT', headers, body},
    {code: 'unknown_source', source: '', path: 'strype', headers, body},
  ];
  for (const row of rows) {
    const {code, kept = false, source = 'stripe', path = 'stripe', method = 'POST'} = row;
    const answer = await request(`${weir.url}/webhooks/${path}`, {method, headers: row.headers, body: row.body});
    const id = answer.headers['x-request-id'];
    assert.deepEqual([JSON.parse(answer.body).error.code, JSON.parse(answer.body).correlation_id], [code, id]);
    const line = await waitFor(`the line of ${code}`, () => lines(weir, 'requests refused').find(({correlation_id}) => correlation_id === id));
    assert.deepEqual([line.source, line.code, line.count], [source, code, 1]);
    const shown = () => weir.command('quarantine show', '--id', id, '--json');
    if (kept) await waitFor(`${code} is kept`, async () => (await shown()).code === 0);
    const found = await shown();
    assert.equal(found.code === 0, kept, found.stderr);
    if (kept) assert.deepEqual([JSON.parse(found.stdout).correlation_id, JSON.parse(found.stdout).reason], [id, code]);
  }
});

test('when a source last received survives a restart, and is known without a server', async t => {
  const weir = await startWeir(t);
  assert.equal((await send(weir, 'evt_1')).status, 202);
  const last = await weir.metric('webhook_last_received_timestamp_seconds', {source: 'stripe'});
  await weir.stop();
  const [offline] = JSON.parse((await weir.command('sources list', '--json')).stdout);
  assert.ok(Math.abs(Date.parse(offline.last_received_at) - last * 1000) <= 1, `${offline.last_received_at} ${last}`);
  assert.equal((await weir.command('events list', '--source', 'strype')).code, 2);
  await weir.start();
  assert.equal(await weir.metric('webhook_last_received_timestamp_seconds', {source: 'stripe'}), last);
});

test('the first failure of a sink is said at once, and events show says what an event waits for', async t => {
  const recorder = await new Recorder({answer: () => 500}).listen(t);
  const weir = await startWeir(t, {rest: `
[[sink]]
name = "billing"
kind = "http"
url = "${recorder.url}"
retry = { first = "1h" }

[[sink]]
name = "invoices"
kind = "http"
url = "${recorder.url}"

[[route]]
source = "stripe"
sink = "billing"

[[route]]
source = "stripe"
types = ["invoice.never"]
sink = "invoices"
`});
  assert.equal((await send(weir, 'evt_1')).status, 202);
  const [line] = await waitFor('the line', () => lines(weir, 'attempts at a sink fail').length > 0 && lines(weir, 'attempts at a sink fail'));
  assert.deepEqual([line.sink, line.failed_attempts, line.reason, line.outcome, line.sequence], ['billing', 1, 'status_5xx', '500', 1]);
  const event = await waitFor('it waits for its next attempt', async () => {
    const shown = JSON.parse((await weir.command('events show', '1', '--json')).stdout);
    return shown.state === 'retrying' && shown;
  });
  const why = Object.fromEntries(event.deliveries.map(delivery => [delivery.sink, delivery.why]));
  assert.match(why.billing, /^next attempt at .* because: 500 \(status_5xx\)/);
  assert.match(why.invoices, /^no route: type ".*" of source stripe matches none of: stripe invoice\.never$/);
});

test('events show prints for each sink why it does not have the event', async t => {
  const answering = async status => (await new Recorder({answer: () => status}).listen(t)).url;
  const hung = await new Recorder().listen(t);
  hung.server.removeAllListeners('request');
  const works = await new Recorder().listen(t);
  const http = (name, url, settings = '') => `[[sink]]\nname = "${name}"\nkind = "http"\nurl = "${url}"\n${settings}\n`;
  const names = ['billing', 'gone', 'hung', 'archive', 'works'];
  const weir = await startWeir(t, {rest: [
    http('billing', await answering(500), 'concurrency = 1\nretry = { first = "1h" }\nbreaker = { failures = 1, open = "1h" }'),
    http('gone', await answering(410)),
    http('hung', hung.url, 'concurrency = 1\ntimeout = "1h"'),
    http('works', works.url),
    http('invoices', works.url),
    '[[sink]]\nname = "archive"\nkind = "file"\npath = "missing/out.ndjson"\n',
    ...names.map(name => `[[route]]\nsource = "stripe"\nsink = "${name}"\n`),
    '[[route]]\nsource = "stripe"\ntypes = ["invoice.never", "charge.*"]\nsink = "invoices"\n',
  ].join('\n')});
  for (const id of ['evt_1', 'evt_2']) assert.equal((await send(weir, id)).status, 202);

  const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z`;
  // The line under each sink's name in what is printed.
  const reasons = async sequence => {
    const {stdout} = await weir.command('events show', sequence);
    return Object.fromEntries([...stdout.matchAll(/^ {2}(\w+) {2}\w+\n(?: {4}why: (.*)\n)?/gm)].map(([, sink, why]) => [sink, why]));
  };
  const says = async (sequence, expected) => {
    for (const [sink, why] of Object.entries(expected)) {
      const pattern = new RegExp(`^${why}$`);
      await waitFor(`event ${sequence} at ${sink}: ${why}`, async () => pattern.test((await reasons(sequence))[sink] ?? ''));
    }
  };
  const noRoute = 'no route: type ".+" of source stripe matches none of: stripe invoice\\.never, stripe charge\\.\\*';
  const unopened = 'the sink cannot be opened: .*missing.*';
  await says('1', {
    billing: `breaker open until ${time}; next attempt at ${time} because: 500 \\(status_5xx\\) \\(1 attempt made\\)`,
    gone: 'dead because: .*410.* \\(1 attempt\\)',
    hung: 'its first attempt is under way',
    archive: `${unopened}; next in the log for this sink`,
    works: '',
    invoices: noRoute,
  });
  await says('2', {
    billing: `breaker open until ${time}; next in the log for this sink`,
    hung: 'behind in the log by 1 event',
    archive: `${unopened}; behind in the log by 1 event`,
  });
  await weir.kill();
  await says('2', {hung: 'no server runs; behind in the log by 1 event'});
  const forgotten = await weir.command('events show', '7');
  assert.match(forgotten.stderr, /there is no event 7/);
});
