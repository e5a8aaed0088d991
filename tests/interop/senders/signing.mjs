// Senders whose own library makes the signature: nothing here knows how.
//
// A sender: {library, kind, secret, otherSecret, body(id, at), sign(secret, body, id, at)}, and where they differ from the usual
//   config          further lines of its [[source]]
//   query(body)     what its URL ends in
//   contentType     of its body; JSON otherwise
//   unsignedTime    nothing it signs grows stale
//   confirm         its library judges a request too, see verifying.mjs
import {createHash, randomBytes} from 'node:crypto';

import {signWebhookPayload, verifyWebhookSignature} from '@notionhq/client';
import {sign as signForGithub} from '@octokit/webhooks-methods';
import {encodeSignatureHeader, isValidSignature} from '@sanity/webhook';
import {WorkOS} from '@workos-inc/node';
import {AccessToken, WebhookReceiver} from 'livekit-server-sdk';
import {Webhook as StandardWebhook} from 'standardwebhooks';
import Stripe from 'stripe';
import {Webhook as SvixWebhook} from 'svix';
import twilio from 'twilio/lib/webhooks/webhooks.js';

export const newKey = () => `whsec_${randomBytes(24).toString('base64')}`;
const newText = () => randomBytes(16).toString('hex');
const seconds = at => String(Math.floor(at / 1000));

const stripe = new Stripe('sk_test_unused');
const workos = new WorkOS('sk_test_unused');
const livekitKey = 'APIweirInterop';
// The URL that Twilio is told, which need not be the one that arrives.
const twilioUrl = 'https://hooks.example.com/from/twilio';

export const signing = [
  {
    library: 'stripe', kind: 'stripe',
    secret: newKey(), otherSecret: newKey(),
    body: id => JSON.stringify({id, object: 'event', type: 'invoice.paid', data: {object: {amount: 4200, note: 'naïve ✓'}}}),
    sign: (secret, body, id, at) => ({
      'stripe-signature': stripe.webhooks.generateTestHeaderString({payload: body, secret, timestamp: Math.floor(at / 1000)}),
    }),
  },
  {
    library: '@octokit/webhooks-methods', kind: 'github',
    secret: 'a shared secret', otherSecret: 'another shared secret', unsignedTime: true,
    body: id => JSON.stringify({ref: 'refs/heads/main', after: id, commits: []}),
    sign: async (secret, body, id) => ({
      'x-hub-signature-256': await signForGithub(secret, body), 'x-github-event': 'push', 'x-github-delivery': id,
    }),
  },
  {
    library: 'svix', kind: 'svix',
    secret: newKey(), otherSecret: newKey(),
    body: id => JSON.stringify({type: 'user.created', data: {name: 'Zoë', id}}),
    sign: (secret, body, id, at) => ({
      'svix-id': id, 'svix-timestamp': seconds(at), 'svix-signature': new SvixWebhook(secret).sign(id, new Date(at), body),
    }),
  },
  {
    library: 'standardwebhooks', kind: 'standard-webhooks',
    secret: newKey(), otherSecret: newKey(),
    body: id => JSON.stringify({type: 'contact.created', timestamp: '2026-01-01T00:00:00Z', data: {id}}),
    sign: (secret, body, id, at) => ({
      'webhook-id': id, 'webhook-timestamp': seconds(at), 'webhook-signature': new StandardWebhook(secret).sign(id, new Date(at), body),
    }),
  },
  {
    library: 'twilio (form)', kind: 'twilio',
    secret: newText(), otherSecret: newText(), unsignedTime: true,
    contentType: 'application/x-www-form-urlencoded; charset=UTF-8',
    config: `public_url = "${twilioUrl}"`,
    body: id => new URLSearchParams([['To', '+15551234567'], ['Body', 'naïve & ✓'], ['MessageSid', id], ['Media', 'b'], ['Media', 'a']]).toString(),
    sign: (secret, body) => ({'x-twilio-signature': twilio.getExpectedTwilioSignature(secret, twilioUrl, formOf(body))}),
    confirm: (secret, body, headers) =>
      twilio.validateRequest(secret, headers['x-twilio-signature'], twilioUrl, formOf(body)),
  },
  {
    library: 'twilio (JSON)', kind: 'twilio',
    secret: newText(), otherSecret: newText(), unsignedTime: true,
    config: `public_url = "${twilioUrl}"`,
    query: body => `?bodySHA256=${twilio.getExpectedBodyHash(body)}`,
    body: id => JSON.stringify({Sid: id, EventType: 'thing.done'}),
    sign: (secret, body) => ({
      'x-twilio-signature': twilio.getExpectedTwilioSignature(secret, `${twilioUrl}?bodySHA256=${twilio.getExpectedBodyHash(body)}`, {}),
    }),
  },
  {
    library: '@workos-inc/node', kind: 'workos',
    secret: newText(), otherSecret: newText(),
    body: id => JSON.stringify({id, event: 'dsync.user.created', data: {name: 'Zoë'}}),
    sign: async (secret, body, id, at) => ({
      'workos-signature': `t=${at}, v1=${await workos.webhooks.computeSignature(at, JSON.parse(body), secret)}`,
    }),
    confirm: (secret, body, headers) =>
      workos.webhooks.verifyHeader({payload: JSON.parse(body), sigHeader: headers['workos-signature'], secret}),
  },
  {
    library: '@sanity/webhook', kind: 'sanity',
    secret: newText(), otherSecret: newText(),
    body: id => JSON.stringify({_id: id, _type: 'post', title: 'naïve ✓'}),
    sign: async (secret, body, id, at) => ({
      'sanity-webhook-signature': await encodeSignatureHeader(body, at, secret), 'idempotency-key': id,
    }),
    confirm: (secret, body, headers) => isValidSignature(body, headers['sanity-webhook-signature'], secret),
  },
  {
    library: 'livekit-server-sdk', kind: 'livekit',
    secret: newText(), otherSecret: newText(), unsignedTime: true,  // its token is always made now
    config: `[source.parameters]\napi_key = "${livekitKey}"`,
    body: (id, at) => JSON.stringify({event: 'room_started', id, createdAt: seconds(at), room: {name: 'Zoë'}}),
    sign: async (secret, body) => {
      const token = new AccessToken(livekitKey, secret, {ttl: 300});
      token.sha256 = createHash('sha256').update(body).digest('base64');
      return {authorization: await token.toJwt()};
    },
    confirm: (secret, body, headers) => new WebhookReceiver(livekitKey, secret).receive(body, headers.authorization),
  },
  {
    library: '@notionhq/client', kind: 'notion',
    secret: `secret_${newText()}`, otherSecret: `secret_${newText()}`, unsignedTime: true,
    body: id => JSON.stringify({id, type: 'page.created', data: {title: 'naïve ✓'}}),
    sign: async (secret, body) => ({'x-notion-signature': await signWebhookPayload({body, verificationToken: secret})}),
    confirm: (secret, body, headers) =>
      verifyWebhookSignature({body, signature: headers['x-notion-signature'], verificationToken: secret}),
  },
];

function formOf(body) {
  const form = {};
  const pairs = new URLSearchParams(body);
  for (const name of new Set(pairs.keys())) form[name] = pairs.getAll(name).length > 1 ? pairs.getAll(name) : pairs.get(name);
  return form;
}
