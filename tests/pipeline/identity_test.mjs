// Which events are one and which are many: batches, ids made of the content, no id at all, and types that nobody signed.
import assert from 'node:assert/strict';
import {createHmac, generateKeyPairSync, sign} from 'node:crypto';
import {test} from 'node:test';

import {Recorder} from '../support/recorder.mjs';
import {stripeEvent} from '../support/stripe_event.mjs';
import {request, temporaryDirectory, waitFor, Weir} from '../support/weir_process.mjs';

const secret = 'a secret of identities';
const hex = body => createHmac('sha256', secret).update(body).digest('hex');
const sendgridKeys = generateKeyPairSync('ec', {namedCurve: 'P-256'});
const sendgridKey = sendgridKeys.publicKey.export({format: 'der', type: 'spki'}).toString('base64');

const source = (kind, more = '') => `
[[source]]
name = "${kind}"
kind = "${kind}"
secrets_insecure = ["${kind === 'sendgrid' ? sendgridKey : secret}"]
${more}
`;

const startWeir = async (t, configuration) =>
  new Weir(t, {directory: await temporaryDirectory(t), configure: () => configuration}).start();
const post = (weir, name, headers, body) => request(`${weir.url}/webhooks/${name}`, {method: 'POST', headers, body});

function sendgrid(weir, events) {
  const body = `${JSON.stringify(events, null, 1)}\r\n`;
  const at = String(Math.floor(Date.now() / 1000));
  return post(weir, 'sendgrid', {
    'content-type': 'application/json', 'x-twilio-email-event-webhook-timestamp': at,
    'x-twilio-email-event-webhook-signature': sign('sha256', Buffer.from(at + body), sendgridKeys.privateKey).toString('base64'),
  }, body);
}
const github = (weir, body, fields = {}) =>
  post(weir, 'github', {'x-hub-signature-256': `sha256=${hex(body)}`, 'x-github-event': 'push', ...fields}, body);
const dropbox = (weir, body) => post(weir, 'dropbox', {'x-dropbox-signature': hex(body)}, body);
function zoom(weir, body) {
  const at = String(Math.floor(Date.now() / 1000));
  return post(weir, 'zoom', {'x-zm-request-timestamp': at, 'x-zm-signature': `v0=${hex(`v0:${at}:${body}`)}`}, body);
}

async function list(weir, ...filter) {
  const listed = await weir.command('events list', '--json', ...filter);
  assert.equal(listed.code, 0, listed.stderr);
  return JSON.parse(listed.stdout);
}
const count = async (weir, ...filter) => JSON.parse((await weir.command('events count', '--json', ...filter)).stdout).count;

test('the events of one SendGrid request are stored together, each under its own id', async t => {
  const weir = await startWeir(t, source('sendgrid'));
  const events = ['processed', 'delivered', 'open'].map((event, i) => ({event, sg_event_id: `sg-${i}`, email: 'a@example.com'}));
  assert.equal((await sendgrid(weir, events)).status, 202);
  assert.equal(await weir.metric('weir_commit_batch_events_count'), 1, 'one commit');
  assert.equal((await sendgrid(weir, events)).status, 200, 'all of them were there');
  assert.equal((await sendgrid(weir, [...events, {event: 'click', sg_event_id: 'sg-3'}])).status, 202, 'one was new');
  const stored = await list(weir);
  assert.deepEqual(stored.map(({id, type}) => `${id} ${type}`).sort(), ['sg-0 processed', 'sg-1 delivered', 'sg-2 open', 'sg-3 click']);
  assert.equal((await sendgrid(weir, [])).status, 202);
  assert.equal(await count(weir), 4);
});

test('a batch is taken or refused as a whole', async t => {
  const weir = await startWeir(t, source('sendgrid', 'on_malformed = "reject"'));
  assert.equal((await sendgrid(weir, [{event: 'open', sg_event_id: 'sg-1'}, null])).status, 400);
  assert.equal(await count(weir), 0);
});

