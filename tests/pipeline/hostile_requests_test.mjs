// Every document of tests/cases/http against a running server. Behind each stands a canary: a signed request that would be
// stored if the server ever looked at it. After a refused request it must not be; after a served one it must.
import assert from 'node:assert/strict';
import {createHmac} from 'node:crypto';
import {once} from 'node:events';
import net from 'node:net';
import {test} from 'node:test';

import {readCases} from '../support/http_cases.mjs';
import {run, temporaryDirectory, Weir, weirBin} from '../support/weir_process.mjs';

const secret = 'canary-secret';
const connectionsAtOnce = 16;
const deadline_ms = 20_000;

async function startWeir(t) {
  const weir = new Weir(t, {directory: await temporaryDirectory(t), configure: () => `
[[source]]
name = "acme"
kind = "custom"
secrets_insecure = ["${secret}"]
[source.scheme]
algorithm = "hmac-sha256"
signature = { header = "X-Acme-Signature", prefix = "sha256=", encoding = "hex" }
signed = "{body}"
event_id = { json = "/id" }
event_type = { json = "/type" }
`});
  return weir.start();
}

function signedRequest(id, headers = '') {
  const body = JSON.stringify({id, type: 'canary'});
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  return Buffer.from(`POST /webhooks/acme HTTP/1.1\r\nHost: weir\r\nX-Acme-Signature: sha256=${signature}\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`);
}

// Takes one answer off the front of `bytes`: {status, head, close, rest}; null when there is none.
function takeAnswer(bytes) {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const head = bytes.subarray(0, headEnd + 2).toString('latin1');
  const status = Number(/^HTTP\/1\.[01] (\d{3}) /.exec(head)?.[1] ?? assert.fail(`not an answer: ${head}`));
  const bodyEnd = headEnd + 4 + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  return {status, head, close: /^connection: *close/im.test(head), rest: bytes.subarray(bodyEnd)};
}

function answersIn(bytes) {
  const answers = [];
  for (let answer = takeAnswer(bytes); answer !== null; answer = takeAnswer(answer.rest)) {
    if (answer.status !== 100) answers.push(answer);
  }
  return answers;
}

// Sends `pieces` one after the other, then reads until the server closes: answers. With `finish` the client closes its side
// when all is sent.
async function exchange(weir, pieces, {finish = false} = {}) {
  const socket = net.connect({port: weir.port, host: '127.0.0.1', allowHalfOpen: true}).setNoDelay(true);
  const received = [];
  let failure = null;
  socket.on('data', bytes => received.push(bytes));
  socket.on('error', error => { failure = error; });
  socket.setTimeout(deadline_ms, () => socket.destroy(new Error(`not closed within ${deadline_ms} ms`)));
  const ended = Promise.race([once(socket, 'end'), once(socket, 'close')]).catch(() => {});
  await once(socket, 'connect');
  for (const piece of pieces) {
    await new Promise(resolve => socket.write(piece, resolve));  // a refusal may arrive first; its error is kept above
  }
  if (finish) socket.end();
  await ended;
  socket.destroy();
  if (failure !== null && !['ECONNRESET', 'EPIPE'].includes(failure.code)) throw failure;
  return answersIn(Buffer.concat(received));
}

function assertStatus(actual, expected) {
  const matches = expected.endsWith('xx') ? Math.floor(actual / 100) === Number(expected[0]) : actual === Number(expected);
  assert.ok(matches, `status ${actual}, not ${expected}`);
}

// A subtest each, some at once.
async function runAll(t, weir, cases, check) {
  const waiting = cases.values();  // shared, so that each takes the next
  const run = async () => {
    for (const document of waiting) await t.test(document.name, () => check(weir, document));
  };
  await Promise.all(Array.from({length: connectionsAtOnce}, run));
}

async function storedEvents(weir) {
  const {code, stdout, stderr} = await run(weir.t, weirBin, ['events', 'count', '--data', weir.data, '--json']);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout).count;
}

// The canary once in the same write, once in one of its own.
async function checkRefused(weir, {name, bytes, expect}) {
  const canary = signedRequest(name);
  for (const pieces of [[Buffer.concat([bytes, canary])], [bytes, canary]]) {
    const answers = await exchange(weir, pieces);
    assert.equal(answers.length, 1, `answers: ${answers.map(({status}) => status)}`);
    assertStatus(answers[0].status, expect.status);
    assert.ok(answers[0].close, 'the answer says that the connection closes');
  }
}

async function checkServed(weir, {name, bytes, expect}) {
  const answers = await exchange(weir, [Buffer.concat([bytes, signedRequest(name, 'Connection: close\r\n')])]);
  assert.ok(answers.length > 0, 'no answer');
  assertStatus(answers[0].status, expect.status);
  if (expect.keep_alive === 'no') assert.ok(answers[0].close, 'the answer says that the connection closes');
  assert.deepEqual(answers.slice(1).map(({status}) => status), answers[0].close ? [] : [202]);
  return !answers[0].close;
}

