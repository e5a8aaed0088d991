// Bounds of engine/limits.h that only the whole server can show: each is met, passed by one, and what follows is looked at.
import assert from 'node:assert/strict';
import {createHmac} from 'node:crypto';
import {once} from 'node:events';
import net from 'node:net';
import {test} from 'node:test';

import {request, temporaryDirectory, waitFor, Weir} from '../support/weir_process.mjs';

const secret = 'a secret of the tests';
const sign = body => ({'x-signature': createHmac('sha256', secret).update(body).digest('hex')});
const source = `
[[source]]
name = "batches"
kind = "custom"
secrets_insecure = ["${secret}"]
[source.scheme]
algorithm = "hmac-sha256"
signature = { header = "X-Signature", encoding = "hex" }
signed = "{body}"
batch = ""
event_id = { json = "/id" }
`;

async function startWeir(t) {
  const weir = new Weir(t, {directory: await temporaryDirectory(t), configure: () => source});
  return weir.start();
}

test('a batch of more than 4,096 events is refused, and nothing of it is stored', async t => {
  const weir = await startWeir(t);
  const send = count => {
    const body = JSON.stringify(Array.from({length: count}, (_, i) => ({id: `${count}-${i}`})));
    return request(`${weir.url}/webhooks/batches`, {method: 'POST', headers: sign(body), body});
  };
  assert.equal((await send(4096)).status, 202);
  assert.match((await weir.command('events count')).stdout, /\b4096\b/);
  assert.equal((await send(4097)).status, 400);
  assert.match((await weir.command('events count')).stdout, /\b4096\b/);
});

test('what comes after an early answer is read for a while, not for ever', async t => {
  const weir = await startWeir(t);
  const socket = net.connect(weir.port, '127.0.0.1');
  await once(socket, 'connect');
  let cut = false;
  socket.on('error', () => { cut = true; });
  socket.on('close', () => { cut = true; });
  let answer = '';
  socket.on('data', bytes => { answer += bytes; });
  socket.write('POST /webhooks/batches HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n');
  await waitFor('the early answer', () => answer.includes('\r\n\r\n'));
  assert.match(answer, /^HTTP\/1\.1 413 /);
  const piece = Buffer.alloc(1 << 20, 'x');
  let sent = 0;
  while (sent < 64 && !cut) {
    await new Promise(resolve => { socket.write(piece, () => resolve()); });
    ++sent;
  }
  assert.ok(sent < 64, 'all 64 MiB were read');
});
