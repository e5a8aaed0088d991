// weir-bench against small servers of known behaviour: what it reports must be what they did.
import assert from 'node:assert/strict';
import {once} from 'node:events';
import {readFile} from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';

import {freePort, run, start, temporaryDirectory, waitFor, weirBenchBin} from '../support/weir_process.mjs';

const secret = 'whsec_bench_test';
const stallingServer = path.join(path.dirname(fileURLToPath(import.meta.url)), '../support/stalling_server.mjs');

function bench(t, port, ...args) {
  const kind = args.includes('--kind') ? [] : ['--kind', 'stripe'];
  return run(t, weirBenchBin, ['--url', `http://127.0.0.1:${port}/webhooks/test`, ...kind, '--secret', secret, ...args]);
}

async function report(t, port, ...args) {
  const file = path.join(await temporaryDirectory(t), 'report.json');
  const result = await bench(t, port, '--json', file, ...args);
  assert.notEqual(result.code, 2, result.stderr);
  return {...result, figures: JSON.parse(await readFile(file, 'utf8'))};
}

// Resolves with the port of a server that hands each whole request to `answer(body, outgoing, incoming)`.
async function serveBodies(t, answer) {
  const server = http.createServer((incoming, outgoing) => {
    const chunks = [];
    incoming.on('data', bytes => chunks.push(bytes));
    incoming.on('end', () => answer(Buffer.concat(chunks).toString(), outgoing, incoming));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { server.closeAllConnections(); server.close(); });
  return server.address().port;
}

// The same for bodies of one event: `answer(id, outgoing, incoming, body)`.
const serve = (t, answer) =>
  serveBodies(t, (body, outgoing, incoming) => answer(JSON.parse(body).id, outgoing, incoming, body));

async function startStalling(t, period_ms, stall_ms) {
  const child = start(t, process.execPath, [stallingServer, String(period_ms), String(stall_ms)], {stdin: 'pipe'});
  await waitFor('the server says its port', () => child.stdout().includes('\n'));
  return Number(child.stdout());
}

const acked = async file => (await readFile(file, 'utf8')).split('\n').filter(line => line !== '');

test('an open loop shows a stall of the server in its p99, a closed loop hides it', async t => {
  const port = await startStalling(t, 1000, 200);
  const open = await report(t, port, '--rate', '500', '--arrivals', 'constant', '--connections', '4', '--duration', '4s');
  assert.ok(open.figures.response_ms.p99 > 150, `open loop p99 ${open.figures.response_ms.p99} ms`);
  assert.ok(open.figures.response_ms.p99 > 10 * open.figures.response_ms.p50);

  // The same server and four connections: each stall spoils four of some thousand answers.
  const closed = await report(t, port, '--connections', '4', '--duration', '4s', '--ahead', '20000');
  assert.ok(closed.figures.response_ms.max > 150, `closed loop max ${closed.figures.response_ms.max} ms`);
  assert.ok(closed.figures.response_ms.p99 < open.figures.response_ms.p99);
});

test('requests that wait for a free connection count from when they were due', async t => {
  const port = await serve(t, (id, outgoing) => setTimeout(() => outgoing.end(), 50));
  // One connection carries 20/s at most; 40/s are due. The last one due at 1 s is answered after about 2 s.
  const {figures} = await report(t, port, '--rate', '40', '--arrivals', 'constant', '--connections', '1', '--duration', '1s');
  assert.equal(figures.sent + figures.unsent, 40);
  assert.ok(figures.service_ms.p50 < 500, `service p50 ${figures.service_ms.p50} ms`);
  assert.ok(figures.response_ms.max > 900, `response max ${figures.response_ms.max} ms`);
});

test('the ledger has the ids the server acked, and no others', async t => {
  const acceptedByServer = [];
  let seen = 0;
  const port = await serve(t, (id, outgoing) => {
    outgoing.statusCode = ++seen % 3 === 0 ? 503 : 202;
    if (outgoing.statusCode === 202) acceptedByServer.push(id);
    outgoing.end('{}');
  });
  const ledger = path.join(await temporaryDirectory(t), 'acked.txt');
  const {code, figures} = await report(t, port, '--count', '1000', '--connections', '8', '--threads', '2', '--ledger', ledger);
  assert.deepEqual((await acked(ledger)).sort(), acceptedByServer.sort());
  assert.equal(new Set(acceptedByServer).size, acceptedByServer.length, 'ids are unique');
  assert.deepEqual(figures.statuses, {202: acceptedByServer.length, 503: 1000 - acceptedByServer.length});
  assert.equal(figures.unexpected, 1000 - acceptedByServer.length);
  assert.equal(code, 1);
});

test('with --batch a request carries that many events, and the ledger has the id of each', async t => {
  const ids = [];
  const port = await serveBodies(t, (body, outgoing) => {
    ids.push(...JSON.parse(body).events.map(event => event.id));
    outgoing.end();
  });
  const ledger = path.join(await temporaryDirectory(t), 'acked.txt');
  const {code, figures} = await report(t, port, '--kind', 'gocardless', '--batch', '7', '--count', '20', '--ledger', ledger);
  assert.equal(code, 0);
  assert.equal(figures.answered, 20);
  assert.equal(new Set(ids).size, 140);
  assert.deepEqual((await acked(ledger)).sort(), ids.sort());
});

test('a kind without batches refuses --batch', async t => {
  const port = await serve(t, () => {});
  const {code, stderr} = await bench(t, port, '--batch', '2', '--count', '1');
  assert.equal(code, 2);
  assert.match(stderr, /--batch: a request of kind stripe carries one event/);
});

test('a mix of duplicate, invalid and stale requests is counted by class', async t => {
  const known = new Set();
  const now_s = Date.now() / 1000;
  const port = await serve(t, (id, outgoing, incoming) => {
    const signed_at_s = Number(/t=(\d+)/.exec(incoming.headers['stripe-signature'])[1]);
    outgoing.statusCode = now_s - signed_at_s > 3600 ? 400 : known.has(id) ? 200 : 202;
    if (outgoing.statusCode !== 400) known.add(id);
    outgoing.end();
  });
  const {code, figures} =
    await report(t, port, '--count', '2000', '--connections', '1', '--duplicates', '0.2', '--stale', '0.1', '--invalid', '0.1');
  assert.equal(figures.classes.duplicate[200], Object.values(figures.classes.duplicate)[0]);
  assert.ok(figures.classes.duplicate[200] > 300 && figures.classes.duplicate[200] < 500);
  assert.ok(figures.classes.stale[400] > 130 && figures.classes.stale[400] < 270);
  // This server does not verify, so what was made invalid was accepted, and that is what must be reported.
  assert.equal(figures.unexpected, figures.classes.invalid[202]);
  assert.equal(code, 1);
});

test('a server that dies and comes back is found again, and nothing acked is forgotten', async t => {
  const port = await freePort();
  const ackedByServer = new Set();
  let server;
  const listen = () => {
    server = http.createServer((incoming, outgoing) => {
      const chunks = [];
      incoming.on('data', bytes => chunks.push(bytes));
      incoming.on('end', () => outgoing.end('{}', () => ackedByServer.add(JSON.parse(Buffer.concat(chunks)).id)));
    });
    server.listen(port, '127.0.0.1');
    return once(server, 'listening');
  };
  await listen();
  t.after(() => { server.closeAllConnections(); server.close(); });
  const directory = await temporaryDirectory(t);
  const ledger = path.join(directory, 'acked.txt');
  const running = report(t, port, '--duration', '3s', '--rate', '500', '--connections', '8', '--ledger', ledger, '--reconnect', '20s');
  for (let crash = 0; crash < 3; ++crash) {
    const before = ackedByServer.size;
    await waitFor('the load goes on', () => ackedByServer.size > before + 20);
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
    await listen();
  }
  const {figures} = await running;
  const lines = await acked(ledger);
  assert.equal(lines.length, figures.answered);
  for (const id of lines) assert.ok(ackedByServer.has(id));
  assert.ok(figures.connections_reopened > 0);  // lost ones with a request out are counted apart, and there may be none
  assert.equal(figures.connections_given_up, 0);
  assert.equal(figures.unanswered + figures.answered, figures.sent);
});

test('with --resend a request whose connection was lost is sent again under its id', async t => {
  const times = new Map();
  const port = await serve(t, (id, outgoing, incoming) => {
    times.set(id, (times.get(id) ?? 0) + 1);
    if (times.get(id) === 1) incoming.socket.destroy();
    else outgoing.end();
  });
  const {code, figures} = await report(t, port, '--count', '50', '--connections', '5', '--resend');
  assert.equal(code, 0);
  assert.equal(figures.answered, 50);
  assert.equal(figures.resent, 50);
  assert.ok([...times.values()].every(count => count === 2));
});

test('a server that closes after each answer is no error', async t => {
  const port = await serve(t, (id, outgoing) => outgoing.setHeader('Connection', 'close').end('ok'));
  const {code, figures} = await report(t, port, '--count', '100', '--connections', '4');
  assert.equal(code, 0);
  assert.equal(figures.answered, 100);
  assert.ok(figures.connections_reopened >= 96);
  assert.equal(figures.connections_lost, 0);
});

test('with --requests-per-connection each socket carries that many requests and a new one follows', async t => {
  const carried = new Map();
  const port = await serve(t, (id, outgoing, incoming) => {
    carried.set(incoming.socket, (carried.get(incoming.socket) ?? 0) + 1);
    outgoing.end();
  });
  const {code, figures} = await report(t, port, '--count', '20', '--connections', '1', '--requests-per-connection', '5');
  assert.equal(code, 0);
  assert.deepEqual([...carried.values()], [5, 5, 5, 5]);
  assert.equal(figures.connections_used_up, 4);
  assert.equal(figures.connections_reopened, 0);
});

test('answers without a length, in chunks and in pieces are read', async t => {
  let turn = 0;
  const port = await serve(t, (id, outgoing) => {
    const kind = turn++ % 3;
    if (kind === 0) { outgoing.write('chunk'); outgoing.end('ed'); }
    if (kind === 1) { outgoing.statusCode = 204; outgoing.end(); }
    if (kind === 2) {
      const {socket} = outgoing;
      socket.write('HTTP/1.1 200 OK\r\nContent-Le');
      setImmediate(() => { socket.write('ngth: 4\r\n\r\nlate'); outgoing.detachSocket(socket); outgoing.destroy(); });
    }
  });
  const {figures} = await report(t, port, '--count', '2', '--connections', '1');
  assert.deepEqual(figures.statuses, {200: 1, 204: 1});
  turn = 2;
  const piecewise = await report(t, port, '--count', '1', '--connections', '1');
  assert.deepEqual(piecewise.figures.statuses, {200: 1});
});

test('a body larger than the socket buffers arrives whole', async t => {
  const sizes = [];
  const port = await serve(t, (id, outgoing, incoming, body) => { sizes.push(body.length); outgoing.end(); });
  const {code, figures} = await report(t, port, '--count', '40', '--connections', '8', '--payload', '4MiB', '--ahead', '40');
  assert.equal(code, 0);
  assert.equal(figures.answered, 40);
  assert.ok(sizes.every(size => size >= 4 * 1024 * 1024));
});

test('a request that is never answered is given up and counted with the time it waited', async t => {
  const port = await serve(t, () => {});
  const {code, figures} = await report(t, port, '--count', '4', '--connections', '2', '--timeout', '300ms');
  assert.equal(code, 1);
  assert.equal(figures.timeouts, 4);
  assert.equal(figures.unanswered, 4);
  assert.ok(figures.response_ms.p50 >= 300);
});

test('what is not HTTP is counted as malformed', async t => {
  const server = net.createServer(socket => { socket.on('error', () => {}); socket.once('data', () => socket.write('NOT HTTP AT ALL\r\n\r\n')); });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const {code, figures} = await report(t, server.address().port, '--count', '3', '--connections', '1');
  assert.equal(code, 1);
  assert.equal(figures.malformed, 3);
});

test('SIGTERM ends the sending and still reports and writes the ledger', async t => {
  const ackedByServer = new Set();
  const port = await serve(t, (id, outgoing) => outgoing.end('{}', () => ackedByServer.add(id)));
  const ledger = path.join(await temporaryDirectory(t), 'acked.txt');
  const child = start(t, weirBenchBin, ['--url', `http://127.0.0.1:${port}/`, '--kind', 'stripe', '--secret', secret,
    '--duration', '10m', '--rate', '200', '--ledger', ledger]);
  await waitFor('the load runs', () => ackedByServer.size > 50);
  child.process.kill('SIGTERM');
  assert.deepEqual(await child.exited, {code: 0, signal: null});
  assert.match(child.stdout(), /achieved/);
  assert.equal((await acked(ledger)).length, ackedByServer.size);
});

test('exit codes tell usage from an unreachable server', async t => {
  assert.equal((await run(t, weirBenchBin, ['--url', 'http://127.0.0.1:1/'])).code, 2);
  assert.equal((await bench(t, 1, '--kind')).code, 2);
  assert.equal((await run(t, weirBenchBin, ['--help'])).code, 0);
  const unreachable = await bench(t, await freePort(), '--count', '1', '--reconnect', '100ms');
  assert.equal(unreachable.code, 3);
  assert.match(unreachable.stderr, /not reachable/);
  const unknown = await run(t, weirBenchBin, ['--url', 'http://127.0.0.1:1/', '--kind', 'nobody', '--secret', secret]);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /there is no kind "nobody"/);
});

test('the page with charts needs nothing from the network', async t => {
  const port = await serve(t, (id, outgoing) => outgoing.end());
  const file = path.join(await temporaryDirectory(t), 'report.html');
  assert.equal((await bench(t, port, '--count', '200', '--html', file)).code, 0);
  const page = await readFile(file, 'utf8');
  assert.doesNotMatch(page, /(src|href)\s*=|@import|url\(|fetch\(|XMLHttpRequest/);
  const data = JSON.parse(/<script id="data" type="application\/json">([\s\S]*?)<\/script>/.exec(page)[1]);
  assert.equal(data.answered, 200);
});
