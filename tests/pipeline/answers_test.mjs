// Every document of tests/cases/answers, given by a sink to a running server: what says 2xx in its status line settles its
// event at the first attempt, what says anything else or nothing does not.
import assert from 'node:assert/strict';
import {createHmac} from 'node:crypto';
import {once} from 'node:events';
import net from 'node:net';
import {test} from 'node:test';

import {readCases} from '../support/http_cases.mjs';
import {atEnd, request, temporaryDirectory, waitFor, Weir} from '../support/weir_process.mjs';

const secret = 'answers-secret';
const cases = readCases('answers');
const settles = ({expect}) => /^2\d\d$/.test(expect.status);

// Answers each event with the bytes of the document that its id names, and counts how often it was asked.
class DocumentSink {
  attempts = new Map();
  connections = 0;

  async listen(t) {
    const server = net.createServer(socket => this.#serve(socket));
    const sockets = new Set();
    server.on('connection', socket => { sockets.add(socket); socket.on('close', () => sockets.delete(socket)); });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.url = `http://127.0.0.1:${server.address().port}/`;
    atEnd(t, () => { for (const socket of sockets) socket.destroy(); server.close(); });
    return this;
  }

  #serve(socket) {
    ++this.connections;
    let received = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', bytes => {
      received = Buffer.concat([received, bytes]);
      for (let end; (end = received.indexOf('\r\n\r\n')) >= 0;) {
        const head = received.subarray(0, end).toString('latin1');
        const size = end + 4 + Number(/^content-length: (\d+)/im.exec(head)[1]);
        if (received.length < size) return;
        const id = JSON.parse(received.subarray(end + 4, size).toString()).id;
        received = received.subarray(size);
        this.attempts.set(id, (this.attempts.get(id) ?? 0) + 1);
        const document = cases.find(({name}) => name === id);
        socket.write(document.bytes);
        if (document.expect.ends === 'with the connection') socket.end();
      }
    });
  }
}

test('a status line is believed whatever its answer looks like', async t => {
  const sink = await new DocumentSink().listen(t);
  const weir = await new Weir(t, {directory: await temporaryDirectory(t), configure: () => `
[[source]]
name = "acme"
kind = "custom"
secrets_insecure = ["${secret}"]
[source.scheme]
algorithm = "hmac-sha256"
signature = { header = "X-Acme-Signature", encoding = "hex" }
signed = "{body}"
event_id = { json = "/id" }
event_type = { json = "/type" }
[[sink]]
name = "documents"
kind = "http"
url = "${sink.url}"
timeout = "20s"
concurrency = 8
retry = { attempts = 1 }
breaker = { failures = 1000, open = "1s" }
[[route]]
source = "*"
sink = "documents"
`}).start();
  for (const {name} of cases) {
    const body = JSON.stringify({id: name, type: 'answer'});
    const headers = {'x-acme-signature': createHmac('sha256', secret).update(body).digest('hex')};
    assert.equal((await request(`${weir.url}/webhooks/acme`, {method: 'POST', headers, body})).status, 202);
  }
  await waitFor('every event is settled or dead', async () =>
    await weir.metric('webhook_processed_total', {sink: 'documents'}) + await weir.metric('webhook_dlq_size', {sink: 'documents'}) === cases.length);
  const {stdout} = await weir.command('dlq list', '--json', '--limit', '1000');
  const dead = new Set([...stdout.matchAll(/"id":\s*"([^"]*)"/g)].map(([, id]) => id));
  for (const document of cases) {
    await t.test(document.name, () => {
      assert.equal(sink.attempts.get(document.name), 1);
      assert.equal(dead.has(document.name), !settles(document));
    });
  }
});
