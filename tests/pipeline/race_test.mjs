// One id on 64 connections at the same instant: stored once, answered alike, and nobody answered before it was durable.
import assert from 'node:assert/strict';
import {once} from 'node:events';
import net from 'node:net';
import {test} from 'node:test';

import {stripeEvent} from '../support/stripe_event.mjs';
import {longRun, start, temporaryDirectory, waitFor, Weir} from '../support/weir_process.mjs';

const secret = 'whsec_race';
const racers = 64;
const rounds = longRun ? 2000 : 100;

async function startWeir(t) {
  const weir = new Weir(t, {directory: await temporaryDirectory(t), configure: () => `
[[source]]
name = "stripe"
kind = "stripe"
secrets_insecure = ["${secret}"]
`});
  return weir.start();
}

function signedRequest(id) {
  const {headers, body} = stripeEvent(secret, id);
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.from(`POST /webhooks/stripe HTTP/1.1\r\nHost: localhost\r\n${fields}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

async function connect(t, weir) {
  const socket = net.connect(weir.port, '127.0.0.1').setNoDelay(true);
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

// The next whole answer on a connection: {status, body, at}.
function nextAnswer(socket) {
  return new Promise((resolve, reject) => {
    let text = '';
    const receive = bytes => {
      text += bytes.toString('latin1');
      const headEnd = text.indexOf('\r\n\r\n');
      if (headEnd < 0) return;
      const length = Number(/content-length: *(\d+)/i.exec(text)[1]);
      if (text.length < headEnd + 4 + length) return;
      socket.off('data', receive).off('close', closed);
      resolve({status: Number(text.slice(9, 12)), body: JSON.parse(text.slice(headEnd + 4)), at: performance.now()});
    };
    const closed = () => reject(new Error(`closed before an answer: ${text}`));
    socket.on('data', receive).on('close', closed);
  });
}

// All but the last byte on every connection first, so that the server has 64 requests that lack one byte.
async function race(sockets, request) {
  const answers = sockets.map(nextAnswer);
  await Promise.all(sockets.map(socket => new Promise(resolve => socket.write(request.subarray(0, -1), resolve))));
  const from = performance.now();
  for (const socket of sockets) socket.write(request.subarray(-1));
  return {from, answers: await Promise.all(answers)};
}

function assertOneWinner(answers, id) {
  const accepted = answers.filter(({status}) => status === 202);
  const duplicates = answers.filter(({status}) => status === 200);
  assert.equal(accepted.length, 1, `${accepted.length} accepted for ${id}`);
  assert.equal(duplicates.length, racers - 1);
  assert.equal(accepted[0].body.status, 'accepted');
  for (const {body} of duplicates) {
    assert.deepEqual(body, {...accepted[0].body, status: 'duplicate'}, 'duplicates name the first one\'s id and sequence');
  }
}

test(`${racers} connections sending one id at once store it once`, async t => {
  const weir = await startWeir(t);
  const sockets = await Promise.all(Array.from({length: racers}, () => connect(t, weir)));
  for (let round = 0; round < rounds; ++round) {
    const {answers} = await race(sockets, signedRequest(`evt_race_${round}`));
    assertOneWinner(answers, `evt_race_${round}`);
  }
  for (const socket of sockets) socket.destroy();
  assert.deepEqual(await weir.stop(), {code: 0, signal: null});
  const counted = await weir.command('events count', '--json');
  assert.equal(counted.code, 0, counted.stderr);
  assert.match(counted.stdout, new RegExp(`\\b${rounds}\\b`));
  assert.equal((await weir.command('verify')).code, 0);
});

test('no racer is answered before the sync of the one stored event has ended', async t => {
  const weir = await startWeir(t);
  const sockets = await Promise.all(Array.from({length: racers}, () => connect(t, weir)));
  await race(sockets, signedRequest('evt_before'));

  // Every sync now takes this much longer, in the kernel's name: an answer that comes sooner did not wait for one.
  const sync_ms = 400;
  const tracer = start(t, 'strace', ['-f', '-q', '-o', '/dev/null', '-p', String(weir.pid), '-e', 'trace=fdatasync,fsync',
    '-e', `inject=fdatasync,fsync:delay_enter=${sync_ms * 1000}`]);
  await waitFor('strace is attached', async () => {
    if (tracer.process.exitCode !== null) throw new Error(`strace ended: ${tracer.stderr()}`);
    const {answers, from} = await race(sockets.slice(0, 1), signedRequest(`evt_attached_${performance.now()}`));
    return answers[0].at - from >= sync_ms;
  });

  const {answers, from} = await race(sockets, signedRequest('evt_delayed'));
  assertOneWinner(answers, 'evt_delayed');
  for (const {at, status} of answers) {
    assert.ok(at - from >= sync_ms, `a ${status} came ${Math.round(at - from)} ms after the request, before its sync ended`);
  }
  tracer.process.kill('SIGINT');
  await tracer.exited;
});