test('of a batch, what is no event is dead-lettered and the others are stored', async t => {
  const weir = await startWeir(t, source('sendgrid'));
  const answer = await sendgrid(weir, [{event: 'open', sg_event_id: 'sg-1'}, null, 'open']);
  assert.equal(answer.status, 202);
  assert.equal(await count(weir), 3, 'nothing collapses');
  assert.equal(await count(weir, '--state', 'malformed'), 2);
});

test('two requests without an id are two dead letters, however alike', async t => {
  const weir = await startWeir(t, source('github'));
  assert.equal((await github(weir, '{"ref":"main"}')).status, 202);
  assert.equal((await github(weir, '{"ref":"main"}')).status, 202);
  assert.equal(await count(weir, '--state', 'malformed'), 2);
});

test('where the kind says so, equal bytes are one event, or as many as were sent', async t => {
  const weir = await startWeir(t, source('zoom') + source('dropbox'));
  const meeting = '{"event":"meeting.started","event_ts":1}';
  assert.deepEqual([(await zoom(weir, meeting)).status, (await zoom(weir, meeting)).status], [200, 200]);
  assert.equal((await zoom(weir, meeting.replace('1', '2'))).status, 200);
  assert.equal(await count(weir, '--source', 'zoom'), 2);
  const changed = '{"list_folder":{"accounts":["dbid:1"]}}';
  assert.deepEqual([(await dropbox(weir, changed)).status, (await dropbox(weir, changed)).status], [202, 202]);
  assert.equal(await count(weir, '--source', 'dropbox'), 2);
});

// The operator of Zendesk chooses the method.
test('an event comes with every method that its kind names, and no other', async t => {
  const weir = await startWeir(t, `${source('zendesk')}${source('github')}`);
  const zendesk = (method, id) => {
    const body = method === 'GET' || method === 'DELETE' ? '' : JSON.stringify({id, method});
    const at = new Date().toISOString();
    const signature = createHmac('sha256', secret).update(at + body).digest('base64');
    return request(`${weir.url}/webhooks/zendesk`, {method, body, headers: {
      'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)), 'x-zendesk-webhook-invocation-id': id,
      'x-zendesk-webhook-signature': signature, 'x-zendesk-webhook-signature-timestamp': at}});
  };
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'GET']) {
    const answer = await zendesk(method, `id-${method}`);
    assert.equal(answer.status, 202, `${method}: ${answer.body}`);
  }
  assert.equal(await count(weir, '--source', 'zendesk'), 5);
  for (const method of ['PUT', 'PATCH', 'DELETE']) {
    assert.equal((await request(`${weir.url}/webhooks/github`, {method, body: '{}'})).status, 405, method);
  }
});

for (const allowed of [false, true]) {
  test(`a type that nobody signed ${allowed ? 'routes where the source allows it' : 'routes nothing'}`, async t => {
    const recorder = await new Recorder().listen(t);
    const weir = await startWeir(t, `${source('github', `allow_unsigned_type = ${allowed}`)}${source('stripe')}
[[sink]]
name = "recorder"
kind = "http"
url = "${recorder.url}"
[[route]]
source = "*"
types = ["push", "invoice.paid"]
sink = "recorder"
`);
    assert.equal((await github(weir, '{"ref":"main"}', {'x-github-delivery': 'd-1'})).status, 202);
    const {headers, body} = stripeEvent(secret, 'evt_after');
    assert.equal((await post(weir, 'stripe', headers, body)).status, 202);
    await waitFor('the event that comes after it', () => recorder.has('evt_after'));
    await waitFor('nothing is left', async () => await weir.metric('webhook_queue_depth', {sink: 'recorder'}) === 0);
    assert.equal([...recorder.deliveries.keys()].some(id => id.startsWith('d-1#')), allowed);
    assert.equal(await count(weir, '--state', allowed ? 'delivered' : 'unrouted', '--source', 'github'), 1);
  });
}
