// Stopping ends, whatever clients, the admin's clients, sinks and the reader of the log do; and signals that are not meant for
// it end nothing.
import assert from 'node:assert/strict';
import {once} from 'node:events';
import {rename, readFile, rm} from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import {test} from 'node:test';

import {stripeEvent} from '../support/stripe_event.mjs';
import {atEnd, request, run, start, temporaryDirectory, waitFor, Weir, weirBin} from '../support/weir_process.mjs';

const secret = 'whsec_stopping';

// Takes connections, reads, and never says anything.
async function silentServer(t) {
  const sockets = [];
  const server = net.createServer(socket => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, () => {
    sockets.forEach(socket => socket.destroy());
    server.close();
  });
  return {port: server.address().port, sockets};
}

async function connectTo(t, target, bytes) {
  const socket = net.connect(target);
  socket.on('error', () => {});
  await once(socket, 'connect');
  atEnd(t, () => socket.destroy());
  socket.pause();
  if (bytes) socket.write(bytes);
  return socket;
}

async function makeWeir(t, {drain = '1s', sinkPort = 9} = {}) {
  const directory = await temporaryDirectory(t);
  return new Weir(t, {directory, server: `threads = 1\ndrain_timeout = "${drain}"`, configure: () => `
[[source]]
name = "stripe"
kind = "stripe"
secrets_insecure = ["${secret}"]
[[sink]]
name = "hung"
kind = "http"
url = "http://127.0.0.1:${sinkPort}/"
timeout = "1h"
[[route]]
source = "*"
sink = "hung"
`});
}

async function send(weir, id) {
  const {headers, body} = stripeEvent(secret, id);
  return (await request(`${weir.url}/webhooks/stripe`, {method: 'POST', headers, body})).status;
}

function ended(weir, within_ms) {
  let how = null;
  weir.running.exited.then(value => { how = value; });
  return waitFor('weir has ended', () => how, {deadline_ms: within_ms});
}

// Standard error is a pipe that is full and that nobody reads.
async function startMute(t, weir) {
  await weir.launch();
  weir.running.process.kill('SIGKILL');
  await weir.running.exited;
  const script = 'mkfifo "$0"; exec 3<>"$0"; dd if=/dev/zero bs=4096 count=16 >&3 2>/dev/null; exec "$@" 2>&3';
  weir.running = start(t, 'bash', ['-c', script, path.join(weir.directory, 'mute'), weirBin, 'serve', '--config', weir.configFile]);
  return weir.ready();
}

test('a hung sink, admin clients that send or read nothing and a full stderr pipe do not hold up the end', async t => {
  const sink = await silentServer(t);
  const weir = await startMute(t, await makeWeir(t, {sinkPort: sink.port}));
  assert.equal(await send(weir, 'evt_1'), 202);
  await waitFor('the sink has been asked', () => sink.sockets.length > 0);
  await connectTo(t, {port: weir.adminPort, host: '127.0.0.1'});
  await connectTo(t, {path: path.join(weir.data, 'admin.sock')});
  await connectTo(t, {port: weir.adminPort, host: '127.0.0.1'}, 'GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2000));
  await connectTo(t, {port: weir.port, host: '127.0.0.1'}, 'POST /webhooks/stripe HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc');
  weir.running.process.kill('SIGTERM');
  assert.deepEqual(await ended(weir, 2_000), {code: 0, signal: null});
  const verified = start(t, weirBin, ['verify', '--data', weir.data]);
  assert.equal((await verified.exited).code, 0, verified.stdout() + verified.stderr());
});

test('a second SIGTERM or SIGINT ends a drain at once, and what was acked is there', async t => {
  for (const second of ['SIGTERM', 'SIGINT']) {
    const sink = await silentServer(t);
    const weir = await (await makeWeir(t, {drain: '1h', sinkPort: sink.port})).start();
    assert.equal(await send(weir, `evt_${second}`), 202);
    await waitFor('the sink has been asked', () => sink.sockets.length > 0);
    weir.running.process.kill('SIGTERM');
    await waitFor('it drains', () => weir.running.stderr().includes('"msg":"draining"'));
    assert.equal(weir.running.process.exitCode, null);
    weir.running.process.kill(second);
    assert.deepEqual(await ended(weir, 5_000), {code: 0, signal: null});
    const listed = start(t, weirBin, ['events', 'list', '--data', weir.data]);
    await listed.exited;
    assert.match(listed.stdout(), new RegExp(`evt_${second}`));
  }
});

test('signals that are not meant for it end nothing', async t => {
  const weir = await (await makeWeir(t)).start();
  const realtime = [34, 50, 64];
  for (const signal of ['SIGUSR2', 'SIGPIPE', 'SIGXFSZ', 'SIGXCPU', 'SIGALRM', 'SIGVTALRM', 'SIGPROF', 'SIGIO', 'SIGPWR', 'SIGSTKFLT',
    'SIGUSR1', ...realtime]) {
    process.kill(weir.running.process.pid, signal);
    assert.equal(await send(weir, `evt_${signal}`), 202, signal);
  }
  assert.deepEqual(await weir.stop(), {code: 0, signal: null});
});

test('SIGUSR1 opens a log that was moved away anew', async t => {
  const weir = await makeWeir(t);
  await weir.launch();
  weir.running.process.kill('SIGKILL');
  await weir.running.exited;
  const log = path.join(weir.directory, 'weir.log');
  weir.running = start(t, 'bash', ['-c', 'exec "$@" 2>>"$0"', log, weirBin, 'serve', '--config', weir.configFile]);
  await weir.ready();
  await waitFor('its first lines', async () => (await readFile(log, 'utf8')).includes('"msg":"listening"'));
  await rename(log, `${log}.1`);
  weir.running.process.kill('SIGUSR1');
  await waitFor('the new file has a line', async () => (await readFile(log, 'utf8').catch(() => '')).includes('log opened again'));
  assert.match(await readFile(`${log}.1`, 'utf8'), /listening/, 'the old one keeps its lines');
  await weir.stop();
  assert.match(await readFile(log, 'utf8'), /"msg":"stopped"/);
});

test('a pipe where the log or the configuration was is not waited for', async t => {
  const weir = await makeWeir(t);
  await weir.launch();
  weir.running.process.kill('SIGKILL');
  await weir.running.exited;
  const log = path.join(weir.directory, 'weir.log');
  weir.running = start(t, 'bash', ['-c', 'exec "$@" 2>>"$0"', log, weirBin, 'serve', '--config', weir.configFile]);
  await weir.ready();
  for (const file of [log, weir.configFile]) {
    await rm(file);
    assert.equal((await run(t, 'mkfifo', [file])).code, 0);
  }
  weir.running.process.kill('SIGUSR1');
  const reload = await weir.command('reload');
  assert.equal(reload.code, 2);
  assert.match(reload.stderr, /weir\.toml: is no regular file/);
  assert.deepEqual(await weir.stop(), {code: 0, signal: null});
});
