// What this machine lacks (descriptors, memory, threads, addresses) is a refusal or a wait, never the end of the process and
// never an attempt of a sink.
import assert from 'node:assert/strict';
import {once} from 'node:events';
import {readFile} from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import {test} from 'node:test';

import {stripeEvent} from '../support/stripe_event.mjs';
import {atEnd, longRun, request, run, start, temporaryDirectory, waitFor, Weir, weirBin} from '../support/weir_process.mjs';

const secret = 'whsec_shortage';
const source = `
[[source]]
name = "stripe"
kind = "stripe"
secrets_insecure = ["${secret}"]
`;

async function makeWeir(t, further = '') {
  return new Weir(t, {directory: await temporaryDirectory(t), server: 'threads = 1', configure: () => source + further});
}

// Starts it under a limit of the shell, after its configuration was written.
async function launchUnder(t, weir, limit) {
  await weir.launch();
  weir.running.process.kill('SIGKILL');
  await weir.running.exited;
  weir.running = start(t, 'bash', ['-c', `${limit} && exec "$@"`, 'bash', weirBin, 'serve', '--config', weir.configFile]);
  return weir;
}

function post(weir, id, agent) {
  const {headers, body} = stripeEvent(secret, id);
  return request(`${weir.url}/webhooks/stripe`, {method: 'POST', headers, body, agent});
}

test('too few descriptors, address space or both are refused at the start with a sentence', async t => {
  for (const limit of ['ulimit -n 20', 'ulimit -n 40', 'ulimit -n 64', 'ulimit -v 150000', 'ulimit -v 250000', 'ulimit -v 400000']) {
    const weir = await launchUnder(t, await makeWeir(t), limit);
    const {code, signal} = await weir.running.exited;
    assert.equal(signal, null, `${limit}: ${weir.running.stderr()}`);
    assert.ok(code === 1 || code === 2, `${limit}: ${code}`);
    assert.match(weir.running.stderr(), /raise the limit|memory/, limit);
  }
});

