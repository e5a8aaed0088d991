// Keys that a provider publishes come from files. One that is not there yet is 503, so that the sender tries again; putting it
// there and a reload are all it takes, and a file that is no key leaves the running configuration as it is.
import assert from 'node:assert/strict';
import {createSign, generateKeyPairSync} from 'node:crypto';
import {mkdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {test} from 'node:test';

import {request, temporaryDirectory, waitFor, Weir} from '../support/weir_process.mjs';

const rsa = () => generateKeyPairSync('rsa', {modulusLength: 2048});
const base64url = value => Buffer.from(JSON.stringify(value)).toString('base64url');

async function reload(weir, outcome) {
  const seen = weir.running.stderr().split(outcome).length;
  weir.running.process.kill('SIGHUP');
  await waitFor(outcome, () => weir.running.stderr().split(outcome).length > seen);
}

function notification(keys, certificate) {
  const message = {
    Type: 'Notification', MessageId: `m-${certificate}`, TopicArn: 'arn:aws:sns:eu-west-1:1:t', Message: 'hello', Timestamp: new Date().toISOString(),
  };
  const text = ['Message', 'MessageId', 'Timestamp', 'TopicArn', 'Type'].map(key => `${key}\n${message[key]}\n`).join('');
  return JSON.stringify({
    ...message, SignatureVersion: '2', SigningCertURL: `https://sns.eu-west-1.amazonaws.com/${certificate}`,
    Signature: createSign('RSA-SHA256').update(text).sign(keys.privateKey, 'base64'),
  });
}

test('a certificate that arrives later verifies what was sent before it', async t => {
  const directory = await temporaryDirectory(t);
  const certificates = path.join(directory, 'certificates');
  await mkdir(certificates);
  const weir = await new Weir(t, {directory, configure: () => `
[[source]]
name = "topic"
kind = "sns"
certificates = ["certificates"]
`}).start();
  const keys = rsa();
  const body = notification(keys, 'Service-1.pem');
  const send = () => request(`${weir.url}/webhooks/topic`, {method: 'POST', body});
  const early = await send();
  assert.equal(early.status, 503, early.body);
  assert.ok(Number(early.headers['retry-after']) > 0);

  const file = path.join(certificates, 'Service-1.pem');
  await writeFile(file, keys.publicKey.export({format: 'pem', type: 'spki'}));
  await reload(weir, 'configuration reloaded');
  assert.equal((await send()).status, 202);

  await writeFile(file, 'not a key');
  await reload(weir, 'reload refused');
  assert.equal((await send()).status, 200, 'a duplicate, verified with the key that was loaded');
  const forged = notification(rsa(), 'Service-1.pem');
  assert.equal((await request(`${weir.url}/webhooks/topic`, {method: 'POST', body: forged})).status, 401);
});

test('Event Grid\'s access tokens are verified with a key set, which a reload replaces', async t => {
  const directory = await temporaryDirectory(t);
  const keySet = path.join(directory, 'entra.json');
  const keys = {k1: rsa(), k2: rsa(), k3: rsa()};
  const jwk = kid => ({...keys[kid].publicKey.export({format: 'jwk'}), kid, use: 'sig'});
  const publish = (...kids) => writeFile(keySet, JSON.stringify({keys: kids.map(jwk)}), {mode: 0o600});
  await publish('k1', 'k2');
  const issuer = 'https://sts.windows.net/tenant/';
  const weir = await new Weir(t, {directory, configure: () => `
[[source]]
name = "grid"
kind = "event-grid"
secrets = ["file:entra.json"]
parameters = { audience = "app", issuer = "${issuer}" }
`}).start();
  const send = (kid, id, claims = {}) => {
    const payload = {aud: 'app', iss: issuer, exp: Math.floor(Date.now() / 1000) + 600, ...claims};
    const text = `${base64url({alg: 'RS256', typ: 'JWT', kid})}.${base64url(payload)}`;
    const token = `${text}.${createSign('RSA-SHA256').update(text).sign(keys[kid].privateKey, 'base64url')}`;
    const body = JSON.stringify([{id, topic: '/subscriptions/1', eventType: 'Microsoft.Storage.BlobCreated', data: {}}]);
    return request(`${weir.url}/webhooks/grid`, {method: 'POST', headers: {authorization: `Bearer ${token}`}, body});
  };
  assert.equal((await send('k1', '1')).status, 200);
  assert.equal((await send('k2', '2')).status, 200);
  assert.equal((await send('k1', '3', {aud: 'somebody else'})).status, 401);
  assert.equal((await send('k1', '3', {iss: 'https://sts.windows.net/other/'})).status, 401);
  assert.equal((await send('k1', '3', {exp: 1})).status, 401, 'a 400 would dead-letter it at Event Grid');
  assert.equal((await send('k3', '3')).status, 503);
  await publish('k2', 'k3');
  await reload(weir, 'configuration reloaded');
  assert.equal((await send('k3', '3')).status, 200);
  assert.equal(await weir.metric('webhook_secret_matched_total', {source: 'grid', secret: 'file:entra.json'}), 3,
    'each key counts for its set, whichever place it has');
  assert.equal(JSON.parse((await weir.command('events count', '--json')).stdout).count, 3);
});
