// The programs of a measurement: each server pinned to one core, the load to the other.
import {execFile, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdir, readFile, statfs, writeFile} from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const build = process.env.WEIR_BUILD_DIR ?? path.join(root, 'build/release');
export const binaries = {
  weir: process.env.WEIR_BIN ?? path.join(build, 'weir'),
  bench: process.env.WEIR_BENCH_BIN ?? path.join(build, 'weir-bench'),
  nullServer: path.join(build, 'bench/null_server'),
  probe: path.join(build, 'bench/fdatasync_probe'),
};
export const serverCore = 0;
export const clientCore = 1;
export const secret = 'whsec_benchmark_suite';

const onCore = (core, program, args) => ['taskset', ['-c', String(core), program, ...args]];

export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const {port} = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

const accepts = port => new Promise(resolve => {
  const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
  socket.on('error', () => resolve(false));
});

const get = url => new Promise((resolve, reject) => {
  http.get(url, {agent: false}, incoming => {
    let body = '';
    incoming.setEncoding('utf8').on('data', text => { body += text; }).on('end', () => resolve({status: incoming.statusCode, body}));
  }).on('error', reject);
});

async function startServer(name, port, program, args, isUp, giveUpAfter_s = 30) {
  const child = spawn(...onCore(serverCore, program, args), {stdio: ['ignore', 'ignore', 'pipe']});
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', text => { stderr = (stderr + text).slice(-4000); });
  const closed = once(child, 'close');
  const giveUpAt = Date.now() + giveUpAfter_s * 1000;
  while (!await isUp()) {
    if (child.exitCode !== null || Date.now() > giveUpAt) throw new Error(`${name} did not start: ${stderr}`);
    await sleep(20);
  }
  return {name, port, pid: child.pid, stop: async (signal = 'SIGTERM') => { child.kill(signal); await closed; }};
}

export async function startNullServer() {
  const port = await freePort();
  return startServer('null_server', port, binaries.nullServer, ['--listen', `127.0.0.1:${port}`], () => accepts(port));
}

// One worker that reads and discards the body and answers an empty 200: `return` does exactly that.
export async function startNginx(directory) {
  const port = await freePort();
  const home = path.join(directory, 'nginx');
  await mkdir(home, {recursive: true});
  const configuration = path.join(home, 'nginx.conf');
  await writeFile(configuration, `worker_processes 1; daemon off; master_process off;
error_log ${home}/error.log; pid ${home}/nginx.pid;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 300s;
  client_body_buffer_size 64k; client_body_temp_path ${home}/body;
  proxy_temp_path ${home}/proxy; fastcgi_temp_path ${home}/fastcgi; uwsgi_temp_path ${home}/uwsgi; scgi_temp_path ${home}/scgi;
  server { listen 127.0.0.1:${port} backlog=4096; location / { return 200 ""; } }
}
`);
  return startServer('nginx', port, process.env.NGINX_BIN ?? '/usr/sbin/nginx', ['-c', configuration, '-p', home], () => accepts(port));
}

export async function startWeir(directory, {ack = 'fsync', extra = '', giveUpAfter_s} = {}) {
  const port = await freePort();
  const adminPort = await freePort();
  await mkdir(directory, {recursive: true});
  const configuration = path.join(directory, 'weir.toml');
  await writeFile(configuration, `[server]
listen = ["127.0.0.1:${port}"]
data = "data"
threads = 1
ack = "${ack}"
${extra}
[admin]
listen = "127.0.0.1:${adminPort}"
[[source]]
name = "stripe"
kind = "stripe"
secrets_insecure = ["${secret}"]
[[source]]
name = "gocardless"
kind = "gocardless"
secrets_insecure = ["${secret}"]
`);
  const isReady = async () => {
    try {
      return (await get(`http://127.0.0.1:${adminPort}/readyz`)).status === 200;
    } catch {
      return false;
    }
  };
  const server = await startServer(`weir (${ack})`, port, binaries.weir, ['serve', '--config', configuration], isReady, giveUpAfter_s);
  return {...server, metrics: async () => (await get(`http://127.0.0.1:${adminPort}/metrics`)).body};
}

// Runs weir-bench against a server; returns its figures. Unexpected answers are an error: they are not what is measured.
export async function load(server, directory, args, {kind = 'stripe'} = {}) {
  const report = path.join(directory, 'report.json');
  const [program, all] = onCore(clientCore, binaries.bench, [
    '--url', `http://127.0.0.1:${server.port}/webhooks/${kind}`, '--kind', kind, '--secret', secret, '--json', report, ...args]);
  try {
    await promisify(execFile)(program, all, {maxBuffer: 1 << 24});
  } catch (error) {
    throw new Error(`weir-bench against ${server.name}: ${error.stdout ?? ''}${error.stderr ?? error.message}`);
  }
  return JSON.parse(await readFile(report, 'utf8'));
}

// Better said now than by a full disk an hour later.
export async function needSpace(directory, bytes) {
  const {bavail, bsize} = await statfs(directory);
  const GiB = count => (count / 2 ** 30).toFixed(1);
  if (bavail * bsize < bytes) throw new Error(`${directory}: ${GiB(bytes)} GiB are needed, ${GiB(bavail * bsize)} GiB are free`);
}

export async function probeDisk(directory, count) {
  const [program, all] = onCore(serverCore, binaries.probe, ['--directory', directory, '--count', String(count)]);
  return JSON.parse((await promisify(execFile)(program, all)).stdout);
}
