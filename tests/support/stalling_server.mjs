// A server that stands still, for proving that a load tool sees it. Run as a program: prints its port, answers every
// request with 200, and every `period` ms stops doing anything for `stall` ms, as a garbage collection would.
//   node stalling_server.mjs PERIOD_MS STALL_MS
import http from 'node:http';

const [period_ms, stall_ms] = process.argv.slice(2).map(Number);
const server = http.createServer((incoming, outgoing) => {
  incoming.resume();
  incoming.on('end', () => outgoing.end());
});
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
if (stall_ms > 0) {
  const never = new Int32Array(new SharedArrayBuffer(4));
  setInterval(() => Atomics.wait(never, 0, 0, stall_ms), period_ms);
}
process.stdin.on('end', () => process.exit(0)).resume();