test('idle connections never take a descriptor from the store, nor a place from who sends', async t => {
  const weir = await launchUnder(t, await makeWeir(t), 'ulimit -n 160');
  await weir.ready();
  const limit = await weir.metric('weir_connections_max');
  assert.ok(limit > 0 && limit < 160, String(limit));
  const agent = new http.Agent({keepAlive: true, maxSockets: 1});
  atEnd(t, () => agent.destroy());
  let idle = 0;
  for (let i = 0; i < 200; ++i) {
    const socket = net.connect(weir.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('close', () => --idle);
    socket.resume();
    await once(socket, 'connect');
    ++idle;
    atEnd(t, () => socket.destroy());
    assert.equal((await post(weir, `evt_${i}`, agent)).status, 202);
  }
  assert.ok(idle <= limit + 64, `${idle} are open`);
  assert.ok(await weir.metric('weir_connections_displaced_total') >= 200 - limit);
  assert.equal(await weir.metric('weir_connections_refused_total', {reason: 'descriptors'}), 0);
  await waitFor('it is said', () => weir.running.stderr().includes('no room for further connections'));
  assert.deepEqual(await weir.stop(), {code: 0, signal: null});
});

test('a sink whose host has no address waits without an attempt, and nothing is dead', async t => {
  const weir = await makeWeir(t, `
[[sink]]
name = "nowhere"
kind = "http"
url = "http://no-such-host.invalid/"
retry = { attempts = 1, first = "1ms", factor = 1, max = "1ms" }
breaker = { failures = 1 }
[[route]]
source = "*"
sink = "nowhere"
`);
  await weir.start();
  assert.equal((await post(weir, 'evt_1')).status, 202);
  await waitFor('it was put off', async () => await weir.metric('weir_sink_shortage_total', {sink: 'nowhere'}) > 0);
  assert.equal(await weir.metric('webhook_dead_lettered_total', {sink: 'nowhere'}), 0);
  assert.equal(await weir.metric('webhook_failed_total', {sink: 'nowhere'}), 0);
  assert.match(weir.running.stderr(), /an attempt could not be made and costs none.*no-such-host/);
  assert.deepEqual(await weir.stop(), {code: 0, signal: null});
});

// Injects into the calls of a running weir until the returned function is called.
async function inject(t, weir, calls, how, paths = []) {
  const tracer = start(t, 'strace', ['-f', '-o', '/dev/null', '-p', String(weir.pid), ...paths.flatMap(p => ['-P', p]),
    '-e', `trace=${calls}`, '-e', `inject=${calls}:${how}`]);
  await waitFor('strace is attached', () => {
    if (tracer.process.exitCode !== null) throw new Error(`strace ended: ${tracer.stderr()}`);
    return tracer.stderr().includes('attached');
  });
  return async (signal = 'SIGINT') => {
    tracer.process.kill(signal);
    await tracer.exited;
  };
}

test('a disk that does not answer is told to who waits and who comes, and it comes back by itself', async t => {
  const weir = await makeWeir(t);
  await weir.start();
  assert.equal((await post(weir, 'evt_before')).status, 202);
  const mend = await inject(t, weir, 'fdatasync', 'delay_enter=8s');
  const waiting = await post(weir, 'evt_waiting');
  assert.equal(waiting.status, 503);
  assert.ok(waiting.headers['retry-after']);
  assert.equal(await weir.isReady(), false);
  assert.equal((await post(weir, 'evt_new')).status, 503);
  await mend();
  await waitFor('it is ready again', () => weir.isReady());
  assert.equal((await post(weir, 'evt_after')).status, 202);
  const again = await post(weir, 'evt_waiting');
  assert.ok(again.status === 200 || again.status === 202);
  assert.deepEqual(await weir.stop(), {code: 0, signal: null});
});

test('a kernel without memory for the ring is waited for', async t => {
  const weir = await makeWeir(t);
  await weir.start();
  const mend = await inject(t, weir, 'io_uring_enter', `error=ENOMEM:when=1..${longRun ? 2000 : 200}`);
  await waitFor('requests are taken', async () => {
    try {
      return (await post(weir, 'evt_1')).status < 300;
    } catch {
      return false;
    }
  });
  await mend();
  assert.equal((await post(weir, 'evt_2')).status, 202);
  assert.deepEqual(await weir.stop(), {code: 0, signal: null});
});

test('a disk that does not even say what room it has makes nobody wait for the answer', async t => {
  const weir = await makeWeir(t);
  await weir.start();
  const mend = await inject(t, weir, 'statfs', 'delay_enter=60s');
  await waitFor('it is said', async () => {
    const {body} = await request(`${weir.adminUrl}/readyz`);
    return /disk: it has not said for \d+ s how much room it has/.test(body);
  });
  assert.equal((await post(weir, 'evt_1')).status, 202);
  const {stdout} = await weir.command('status');
  assert.match(stdout, /it has not said/);
  const stopped = weir.stop();
  await waitFor('it has stopped', () => weir.running.stderr().includes('"msg":"stopped"'));
  await mend('SIGKILL');  // a process that is traced is not gone before its tracer has seen it, and that one waits
  assert.deepEqual(await stopped, {code: 0, signal: null});
});

test('a reload whose new sink gets no thread is refused, and the next one is taken', async t => {
  const weir = await makeWeir(t);
  await weir.start();
  const file = `
[[sink]]
name = "late"
kind = "file"
path = "${weir.directory}/late.ndjson"
[[route]]
source = "*"
sink = "late"
`;
  weir.configure = () => source + file;
  await weir.writeConfiguration();
  const mend = await inject(t, weir, 'clone3,clone', 'error=EAGAIN');
  const refused = await weir.command('reload');
  assert.equal(refused.code, 2, refused.stderr + weir.running.stderr());
  assert.match(refused.stderr + refused.stdout, /no thread "sink-late" can be started.*raise the limit/);
  assert.equal((await post(weir, 'evt_1')).status, 202);
  await mend();
  assert.equal((await weir.command('reload')).code, 0);
  assert.equal((await post(weir, 'evt_2')).status, 202);
  await waitFor('the new sink delivers', async () => await weir.metric('webhook_processed_total', {sink: 'late'}) === 1);
  assert.deepEqual(await weir.stop(), {code: 0, signal: null});
});

test('a store that gets no descriptor for its next file waits for one', async t => {
  const weir = new Weir(t, {directory: await temporaryDirectory(t), configure: () => source,
    server: 'threads = 1\n[server.limits]\nmin_free_disk = "64MiB"'});  // memtables of 8 MiB
  await weir.start();
  const agent = new http.Agent({keepAlive: true, maxSockets: 1});
  atEnd(t, () => agent.destroy());
  assert.equal((await post(weir, 'evt_first', agent)).status, 202);
  const limit = async descriptors => {
    const {code, stderr} = await run(t, 'prlimit', [`--pid=${weir.pid}`, `--nofile=${descriptors}:20000`]);
    assert.equal(code, 0, stderr);
  };
  await limit(3);
  const answers = new Map();
  for (let i = 0; i < 16; ++i) {
    const {headers, body} = stripeEvent(secret, `evt_${i}`, {padding: 900_000});
    const {status} = await request(`${weir.url}/webhooks/stripe`, {method: 'POST', headers, body, agent});
    answers.set(status, (answers.get(status) ?? 0) + 1);
    if (status === 503) break;
  }
  assert.ok(answers.get(503) > 0, JSON.stringify([...answers]));
  await limit(1000);
  await waitFor('events are stored again', async () => (await post(weir, 'evt_after', agent)).status < 300);
  assert.deepEqual(await weir.stop(), {code: 0, signal: null});
  assert.equal((await weir.command('verify')).code, 0);
});

test('a server without memory refuses, and goes on when there is some again', async t => {
  const weir = await makeWeir(t, `
[[sink]]
name = "archive"
kind = "file"
path = "archive.ndjson"
[[route]]
source = "*"
sink = "archive"
`);
  await weir.start();
  const agent = new http.Agent({keepAlive: true, maxSockets: 4});
  atEnd(t, () => agent.destroy());
  const limit = async bytes => {
    const {code, stderr} = await run(t, 'prlimit', [`--pid=${weir.pid}`, `--as=${bytes}:unlimited`]);
    assert.equal(code, 0, stderr);
  };
  const size = Number(/VmSize:\s+(\d+) kB/.exec(await readFile(`/proc/${weir.pid}/status`, 'utf8'))[1]) * 1024;
  await limit(size + 4 * 1024 * 1024);
  let acked = 0;
  let refused = 0;
  for (let round = 0; round < 100 && refused < 20; ++round) {
    await Promise.all(Array.from({length: 4}, (_, i) => {
      const {headers, body} = stripeEvent(secret, `evt_${round}_${i}`, {padding: 900_000});
      return request(`${weir.url}/webhooks/stripe`, {method: 'POST', headers, body, agent})
        .then(answer => answer.status === 202 ? ++acked : ++refused, () => ++refused);
    }));
  }
  assert.ok(refused > 0, 'the limit was never met');
  assert.equal(weir.running.process.exitCode ?? weir.running.process.signalCode, null, weir.running.stderr());
  await limit('unlimited');
  await waitFor('events are taken again', async () => {
    try {
      return (await post(weir, 'evt_after')).status < 300;
    } catch {
      return false;
    }
  });
  ++acked;
  await waitFor('all are delivered', async () => {
    const processed = await weir.metric('webhook_processed_total', {sink: 'archive'});
    return processed >= acked;
  });
  assert.equal(await weir.metric('webhook_dead_lettered_total', {sink: 'archive'}), 0);
  assert.deepEqual(await weir.stop(), {code: 0, signal: null});
});

test('questions of operators without memory are refused or wait, and end nothing', async t => {
  const weir = await makeWeir(t);
  await weir.start();
  for (let i = 0; i < 20; ++i) assert.equal((await post(weir, `evt_${i}`)).status, 202);
  const size = Number(/VmSize:\s+(\d+) kB/.exec(await readFile(`/proc/${weir.pid}/status`, 'utf8'))[1]) * 1024;
  for (const room of [0, 300_000, 500_000, 700_000]) {
    const {code, stderr} = await run(t, 'prlimit', [`--pid=${weir.pid}`, `--as=${size + room}:unlimited`]);
    assert.equal(code, 0, stderr);
    const commands = ['events list', 'status', 'metrics', 'reload'].map(words =>
      words === 'metrics' ? request(`${weir.adminUrl}/metrics`, {deadline_ms: 2_000}).catch(() => {})
        : run(t, weirBin, [...words.split(' '), '--data', weir.data], {deadline_ms: 2_000}));
    await Promise.all(commands);
    assert.equal(weir.running.process.exitCode ?? weir.running.process.signalCode, null, weir.running.stderr());
  }
  assert.equal((await run(t, 'prlimit', [`--pid=${weir.pid}`, '--as=unlimited:unlimited'])).code, 0);
  await waitFor('it answers again', () => weir.isReady());
  assert.equal((await weir.command('status')).code, 0);
  assert.equal((await weir.command('reload')).code, 0);
  assert.deepEqual(await weir.stop(), {code: 0, signal: null});
});
