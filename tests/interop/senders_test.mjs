// The providers' own libraries sign; a live weir accepts. What was changed after signing, or signed with another secret, is
// refused. Nothing here knows how a signature is made.
import assert from 'node:assert/strict';
import {randomBytes, randomUUID} from 'node:crypto';
import {after, before, suite, test} from 'node:test';

import {sign as signForGithub} from '@octokit/webhooks-methods';
import {Webhook as StandardWebhook} from 'standardwebhooks';
import Stripe from 'stripe';
import {Webhook as SvixWebhook} from 'svix';

import {request, temporaryDirectory, Weir} from '../support/weir_process.mjs';

const newKey = () => `whsec_${randomBytes(24).toString('base64')}`;
const stripe = new Stripe('sk_test_unused');

// name: a source of that kind. sign(secret, body, id, at): the fields its library makes, async where the library is.
const senders = {
  stripe: {
    secret: newKey(), otherSecret: newKey(),
    body: id => JSON.stringify({id, object: 'event', type: 'invoice.paid', data: {object: {amount: 4200, note: 'naïve ✓'}}}),
    sign: (secret, body, id, at) => ({
      'stripe-signature': stripe.webhooks.generateTestHeaderString({payload: body, secret, timestamp: Math.floor(at / 1000)}),
    }),
  },
  github: {
    secret: 'a shared secret', otherSecret: 'another shared secret',
    body: id => JSON.stringify({ref: 'refs/heads/main', after: id, commits: []}),
    sign: async (secret, body, id) => ({
      'x-hub-signature-256': await signForGithub(secret, body), 'x-github-event': 'push', 'x-github-delivery': id,
    }),
    unsignedTime: true,
  },
  svix: {
    secret: newKey(), otherSecret: newKey(),
    body: () => JSON.stringify({type: 'user.created', data: {name: 'Zoë'}}),
    sign: (secret, body, id, at) => ({
      'svix-id': id, 'svix-timestamp': String(Math.floor(at / 1000)), 'svix-signature': new SvixWebhook(secret).sign(id, new Date(at), body),
    }),
  },
  'standard-webhooks': {
    secret: newKey(), otherSecret: newKey(),
    body: () => JSON.stringify({type: 'contact.created', timestamp: '2026-01-01T00:00:00Z', data: {}}),
    sign: (secret, body, id, at) => ({
      'webhook-id': id, 'webhook-timestamp': String(Math.floor(at / 1000)),
      'webhook-signature': new StandardWebhook(secret).sign(id, new Date(at), body),
    }),
  },
};

suite('signed by the provider\'s own library', () => {
  let weir;
  const cleanups = [];
  before(async () => {
    const scope = {after: cleanup => cleanups.unshift(cleanup)};
    const configure = () => Object.entries(senders).map(([kind, {secret}]) => `
[[source]]
name = "${kind}"
kind = "${kind}"
secrets_insecure = ["${secret}"]
`).join('');
    weir = await new Weir(scope, {directory: await temporaryDirectory(scope), configure}).start();
  });
  after(async () => { for (const cleanup of cleanups) await cleanup(); });

  const post = (kind, headers, body) =>
    request(`${weir.url}/webhooks/${kind}`, {method: 'POST', headers: {'content-type': 'application/json', ...headers}, body});
  const code = answer => JSON.parse(answer.body).error?.code;

  for (const [kind, {secret, otherSecret, body: makeBody, sign, unsignedTime}] of Object.entries(senders)) {
    const makeId = () => `evt_${randomUUID()}`;

    test(`${kind}: accepted once, then a duplicate`, async () => {
      const id = makeId();
      const body = makeBody(id);
      const headers = await sign(secret, body, id, Date.now());
      const first = await post(kind, headers, body);
      assert.equal(first.status, 202, first.body);
      assert.equal(JSON.parse(first.body).event_id, id);
      const again = await post(kind, headers, body);
      assert.equal(again.status, 200, again.body);
      assert.equal(JSON.parse(again.body).sequence, JSON.parse(first.body).sequence);
    });

    test(`${kind}: a changed body is refused`, async () => {
      const id = makeId();
      const body = makeBody(id);
      const answer = await post(kind, await sign(secret, body, id, Date.now()), `${body} `);
      assert.deepEqual([answer.status, code(answer)], [401, 'invalid_signature']);
    });

    test(`${kind}: another secret is refused`, async () => {
      const id = makeId();
      const body = makeBody(id);
      const answer = await post(kind, await sign(otherSecret, body, id, Date.now()), body);
      assert.deepEqual([answer.status, code(answer)], [401, 'invalid_signature']);
    });

    test(`${kind}: no signature is refused`, async () => {
      const answer = await post(kind, {}, makeBody(makeId()));
      assert.deepEqual([answer.status, code(answer)], [401, 'missing_signature']);
    });

    if (unsignedTime) continue;
    test(`${kind}: an authentic request of yesterday is stale`, async () => {
      const id = makeId();
      const body = makeBody(id);
      const answer = await post(kind, await sign(secret, body, id, Date.now() - 86_400_000), body);
      assert.deepEqual([answer.status, code(answer)], [400, 'stale_timestamp']);
    });
  }

  test('what was refused left nothing in the store', async () => {
    const {stdout, code: exitCode} = await weir.command('events count', '--json');
    assert.equal(exitCode, 0);
    assert.match(stdout, new RegExp(`\\b${Object.keys(senders).length}\\b`));
  });
});
