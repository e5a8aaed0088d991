// What of a sender's header fields reaches a sink, a file and an export, and what never does.
import assert from 'node:assert/strict';
import {createHmac} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {test} from 'node:test';

import {Recorder} from '../support/recorder.mjs';
import {request, run, temporaryDirectory, waitFor, Weir, weirBin} from '../support/weir_process.mjs';

const secret = 'the secret of all senders';
const sign = (body, encoding) => createHmac('sha256', secret).update(body).digest(encoding);

async function startWeir(t, forwardHeaders = '') {
  const sink = await new Recorder({keepBodies: true}).listen(t);
  const directory = await temporaryDirectory(t);
  const weir = new Weir(t, {directory, configure: () => `
[[source]]
name = "shopify"
kind = "shopify"
secrets_insecure = ["${secret}"]
[[source]]
name = "github"
kind = "github"
secrets_insecure = ["${secret}"]
[[source]]
name = "cloudevents"
kind = "cloudevents"
secrets_insecure = ["${secret}"]
[[sink]]
name = "http"
kind = "http"
url = "${sink.url}"
${forwardHeaders}
[[sink]]
name = "file"
kind = "file"
path = "events.ndjson"
${forwardHeaders}
[[route]]
source = "*"
sink = "http"
[[route]]
source = "*"
sink = "file"
`});
  await weir.start();
  const firstLine = () => waitFor('a line is written', async () => {
    const text = await readFile(path.join(directory, 'events.ndjson'), 'utf8').catch(() => '');
    return text.endsWith('\n') && JSON.parse(text.split('\n')[0]);
  });
  const post = async (source, headers, body) => {
    const answer = await request(`${weir.url}/webhooks/${source}`, {method: 'POST', headers, body});
    assert.equal(answer.status, 202, answer.body);
    await waitFor('the event arrives', () => sink.total > 0);
    const {headers: received, body: delivered} = sink.bodies[0];
    return {headers: received, body: delivered.toString(), line: await firstLine()};
  };
  return {weir, directory, post};
}

const shopifyOrder = {
  'X-Shopify-Topic': 'orders/create', 'X-Shopify-Shop-Domain': 'a.example.com', 'X-Shopify-Webhook-Id': 'w1',
  'X-Shopify-Hmac-Sha256': sign('{"id":1}', 'base64'), 'Authorization': 'Bearer x', 'Cookie': 'a=b', 'X-Custom': 'mine',
};

test('a kind says what goes along', async t => {
  const {post, directory} = await startWeir(t);
  const {headers, line} = await post('shopify', shopifyOrder, '{"id":1}');
  assert.equal(headers['x-shopify-shop-domain'], 'a.example.com');
  assert.equal(headers['x-shopify-hmac-sha256'], undefined);
  assert.equal(headers['x-custom'], undefined);
  assert.equal(line.weirheaderxshopifyshopdomain, 'a.example.com');
  assert.equal(line.weirheaderxshopifyhmacsha256, undefined);
  assert.equal(line.weirstate, undefined);

  const exported = await run(t, weirBin, ['export', '--data', path.join(directory, 'data')]);
  const event = JSON.parse(exported.stdout.split('\n')[0]);
  assert.equal(event.weirheaderxshopifyshopdomain, 'a.example.com');
  assert.equal(typeof event.weirstate, 'string');
});

test('a sink says otherwise, and credentials stay behind all the same', async t => {
  const {post} = await startWeir(t, 'forward_headers = ["*"]');
  const {headers, line} = await post('shopify', shopifyOrder, '{"id":1}');
  assert.equal(headers['x-custom'], 'mine');
  assert.equal(headers['x-shopify-topic'], 'orders/create');
  for (const name of ['authorization', 'cookie', 'x-shopify-hmac-sha256']) assert.equal(headers[name], undefined, name);
  assert.deepEqual(Object.keys(line).filter(name => /authorization|cookie|hmac/.test(name)), []);
});

test('attributes and extensions of a CloudEvent go along', async t => {
  const {post} = await startWeir(t);
  const {headers, line} = await post('cloudevents', {
    'Authorization': `bearer ${secret}`, 'ce-specversion': '1.0', 'ce-id': 'a%20b', 'ce-source': '/s', 'ce-type': 't',
    'ce-time': '2026-01-01T00:00:00Z', 'ce-subject': 'caf%C3%A9', 'ce-tenant': 'x',
  }, '{}');
  assert.equal(headers['ce-subject'], 'caf%C3%A9');
  assert.equal(headers['ce-tenant'], 'x');
  assert.equal(headers['ce-source'], 'weir/cloudevents');
  assert.equal(headers['weir-header-ce-source'], '/s');
  assert.equal(headers['weir-header-ce-time'], '2026-01-01T00:00:00Z');
  assert.equal(line.weirheadercesubject, 'café');
  assert.equal(line.weirheadercetenant, 'x');
});

test('a form of GitHub arrives as the JSON in it', async t => {
  const {post} = await startWeir(t);
  const body = `payload=${encodeURIComponent('{"action":"opened"}')}`;
  const {headers, body: received, line} = await post('github', {
    'Content-Type': 'application/x-www-form-urlencoded', 'X-GitHub-Event': 'issues', 'X-GitHub-Delivery': 'd1',
    'X-GitHub-Hook-ID': '7', 'X-Hub-Signature-256': `sha256=${sign(body, 'hex')}`,
  }, body);
  assert.equal(headers['content-type'], 'application/json');
  assert.equal(headers['ce-type'], 'issues.opened');
  assert.equal(headers['x-github-hook-id'], '7');
  assert.equal(headers['x-hub-signature-256'], undefined);
  assert.equal(received, '{"action":"opened"}');
  assert.deepEqual(line.data, {action: 'opened'});
});
