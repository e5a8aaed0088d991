// What an idle keep-alive connection costs in resident memory, after it has carried an event.
import {createHmac} from 'node:crypto';
import net from 'node:net';
import {rm} from 'node:fs/promises';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';

import {load, secret, startWeir} from './programs.mjs';
import {residentKiB} from './process_stats.mjs';

const connections = 5000;
const openAtOnce = 200;

function signedEvent(id) {
  const body = JSON.stringify({id, object: 'event', type: 'bench.event', data: {object: {note: 'x'.repeat(700)}}});
  const at = Math.floor(Date.now() / 1000);
  const signature = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex');
  return `POST /webhooks/stripe HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
    `Stripe-Signature: t=${at},v1=${signature}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

function openIdle(port, id) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    socket.on('error', reject);
    socket.write(signedEvent(id));
    socket.once('data', bytes => {
      if (bytes.toString('latin1').startsWith('HTTP/1.1 202')) resolve(socket);
      else reject(new Error(`unexpected answer: ${bytes.toString('latin1').slice(0, 200)}`));
    });
  });
}

// Memory a server has touched once stays resident, so a reading is taken when two in a row agree.
async function settledResidentKiB(pid) {
  let last = residentKiB(pid);
  for (let i = 0; i < 20; ++i) {
    await sleep(250);
    const now = residentKiB(pid);
    if (now === last) return now;
    last = now;
  }
  return last;
}

export async function measureMemory(plan) {
  const home = path.join(plan.directory, 'weir');
  const server = await startWeir(home);
  const sockets = [];
  try {
    // The same events on few connections first: what events cost is not what connections cost.
    await load(server, plan.directory, ['--connections', '200', '--count', String(4 * connections), '--payload', '800']);
    const before = await settledResidentKiB(server.pid);
    for (let opened = 0; opened < connections; opened += openAtOnce) {
      const batch = Array.from({length: openAtOnce}, (_, i) => openIdle(server.port, `idle_${opened + i}`));
      sockets.push(...await Promise.all(batch));
    }
    const after = await settledResidentKiB(server.pid);
    plan.say(`${connections} idle connections: ${before} -> ${after} KiB resident`);
    return {summary: {connections, before_KiB: before, after_KiB: after, each_KiB: (after - before) / connections}};
  } finally {
    for (const socket of sockets) socket.destroy();
    await server.stop();
    await rm(home, {recursive: true, force: true});
  }
}
