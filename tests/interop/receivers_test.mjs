// Standard libraries read what weir's sinks deliver: `standardwebhooks` verifies it, `cloudevents` parses it.
import assert from 'node:assert/strict';
import {randomBytes} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {test} from 'node:test';

import {CloudEvent, HTTP} from 'cloudevents';
import {Webhook} from 'standardwebhooks';
import Stripe from 'stripe';

import {Recorder} from '../support/recorder.mjs';
import {request, temporaryDirectory, waitFor, Weir} from '../support/weir_process.mjs';

const sourceSecret = 'whsec_interop_source';
const sinkSecret = `whsec_${randomBytes(24).toString('base64')}`;
const stripe = new Stripe('sk_test_unused');

const bodies = [
  {id: 'evt_plain', body: JSON.stringify({id: 'evt_plain', object: 'event', type: 'invoice.paid', data: {n: 1}})},
  {id: 'evt_utf8', body: JSON.stringify({id: 'evt_utf8', object: 'event', type: 'naïve.ünïcode', data: {text: '✓ \u0000 \u{1F600}'}})},
  {id: 'evt odd "id" %', body: JSON.stringify({id: 'evt odd "id" %', object: 'event', type: 'odd', data: {}}, null, 2)},
  {id: 'evt_spaces', body: '{"id" : "evt_spaces", "type":"spaces" , "object":"event"}\n\n'},
];

async function deliverAll(t) {
  const directory = await temporaryDirectory(t);
  const recorder = await new Recorder({keepBodies: true}).listen(t);
  const archive = path.join(directory, 'archive.ndjson');
  const weir = await new Weir(t, {directory, configure: () => `
[[source]]
name = "stripe"
kind = "stripe"
secrets_insecure = ["${sourceSecret}"]
[[sink]]
name = "recorder"
kind = "http"
url = "${recorder.url}"
secret_insecure = "${sinkSecret}"
[[sink]]
name = "archive"
kind = "file"
path = "${archive}"
[[route]]
source = "*"
sink = "recorder"
[[route]]
source = "*"
sink = "archive"
`}).start();
  for (const {body} of bodies) {
    const signature = stripe.webhooks.generateTestHeaderString({payload: body, secret: sourceSecret});
    const answer = await request(`${weir.url}/webhooks/stripe`,
      {method: 'POST', headers: {'content-type': 'application/json; charset=utf-8', 'stripe-signature': signature}, body});
    assert.equal(answer.status, 202, answer.body);
  }
  await waitFor('everything is delivered', () => recorder.total >= bodies.length);
  const lines = await waitFor('everything is in the file', async () => {
    const text = await readFile(archive, 'utf8').catch(() => '');
    const complete = text.split('\n').slice(0, -1);
    return complete.length >= bodies.length && complete;
  });
  return {deliveries: recorder.bodies, lines};
}

test('standard libraries verify and parse what sinks receive', async t => {
  const {deliveries, lines} = await deliverAll(t);

  await t.test('every delivery verifies with the sink\'s secret', () => {
    for (const {body, headers} of deliveries) new Webhook(sinkSecret).verify(body.toString(), headers);
  });

  await t.test('a delivery that was changed does not verify', () => {
    const [{body, headers}] = deliveries;
    assert.throws(() => new Webhook(sinkSecret).verify(`${body.toString()} `, headers));
    assert.throws(() => new Webhook(sinkSecret).verify(body.toString(), {...headers, 'webhook-id': 'other'}));
  });

  await t.test('the body is the sender\'s, byte for byte', () => {
    assert.deepEqual(new Set(deliveries.map(({body}) => body.toString())), new Set(bodies.map(({body}) => body)));
    for (const {headers} of deliveries) assert.equal(headers['content-type'], 'application/json; charset=utf-8');
  });

  await t.test('every delivery is a CloudEvent in binary mode', () => {
    const ids = new Set();
    for (const {body, headers} of deliveries) {
      const event = HTTP.toEvent({headers, body: body.toString()});
      assert.equal(event.specversion, '1.0');
      assert.equal(event.source, 'weir/stripe');
      assert.equal(event.validate(), true);
      assert.deepEqual(event.data, JSON.parse(body.toString()));
      assert.ok(Math.abs(Date.parse(event.time) - Date.now()) < 600_000);
      // Field values are percent-encoded (HTTP binding 1.0.2 §3.1.3.2); this library leaves decoding them to its caller.
      ids.add(decodeURIComponent(event.id));
    }
    assert.deepEqual(ids, new Set(bodies.map(({id}) => id)));
  });

  await t.test('every line of the file sink is a CloudEvent in JSON', () => {
    const ids = new Set();
    for (const line of lines) {
      const event = new CloudEvent(JSON.parse(line), true);
      assert.equal(event.validate(), true);
      assert.equal(event.source, 'weir/stripe');
      assert.ok(Number(event.weirsequence) >= 1);
      ids.add(event.id);
    }
    assert.deepEqual(ids, new Set(bodies.map(({id}) => id)));
  });
});
