// A sink that remembers: the other end of weir's http sink, kept outside weir so that its own counters prove nothing.
import {once} from 'node:events';
import http from 'node:http';

import {atEnd} from './weir_process.mjs';

export class Recorder {
  // `answer(delivery)` returns the status for one delivery {id, headers, body}; the default is 204 for all.
  constructor({answer = () => 204, keepBodies = false} = {}) {
    this.deliveries = new Map();  // ce-id -> how often it was accepted with 2xx
    this.total = 0;               // accepted, repetitions included
    this.bodies = keepBodies ? [] : null;
    this.answer = answer;
    this.server = http.createServer((incoming, outgoing) => this.#receive(incoming, outgoing));
    this.server.keepAliveTimeout = 0;
  }

  async listen(t, port = 0) {
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = this.server.address().port;
    this.url = `http://127.0.0.1:${this.port}/events`;
    atEnd(t, () => { this.server.closeAllConnections(); this.server.close(); });
    return this;
  }

  get repeated() { return this.total - this.deliveries.size; }
  has(id) { return this.deliveries.has(id); }

  #receive(incoming, outgoing) {
    const chunks = [];
    incoming.on('data', bytes => chunks.push(bytes));
    incoming.on('end', () => {
      const delivery = {id: incoming.headers['ce-id'], headers: incoming.headers, body: Buffer.concat(chunks)};
      const status = this.answer(delivery);
      if (status >= 200 && status < 300) {
        this.deliveries.set(delivery.id, (this.deliveries.get(delivery.id) ?? 0) + 1);
        ++this.total;
        this.bodies?.push(delivery);
      }
      outgoing.statusCode = status;
      outgoing.end();
    });
  }
}
