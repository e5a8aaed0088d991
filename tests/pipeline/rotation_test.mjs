// Secrets change while requests come in: no request that was rightly signed is ever answered 401, and the metrics tell when
// the old secret is out of use. What is replayed is a duplicate while its timestamp counts, and stale afterwards.
import assert from 'node:assert/strict';
import http from 'node:http';
import {test} from 'node:test';

import {stripeEvent} from '../support/stripe_event.mjs';
import {longRun, request, temporaryDirectory, waitFor, Weir} from '../support/weir_process.mjs';

const oldSecret = 'whsec_old';
const newSecret = 'whsec_new';
const senders = 8;  // connections a secret
const reloads = longRun ? 200 : 20;

// A secret alone, or with its name.
const secretToml = secret => typeof secret === 'string'
  ? JSON.stringify(secret) : `{ secret = ${JSON.stringify(secret.secret)}, name = ${JSON.stringify(secret.name)} }`;

async function startWeir(t, secrets) {
  const state = {secrets};
  const weir = new Weir(t, {directory: await temporaryDirectory(t), server: 'threads = 2', configure: () => `
[[source]]
name = "stripe"
kind = "stripe"
secrets_insecure = [${state.secrets.map(secretToml).join(', ')}]
`});
  await weir.start();
  let seen = 0;
  const reload = async next => {
    state.secrets = next;
    await weir.writeConfiguration();
    weir.running.process.kill('SIGHUP');
    ++seen;
    await waitFor('the reload is reported', () => weir.running.stderr().split('configuration reloaded').length > seen);
  };
  return {weir, reload};
}

// Sends without a pause, `senders` at a time, until told to stop: how often each status came.
function load(t, weir, secret, name) {
  const agent = new http.Agent({keepAlive: true, maxSockets: senders});
  t.after(() => agent.destroy());
  const statuses = new Map();
  let running = true;
  let sent = 0;
  const run = async () => {
    while (running) {
      const {headers, body} = stripeEvent(secret, `evt_${name}_${++sent}`);
      const {status} = await request(`${weir.url}/webhooks/stripe`, {method: 'POST', headers, body, agent});
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  const runs = Array.from({length: senders}, run);
  return {
    statuses,
    stop: async () => {
      running = false;
      await Promise.all(runs);
      return statuses;
    },
  };
}

test('secrets rotate under load without one wrong 401', async t => {
  const {weir, reload} = await startWeir(t, [oldSecret]);
  const old = load(t, weir, oldSecret, 'old');
  await waitFor('load', () => old.statuses.get(202) > 100);

  await reload([oldSecret, newSecret]);
  const next = load(t, weir, newSecret, 'new');  // signed with the new secret only once weir said that it has it
  for (let i = 0; i < reloads; ++i) {
    const before = next.statuses.get(202) ?? 0;
    await reload(i % 2 === 0 ? [newSecret, oldSecret] : [oldSecret, newSecret]);
    await waitFor('requests between two reloads', () => (next.statuses.get(202) ?? 0) > before);
  }
  assert.deepEqual([...(await old.stop()).keys()], [202], 'of the old secret');
  await reload([newSecret]);
  const before = next.statuses.get(202);
  await waitFor('more requests', () => next.statuses.get(202) > before + 100);
  assert.deepEqual([...(await next.stop()).keys()], [202], 'of the new secret');

  const {headers, body} = stripeEvent(oldSecret, 'evt_late');
  assert.equal((await request(`${weir.url}/webhooks/stripe`, {method: 'POST', headers, body})).status, 401);
});

test('which secret matched is counted by its name, wherever it stands', async t => {
  const named = [{secret: newSecret, name: '2026-11'}, {secret: oldSecret, name: '2026-01'}];
  const {weir, reload} = await startWeir(t, named);
  const send = async (secret, id) => {
    const {headers, body} = stripeEvent(secret, id);
    return (await request(`${weir.url}/webhooks/stripe`, {method: 'POST', headers, body})).status;
  };
  assert.equal(await send(newSecret, 'evt_1'), 202);
  assert.equal(await send(oldSecret, 'evt_2'), 202);
  assert.equal(await send(oldSecret, 'evt_3'), 202);
  assert.equal(await send('whsec_nobody', 'evt_4'), 401);
  const matched = secret => weir.metric('webhook_secret_matched_total', {source: 'stripe', secret});
  assert.equal(await matched('2026-11'), 1);
  assert.equal(await matched('2026-01'), 2);
  await reload([...named].reverse());
  assert.equal(await send(oldSecret, 'evt_5'), 202);
  assert.equal(await matched('2026-11'), 1);
  assert.equal(await matched('2026-01'), 3);
  const listed = JSON.parse((await weir.command('sources list', '--json')).stdout);
  assert.deepEqual(listed[0].secrets.map(({secret, matched: count}) => [secret, count]), [['2026-01', 3], ['2026-11', 1]]);
  const {body} = await request(`${weir.adminUrl}/metrics`);
  assert.ok(!body.includes(newSecret) && !body.includes(oldSecret));
});

test('a replay is a duplicate while its timestamp counts, and stale afterwards', async t => {
  const {weir} = await startWeir(t, [newSecret]);
  const send = ({headers, body}) => request(`${weir.url}/webhooks/stripe`, {method: 'POST', headers, body});
  const captured = stripeEvent(newSecret, 'evt_replayed', {at_ms: Date.now() - 200_000});
  const first = await send(captured);
  assert.equal(first.status, 202);
  const replay = await send(captured);
  assert.equal(replay.status, 200);
  assert.deepEqual(JSON.parse(replay.body), {...JSON.parse(first.body), status: 'duplicate'});

  for (const at_ms of [Date.now() - 310_000, Date.now() + 310_000]) {
    const stale = await send(stripeEvent(newSecret, 'evt_stale', {at_ms}));
    assert.equal(stale.status, 400);
    assert.equal(JSON.parse(stale.body).error.code, 'stale_timestamp');
  }
  assert.equal(JSON.parse((await weir.command('events count', '--json')).stdout).count, 1);
});
