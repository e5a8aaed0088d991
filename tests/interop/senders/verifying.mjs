// Senders whose library only judges: the request is signed here as their documentation says, and it is the library that has to
// find it authentic, and a changed one not, before weir is asked. The fields of a sender are those of signing.mjs;
//   confirm(secret, body, headers)   what the library says: false, or an error, refuses
//   sourceSecret(secret)             what weir is given, where that is a public key
import {createHmac, generateKeyPairSync, randomBytes, sign as signWithKey} from 'node:crypto';

import {LinearWebhookClient} from '@linear/sdk/webhooks';
import Mux from '@mux/mux-node';
import {Paddle} from '@paddle/paddle-node-sdk';
import {EventWebhook as SendgridWebhook} from '@sendgrid/eventwebhook';
import {verifyKey as verifyForDiscord} from 'discord-interactions';
import * as gocardless from 'gocardless-nodejs/webhooks';
import Razorpay from 'razorpay';
import {validateWebhook as validateForReplicate} from 'replicate';
import {Resend} from 'resend';

import {newKey} from './signing.mjs';

const newText = () => randomBytes(16).toString('hex');
const seconds = at => String(Math.floor(at / 1000));
const hmac = (key, text, encoding) => createHmac('sha256', key).update(text).digest(encoding);
const ofStandardWebhooks = (secret, id, at, body) =>
  `v1,${hmac(Buffer.from(secret.slice('whsec_'.length), 'base64'), `${id}.${seconds(at)}.${body}`, 'base64')}`;

const ed25519 = () => generateKeyPairSync('ed25519');
const p256 = () => generateKeyPairSync('ec', {namedCurve: 'P-256'});
const spki = pair => pair.publicKey.export({type: 'spki', format: 'der'});
const rawHex = pair => spki(pair).subarray(-32).toString('hex');

const mux = new Mux({tokenId: 'unused', tokenSecret: 'unused'});
const paddle = new Paddle('unused');
const resend = new Resend('re_unused');
const sendgrid = new SendgridWebhook();

export const verifying = [
  {
    library: 'discord-interactions', kind: 'discord',
    secret: ed25519(), otherSecret: ed25519(), sourceSecret: rawHex,
    body: id => JSON.stringify({id, type: 2, data: {name: 'naïve ✓'}}),
    sign: (secret, body, id, at) => ({
      'x-signature-ed25519': signWithKey(null, Buffer.from(seconds(at) + body), secret.privateKey).toString('hex'),
      'x-signature-timestamp': seconds(at),
    }),
    confirm: (secret, body, headers) =>
      verifyForDiscord(body, headers['x-signature-ed25519'], headers['x-signature-timestamp'], rawHex(secret)),
  },
  {
    library: '@sendgrid/eventwebhook', kind: 'sendgrid',
    secret: p256(), otherSecret: p256(), sourceSecret: pair => spki(pair).toString('base64'),
    body: id => `${JSON.stringify([{sg_event_id: id, event: 'delivered', email: 'zoe@example.com'}])}\r\n`,
    sign: (secret, body, id, at) => ({
      'x-twilio-email-event-webhook-signature': signWithKey('sha256', Buffer.from(seconds(at) + body), secret.privateKey).toString('base64'),
      'x-twilio-email-event-webhook-timestamp': seconds(at),
    }),
    confirm: (secret, body, headers) => sendgrid.verifySignature(
      sendgrid.convertPublicKeyToECDSA(spki(secret).toString('base64')), body,
      headers['x-twilio-email-event-webhook-signature'], headers['x-twilio-email-event-webhook-timestamp']),
  },
  {
    library: '@paddle/paddle-node-sdk', kind: 'paddle',
    secret: `pdl_ntfset_${newText()}`, otherSecret: `pdl_ntfset_${newText()}`,
    body: id => JSON.stringify({event_id: id, event_type: 'transaction.completed', data: {note: 'naïve ✓'}}),
    sign: (secret, body, id, at) => ({'paddle-signature': `ts=${seconds(at)};h1=${hmac(secret, `${seconds(at)}:${body}`, 'hex')}`}),
    confirm: (secret, body, headers) => paddle.webhooks.isSignatureValid(body, secret, headers['paddle-signature']),
  },
  {
    library: 'razorpay', kind: 'razorpay',
    secret: newText(), otherSecret: newText(), unsignedTime: true,
    body: id => JSON.stringify({event: 'payment.captured', payload: {payment: {id, note: 'naïve ✓'}}}),
    sign: (secret, body, id) => ({'x-razorpay-signature': hmac(secret, body, 'hex'), 'x-razorpay-event-id': id}),
    confirm: (secret, body, headers) => Razorpay.validateWebhookSignature(body, headers['x-razorpay-signature'], secret),
  },
  {
    library: 'gocardless-nodejs', kind: 'gocardless',
    secret: newText(), otherSecret: newText(), unsignedTime: true,
    body: id => JSON.stringify({events: [{id, resource_type: 'mandates', action: 'cancelled'}]}),
    sign: (secret, body) => ({'webhook-signature': hmac(secret, body, 'hex')}),
    confirm: (secret, body, headers) => gocardless.parse(body, secret, headers['webhook-signature']),
  },
  {
    library: '@mux/mux-node', kind: 'mux',
    secret: newText(), otherSecret: newText(),
    body: id => JSON.stringify({id, type: 'video.asset.ready', data: {title: 'naïve ✓'}}),
    sign: (secret, body, id, at) => ({'mux-signature': `t=${seconds(at)},v1=${hmac(secret, `${seconds(at)}.${body}`, 'hex')}`}),
    confirm: (secret, body, headers) => mux.webhooks.unwrap(body, headers, secret),
  },
  {
    library: '@linear/sdk', kind: 'linear',
    secret: newText(), otherSecret: newText(),
    body: (id, at) => JSON.stringify({type: 'Issue', action: 'create', data: {id, title: 'naïve ✓'}, webhookTimestamp: at}),
    sign: (secret, body, id) => ({'linear-signature': hmac(secret, body, 'hex'), 'linear-delivery': id}),
    confirm: (secret, body, headers) => new LinearWebhookClient(secret).verify(Buffer.from(body), headers['linear-signature']),
  },
  {
    library: 'resend', kind: 'resend',
    secret: newKey(), otherSecret: newKey(),
    body: id => JSON.stringify({type: 'email.delivered', data: {email_id: id, subject: 'naïve ✓'}}),
    sign: (secret, body, id, at) => ({
      'svix-id': id, 'svix-timestamp': seconds(at), 'svix-signature': ofStandardWebhooks(secret, id, at, body),
    }),
    confirm: (secret, body, headers) => resend.webhooks.verify({
      payload: body, webhookSecret: secret,
      headers: {id: headers['svix-id'], timestamp: headers['svix-timestamp'], signature: headers['svix-signature']},
    }),
  },
  {
    library: 'replicate', kind: 'replicate',
    secret: newKey(), otherSecret: newKey(),
    body: id => JSON.stringify({id, status: 'succeeded', output: ['naïve ✓']}),
    sign: (secret, body, id, at) => ({
      'webhook-id': id, 'webhook-timestamp': seconds(at), 'webhook-signature': ofStandardWebhooks(secret, id, at, body),
    }),
    confirm: (secret, body, headers) => validateForReplicate({
      id: headers['webhook-id'], timestamp: headers['webhook-timestamp'], signature: headers['webhook-signature'], body, secret,
    }),
  },
];