async function checkIncomplete(weir, {bytes}) {
  const answers = await exchange(weir, bytes.length === 0 ? [] : [bytes], {finish: true});
  for (const {status} of answers) assert.equal(Math.floor(status / 100), 4);
}

const cases = readCases('http');
const isRefused = ({expect}) => 'error' in expect || expect.status === '413';
const isIncomplete = ({expect}) => expect.status === 'none';

test('a refused request is answered once, and nothing behind it is looked at', async t => {
  const weir = await startWeir(t);
  await runAll(t, weir, cases.filter(isRefused), checkRefused);
  assert.equal(await storedEvents(weir), 0);
  assert.equal((await weir.stop()).code, 0);
});

test('a legal request is answered, and the next one on its connection is served', async t => {
  const weir = await startWeir(t);
  let canaries = 0;
  await runAll(t, weir, cases.filter(document => !isRefused(document) && !isIncomplete(document)), async (...given) => {
    canaries += Number(await checkServed(...given));
  });
  assert.ok(canaries > 0);
  assert.equal(await storedEvents(weir), canaries);
});

// Every read of the server ends behind every byte once. Too slow for the long ones, which the parser's own test cuts.
test('a request means the same a byte at a time', async t => {
  const weir = await startWeir(t);
  const short = cases.filter(document => !isIncomplete(document) && document.bytes.length <= 250);
  const chosen = process.env.WEIR_TEST_LONG ? short : short.filter((_, index) => index % 8 === 0);
  let canaries = 0;
  await runAll(t, weir, chosen, async (given, {name, bytes, expect}) => {
    const canary = signedRequest(name, 'Connection: close\r\n');
    const pieces = [...bytes].map(byte => Buffer.from([byte]));
    const answers = await exchange(given, [...pieces, canary]);
    assertStatus(answers[0]?.status, expect.status);
    if (answers[0].close) {
      assert.equal(answers.length, 1, 'nothing behind the last answer is looked at');
    } else {
      assert.deepEqual(answers.slice(1).map(({status}) => status), [202]);
      ++canaries;
    }
  });
  assert.equal(await storedEvents(weir), canaries);
});

test('a request whose sender resets stores nothing and takes nobody else along', async t => {
  const weir = await startWeir(t);
  const whole = signedRequest('reset');
  for (const length of [1, 40, whole.length - 20, whole.length - 1]) {
    const socket = net.connect({port: weir.port, host: '127.0.0.1'});
    await once(socket, 'connect');
    await new Promise(resolve => socket.write(whole.subarray(0, length), resolve));
    socket.resetAndDestroy();
  }
  const answers = await exchange(weir, [signedRequest('after', 'Connection: close\r\n')]);
  assert.deepEqual(answers.map(({status}) => status), [202]);
  assert.equal(await storedEvents(weir), 1);
});

test('a field that verification needs may not come twice', async t => {
  const weir = await startWeir(t);
  const twice = signedRequest('twice', 'Connection: close\r\nX-Acme-Signature: sha256=00\r\n');
  const answers = await exchange(weir, [twice]);
  assert.equal(Math.floor(answers[0].status / 100), 4);
  assert.equal(await storedEvents(weir), 0);
});

test('what a sender writes ends no line of the log and no field of an answer', async t => {
  const weir = await startWeir(t);
  const id = 'a\r\nX-Evil: 1\u001b[31m"\u0000b';
  const answers = [];
  for (const bytes of [signedRequest(id, 'Connection: close\r\n'),
    Buffer.from('GET /webhooks/%0d%0aX-Evil:%201 HTTP/1.1\r\nHost: weir\r\nConnection: close\r\n\r\n')]) {
    answers.push(...await exchange(weir, [bytes]));
  }
  assert.deepEqual(answers.map(({status}) => status), [202, 404]);
  assert.ok(answers.every(({head}) => !/^x-evil/im.test(head)));
  await weir.stop();
  for (const line of weir.running.stderr().split('\n')) {
    assert.ok(!/[\u0000-\u0008\u000b-\u001f]/.test(line), JSON.stringify(line));
    assert.ok(!line.startsWith('X-Evil'), line);
  }
});

test('a request that stops early stores nothing', async t => {
  const weir = await startWeir(t);
  await runAll(t, weir, cases.filter(isIncomplete), checkIncomplete);
  assert.equal(await storedEvents(weir), 0);
  assert.equal(await weir.isReady(), true);
});

test('a signed request cut at any byte is accepted', async t => {
  const weir = await startWeir(t);
  const bytes = id => signedRequest(id, 'Connection: close\r\n');
  const cuts = Array.from({length: bytes('cut-000').length - 1}, (_, at) => at + 1);
  const next = cuts[Symbol.iterator]();
  await Promise.all(Array.from({length: connectionsAtOnce}, async () => {
    for (const cut of next) {
      const request = bytes(`cut-${String(cut).padStart(3, '0')}`);
      const answers = await exchange(weir, [request.subarray(0, cut), request.subarray(cut)]);
      assert.deepEqual(answers.map(({status}) => status), [202], `cut after byte ${cut}`);
    }
  }));
  assert.equal(await storedEvents(weir), cuts.length);
});
