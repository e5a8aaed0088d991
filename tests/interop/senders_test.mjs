// The providers' own libraries sign, or where they only judge find a request authentic that is signed as documented; a live weir
// accepts exactly that request. What was changed after signing, or signed with another secret, library and weir both refuse.
import assert from 'node:assert/strict';
import {randomUUID} from 'node:crypto';
import {after, before, suite, test} from 'node:test';

import {request, temporaryDirectory, Weir} from '../support/weir_process.mjs';
import {signing} from './senders/signing.mjs';
import {verifying} from './senders/verifying.mjs';

const senders = [...signing, ...verifying];
const stalePast_ms = 2 * 86_400_000;

// "twilio (JSON)" is the source twilio-JSON.
const sourceOf = ({library}) => library.replace(/[^a-zA-Z0-9]+/g, '-').replace(/^-|-$/g, '');

// What the sender's library says of a request: whether it is authentic.
async function isConfirmed(sender, secret, body, headers) {
  try {
    return (await sender.confirm(secret, body, headers)) !== false;
  } catch {
    return false;
  }
}

suite('signed or confirmed by the provider\'s own library', () => {
  let weir;
  const cleanups = [];
  before(async () => {
    const scope = {after: cleanup => cleanups.unshift(cleanup)};
    const configure = () => senders.map(sender => `
[[source]]
name = "${sourceOf(sender)}"
kind = "${sender.kind}"
secrets_insecure = ["${sender.sourceSecret ? sender.sourceSecret(sender.secret) : sender.secret}"]
${sender.config ?? ''}
`).join('');
    weir = await new Weir(scope, {directory: await temporaryDirectory(scope), configure}).start();
  });
  after(async () => { for (const cleanup of cleanups) await cleanup(); });

  const post = (sender, headers, body) => request(`${weir.url}/webhooks/${sourceOf(sender)}${sender.query?.(body) ?? ''}`, {
    method: 'POST', headers: {'content-type': sender.contentType ?? 'application/json', ...headers}, body,
  });
  const code = answer => JSON.parse(answer.body).error?.code;
  const eventsOf = async sender => {
    const {stdout} = await weir.command('events list', '--source', sourceOf(sender), '--json');
    return JSON.parse(stdout);
  };

  for (const sender of senders) {
    const {library, secret, otherSecret, confirm} = sender;
    const make = async (usedSecret, at = Date.now()) => {
      const id = `evt_${randomUUID()}`;
      const body = sender.body(id, at);
      return {id, body, headers: await sender.sign(usedSecret, body, id, at)};
    };

    test(`${library}: stored once under its id, and a duplicate after that`, async () => {
      const {id, body, headers} = await make(secret);
      if (confirm) assert.ok(await isConfirmed(sender, secret, body, headers), 'the library finds it authentic');
      const first = await post(sender, headers, body);
      assert.ok(first.status >= 200 && first.status < 300, `${first.status} ${first.body}`);
      const again = await post(sender, headers, body);
      assert.ok(again.status >= 200 && again.status < 300, `${again.status} ${again.body}`);
      const events = await eventsOf(sender);
      assert.equal(events.length, 1);
      assert.ok(events[0].id.includes(id), events[0].id);
    });

    test(`${library}: a changed body is refused`, async () => {
      const {id, body, headers} = await make(secret);
      const changed = body.replace(id, `${id}x`);
      assert.notEqual(changed, body);
      if (confirm) assert.equal(await isConfirmed(sender, secret, changed, headers), false);
      const answer = await post(sender, headers, changed);
      assert.deepEqual([answer.status, code(answer)], [401, 'invalid_signature']);
    });

    test(`${library}: another secret is refused`, async () => {
      const {body, headers} = await make(otherSecret);
      if (confirm) assert.equal(await isConfirmed(sender, secret, body, headers), false);
      const answer = await post(sender, headers, body);
      assert.deepEqual([answer.status, code(answer)], [401, 'invalid_signature']);
    });

    test(`${library}: no signature is refused`, async () => {
      const {body} = await make(secret);
      const answer = await post(sender, {}, body);
      assert.deepEqual([answer.status, code(answer)], [401, 'missing_signature']);
    });

    if (sender.unsignedTime) continue;
    test(`${library}: an authentic request of the day before yesterday is stale`, async () => {
      const {body, headers} = await make(secret, Date.now() - stalePast_ms);
      const answer = await post(sender, headers, body);
      assert.deepEqual([answer.status, code(answer)], [400, 'stale_timestamp']);
    });
  }

  test('what was refused left nothing in the store', async () => {
    const {stdout, code: exitCode} = await weir.command('events count', '--json');
    assert.equal(exitCode, 0);
    assert.equal(JSON.parse(stdout).count, senders.length);
  });
});
