// What senders ask before they send anything, and the answers they insist on: over a real socket, to the byte where the
// contract says so, and nothing of it stored.
import assert from 'node:assert/strict';
import {createHmac, createSign, generateKeyPairSync, sign} from 'node:crypto';
import {mkdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {after, before, suite, test} from 'node:test';

import {request, temporaryDirectory, waitFor, Weir} from '../support/weir_process.mjs';

const hmac = (hash, key, encoding, ...parts) => parts.reduce((mac, part) => mac.update(part), createHmac(hash, key)).digest(encoding);
const nowText = () => String(Math.floor(Date.now() / 1000));
const secret = 'a secret of the handshakes';
const discordKeys = generateKeyPairSync('ed25519');
const discordPublicKey = discordKeys.publicKey.export({format: 'der', type: 'spki'}).subarray(-32).toString('hex');
const snsKeys = generateKeyPairSync('rsa', {modulusLength: 2048});
const json = {'content-type': 'application/json'};
const form = {'content-type': 'application/x-www-form-urlencoded'};
const twilioUrl = 'https://hooks.example.com/webhooks/twilio';
const topic = 'arn:aws:sns:eu-west-1:123456789012:orders';

const configure = () => `
${['slack', 'dropbox', 'zoom', 'twitch', 'xero', 'woocommerce', 'okta', 'event-grid', 'intercom'].map(kind => `
[[source]]
name = "${kind}"
kind = "${kind}"
secrets_insecure = ["${secret}"]
`).join('')}
[[source]]
name = "meta"
kind = "meta"
secrets_insecure = ["${secret}"]
parameters = { verify_token = "t0ken" }
[[source]]
name = "cloudevents"
kind = "cloudevents"
secrets_insecure = ["${secret}"]
parameters = { allowed_origin = "eventemitter.example.com" }
[[source]]
name = "discord"
kind = "discord"
secrets_insecure = ["${discordPublicKey}"]
[[source]]
name = "discord-events"
kind = "discord-events"
secrets_insecure = ["${discordPublicKey}"]
[[source]]
name = "twilio"
kind = "twilio"
secrets_insecure = ["${secret}"]
public_url = "${twilioUrl}"
[[source]]
name = "sns"
kind = "sns"
certificates = ["certificates"]
parameters = { topic_arn = "${topic}" }
`;

const slackFields = body => {
  const at = nowText();
  return {...json, 'x-slack-request-timestamp': at, 'x-slack-signature': `v0=${hmac('sha256', secret, 'hex', `v0:${at}:${body}`)}`};
};
const zoomFields = body => {
  const at = nowText();
  return {...json, 'x-zm-request-timestamp': at, 'x-zm-signature': `v0=${hmac('sha256', secret, 'hex', `v0:${at}:${body}`)}`};
};
const twitchFields = (body, type) => {
  const at = new Date().toISOString();
  return {
    ...json, 'twitch-eventsub-message-id': 'm-1', 'twitch-eventsub-message-timestamp': at, 'twitch-eventsub-message-type': type,
    'twitch-eventsub-message-signature': `sha256=${hmac('sha256', secret, 'hex', `m-1${at}${body}`)}`,
  };
};
const discordFields = body => {
  const at = nowText();
  return {...json, 'x-signature-timestamp': at, 'x-signature-ed25519': sign(null, Buffer.from(at + body), discordKeys.privateKey).toString('hex')};
};
const xeroFields = body => ({...json, 'x-xero-signature': hmac('sha256', secret, 'base64', body)});
const twilioFields = parameters => {
  const signed = twilioUrl + Object.keys(parameters).sort().map(name => name + parameters[name]).join('');
  return {...form, 'x-twilio-signature': hmac('sha1', secret, 'base64', signed)};
};

function snsBody(type, {certificate = 'SimpleNotificationService-1.pem', arn = topic} = {}) {
  const message = {
    Type: type, MessageId: `m-${type}`, Token: 'tok', TopicArn: arn, Message: 'hello',
    SubscribeURL: 'https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=tok',
    Timestamp: new Date().toISOString(), SignatureVersion: '2',
    SigningCertURL: `https://sns.eu-west-1.amazonaws.com/${certificate}`,
  };
  const keys = type === 'Notification' ? ['Message', 'MessageId', 'Timestamp', 'TopicArn', 'Type']
    : ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
  const text = keys.map(key => `${key}\n${message[key]}\n`).join('');
  return JSON.stringify({...message, Signature: createSign('RSA-SHA256').update(text).sign(snsKeys.privateKey, 'base64')});
}

suite('handshakes', () => {
  let weir;
  const cleanups = [];
  const post = (source, headers, body) => request(`${weir.url}/webhooks/${source}`, {method: 'POST', headers, body});
  const stored = async () => JSON.parse((await weir.command('events count', '--json')).stdout).count;

  before(async () => {
    const scope = {after: cleanup => cleanups.unshift(cleanup)};
    const directory = await temporaryDirectory(scope);
    await mkdir(path.join(directory, 'certificates'));
    await writeFile(path.join(directory, 'certificates', 'SimpleNotificationService-1.pem'),
      snsKeys.publicKey.export({format: 'pem', type: 'spki'}));
    weir = await new Weir(scope, {directory, configure}).start();
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });

  // Nothing in here may be stored.
  const handshakes = {
    'Slack gets the challenge of a signed url_verification': async () => {
      const body = JSON.stringify({type: 'url_verification', token: 'x', challenge: '3eZbrw"1a'});
      const answer = await post('slack', slackFields(body), body);
      assert.equal(answer.status, 200);
      assert.deepEqual(JSON.parse(answer.body), {challenge: '3eZbrw"1a'});
      assert.equal((await post('slack', json, body)).status, 401, 'unsigned');
    },
    'Slack\'s unsigned ssl_check is answered': async () => {
      assert.equal((await post('slack', form, 'ssl_check=1&token=x')).status, 200);
    },
    'Meta gets its challenge back as text when the verify token is right': async () => {
      const url = token => `${weir.url}/webhooks/meta?hub.mode=subscribe&hub.verify_token=${token}&hub.challenge=1158201444`;
      const answer = await request(url('t0ken'));
      assert.equal(answer.status, 200);
      assert.equal(answer.body, '1158201444');
      assert.equal(answer.headers['content-type'], 'text/plain');
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
      const refused = await request(url('wrong'));
      assert.equal(refused.status, 403);
      assert.ok(!refused.body.includes('1158201444'), 'nothing is reflected');
    },
    'Dropbox gets its challenge as text no browser takes for a page': async () => {
      const answer = await request(`${weir.url}/webhooks/dropbox?challenge=${encodeURIComponent('<b>x')}`);
      assert.equal(answer.status, 200);
      assert.equal(answer.body, '<b>x');
      assert.equal(answer.headers['content-type'], 'text/plain');
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    },
    'Zoom gets an HMAC of its token': async () => {
      const body = JSON.stringify({event: 'endpoint.url_validation', payload: {plainToken: 'qgg8vlvZRS6UYooatFL8Aw'}});
      const answer = await post('zoom', zoomFields(body), body);
      assert.equal(answer.status, 200);
      assert.deepEqual(JSON.parse(answer.body),
        {plainToken: 'qgg8vlvZRS6UYooatFL8Aw', encryptedToken: hmac('sha256', secret, 'hex', 'qgg8vlvZRS6UYooatFL8Aw')});
      assert.equal((await post('zoom', json, body)).status, 401, 'unsigned');
    },
    'Twitch gets nothing but its challenge': async () => {
      const body = JSON.stringify({challenge: 'pogchamp', subscription: {type: 'channel.follow'}});
      const answer = await post('twitch', twitchFields(body, 'webhook_callback_verification'), body);
      assert.equal(answer.status, 200);
      assert.equal(answer.body, 'pogchamp');
      assert.equal(answer.headers['content-type'], 'text/plain');
      assert.equal(answer.headers['content-length'], '8');
    },
    'Discord\'s PING is answered with PONG, and a wrong signature with 401': async () => {
      const body = JSON.stringify({id: '1', type: 1});
      const answer = await post('discord', discordFields(body), body);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['content-type'], 'application/json');
      assert.equal(answer.body, '{"type":1}');
      assert.equal((await post('discord', discordFields(`${body} `), body)).status, 401);
    },
    'the PING of Discord\'s webhook events is answered 204': async () => {
      const body = JSON.stringify({version: 1, type: 0});
      const answer = await post('discord-events', discordFields(body), body);
      assert.equal(answer.status, 204);
      assert.equal(answer.body, '');
    },
    'Okta\'s challenge needs the credential': async () => {
      const challenge = {'x-okta-verification-challenge': 'v-1'};
      const answer = await request(`${weir.url}/webhooks/okta`, {headers: {...challenge, authorization: secret}});
      assert.equal(answer.status, 200);
      assert.deepEqual(JSON.parse(answer.body), {verification: 'v-1'});
      assert.equal((await request(`${weir.url}/webhooks/okta`, {headers: challenge})).status, 401);
    },
    'Event Grid gets its validation code when the token is right': async () => {
      const body = JSON.stringify([{id: '1', eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent', data: {validationCode: '512d38b6'}}]);
      const fields = {...json, 'aeg-event-type': 'SubscriptionValidation'};
      const answer = await post(`event-grid?code=${encodeURIComponent(secret)}`, fields, body);
      assert.equal(answer.status, 200);
      assert.deepEqual(JSON.parse(answer.body), {validationResponse: '512d38b6'});
      assert.equal((await post('event-grid?code=wrong', fields, body)).status, 401);
    },
    'Event Grid\'s OPTIONS is granted to Event Grid alone': async () => {
      const options = (code, origin) => request(`${weir.url}/webhooks/event-grid?code=${encodeURIComponent(code)}`,
        {method: 'OPTIONS', headers: {'webhook-request-origin': origin, 'webhook-request-rate': '120'}});
      const answer = await options(secret, 'eventgrid.azure.net');
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['webhook-allowed-origin'], 'eventgrid.azure.net');
      assert.equal(answer.headers['webhook-allowed-rate'], '*');
      assert.equal((await options(secret, 'evil.example.com')).headers['webhook-allowed-origin'], undefined);
      assert.equal((await options('wrong', 'eventgrid.azure.net')).headers['webhook-allowed-origin'], undefined);
    },
    'CloudEvents\' OPTIONS is granted to the configured origin': async () => {
      const options = origin => request(`${weir.url}/webhooks/cloudevents`,
        {method: 'OPTIONS', headers: {'webhook-request-origin': origin, 'webhook-request-rate': '120'}});
      const answer = await options('eventemitter.example.com');
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['webhook-allowed-origin'], 'eventemitter.example.com');
      assert.equal(answer.headers['webhook-allowed-rate'], '*');
      assert.equal(answer.headers.allow, 'POST');
      assert.equal((await options('evil.example.com')).headers['webhook-allowed-origin'], undefined);
    },
    'Intercom\'s HEAD is answered': async () => {
      assert.equal((await request(`${weir.url}/webhooks/intercom`, {method: 'HEAD'})).status, 200);
    },
    'WooCommerce\'s unsigned ping is exactly its form': async () => {
      assert.equal((await post('woocommerce', form, 'webhook_id=42')).status, 200);
      assert.equal((await post('woocommerce', form, 'webhook_id=42&x=1')).status, 401);
    },
    'Xero\'s intent to receive: 200 and 401, neither with a body': async () => {
      const body = '{"events":[],"firstEventSequence":0,"lastEventSequence":0,"entropy":"S0m3r4nd0mt3xt"}';
      const right = await post('xero', xeroFields(body), body);
      assert.deepEqual([right.status, right.body], [200, '']);
      const wrong = await post('xero', xeroFields(`${body} `), body);
      assert.deepEqual([wrong.status, wrong.body], [401, '']);
      assert.equal(wrong.headers['content-length'], '0');
      assert.equal(wrong.headers['set-cookie'], undefined);
    },
    'an SNS confirmation is verified, and its URL shown to the operator': async () => {
      const body = snsBody('SubscriptionConfirmation');
      assert.equal((await post('sns', {}, body)).status, 200);
      const shown = await waitFor('the URL is logged', () => weir.running.stderr().split('\n').find(line => line.includes('ConfirmSubscription')));
      assert.equal(JSON.parse(shown).url, 'https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=tok');
      assert.equal(JSON.parse(shown).source, 'sns');
      assert.equal((await post('sns', {}, body.replace('hello', 'hullo'))).status, 401);
      assert.equal((await post('sns', {}, snsBody('SubscriptionConfirmation', {arn: `${topic}2`}))).status, 401, 'another topic');
    },
    'an SNS certificate that is not there is 503, so that AWS sends again': async () => {
      const answer = await post('sns', {}, snsBody('Notification', {certificate: 'SimpleNotificationService-2.pem'}));
      assert.equal(answer.status, 503);
      assert.equal(JSON.parse(answer.body).error.code, 'key_unavailable');
      assert.ok(Number(answer.headers['retry-after']) > 0);
    },
  };
  for (const [name, check] of Object.entries(handshakes)) {
    test(name, async () => {
      await check();
      assert.equal(await stored(), 0, 'a handshake is never stored');
    });
  }

  test('a method of nobody is refused with those of the kind', async () => {
    const answer = await request(`${weir.url}/webhooks/twilio`, {method: 'PUT', body: ''});
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.allow, 'GET, POST');
  });

  test('events are answered in the profile of their sender', async () => {
    const interaction = JSON.stringify({id: '900', type: 2, token: 'credential', data: {name: 'blep'}});
    const deferred = await post('discord', discordFields(interaction), interaction);
    assert.deepEqual([deferred.status, deferred.body], [200, '{"type":5}']);

    const message = {MessageSid: 'SM1', MessageStatus: 'delivered', To: '+15551234'};
    const twiml = await post('twilio', twilioFields(message), new URLSearchParams(message).toString());
    assert.equal(twiml.status, 200);
    assert.equal(twiml.headers['content-type'], 'text/xml');
    assert.equal(twiml.body, '<?xml version="1.0" encoding="UTF-8"?><Response></Response>');

    const batch = JSON.stringify({events: [{resourceId: 'r', eventType: 'CREATE', eventCategory: 'INVOICE', eventDateUtc: '2026-01-01'}]});
    const xero = await post('xero', xeroFields(batch), batch);
    assert.deepEqual([xero.status, xero.body], [200, '']);

    const dispatched = JSON.stringify({version: 1, type: 1, event: {type: 'APPLICATION_AUTHORIZED', timestamp: 'x'}});
    assert.equal((await post('discord-events', discordFields(dispatched), dispatched)).status, 204);

    assert.equal((await post('sns', {}, snsBody('Notification'))).status, 202);
    assert.equal(await stored(), 5);
  });
});
