// Starts and stops the real programs for tests, and cleans up after them. Every wait is for a condition and has a deadline;
// nothing here sleeps to let something happen.
//
// WEIR_BIN and WEIR_BENCH_BIN name the programs under test; the default is the release build.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const weirBin = process.env.WEIR_BIN ?? path.join(root, 'build/release/weir');
export const weirBenchBin = process.env.WEIR_BENCH_BIN ?? path.join(root, 'build/release/weir-bench');
export const longRun = process.env.WEIR_TEST_LONG === '1';

const pollEvery_ms = 20;

// Runs `cleanup` when test `t` ends, the last one registered first: a process before the directory it uses.
const cleanups = new WeakMap();
export function atEnd(t, cleanup) {
  if (!cleanups.has(t)) {
    cleanups.set(t, []);
    t.after(async () => {
      const stack = cleanups.get(t);
      while (stack.length > 0) await stack.pop()();
    });
  }
  cleanups.get(t).push(cleanup);
}

// Resolves with what `condition` returns as soon as that is truthy; rejects at the deadline.
export async function waitFor(what, condition, {deadline_ms = 30_000} = {}) {
  const giveUpAt = Date.now() + deadline_ms;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > giveUpAt) throw new Error(`not within ${deadline_ms} ms: ${what}`);
    await new Promise(resolve => setTimeout(resolve, pollEvery_ms));
  }
}

// A directory that is removed when test `t` ends.
export async function temporaryDirectory(t) {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'weir-test-'));
  atEnd(t, () => rm(directory, {recursive: true, force: true}));
  return directory;
}

// Ports that were free a moment ago, by asking the kernel; held together, so that no two are the same.
async function freePorts(count) {
  const servers = Array.from({length: count}, () => net.createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map(server => once(server, 'listening')));
  const ports = servers.map(server => server.address().port);
  await Promise.all(servers.map(server => once(server.close(), 'close')));
  return ports;
}
export const freePort = async () => (await freePorts(1))[0];

// Runs a program to its end: {code, signal, stdout, stderr}. It is killed if test `t` ends first.
export async function run(t, program, args, {input, env, deadline_ms = 120_000} = {}) {
  const child = start(t, program, args, {env, stdin: input === undefined ? 'ignore' : 'pipe'});
  if (input !== undefined) child.process.stdin.end(input);
  const timer = setTimeout(() => child.process.kill('SIGKILL'), deadline_ms);
  const {code, signal} = await child.exited;
  clearTimeout(timer);
  return {code, signal, stdout: child.stdout(), stderr: child.stderr()};
}

// A running program: {process, exited, stdout(), stderr()}. Killed when test `t` ends.
export function start(t, program, args, {env, stdin = 'ignore', cwd} = {}) {
  const child = spawn(program, args, {stdio: [stdin, 'pipe', 'pipe'], env: {...process.env, ...env}, cwd});
  const output = {stdout: [], stderr: []};
  child.stdout.on('data', bytes => output.stdout.push(bytes));
  child.stderr.on('data', bytes => output.stderr.push(bytes));
  const exited = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({code, signal}));
  });
  exited.catch(() => {});  // reported to whoever awaits it; alone it would end the test process
  atEnd(t, async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited.catch(() => {});
  });
  return {
    process: child,
    exited,
    stdout: () => Buffer.concat(output.stdout).toString(),
    stderr: () => Buffer.concat(output.stderr).toString(),
  };
}

// One HTTP request on a connection of its own: {status, headers, body}.
export function request(url, {method = 'GET', headers = {}, body, agent, deadline_ms = 10_000} = {}) {
  return new Promise((resolve, reject) => {
    const outgoing = http.request(url, {method, headers, agent, timeout: deadline_ms}, incoming => {
      const chunks = [];
      incoming.on('data', bytes => chunks.push(bytes));
      incoming.on('end', () => resolve({
        status: incoming.statusCode, headers: incoming.headers, body: Buffer.concat(chunks).toString(),
      }));
      incoming.on('error', reject);
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${url}: no answer within ${deadline_ms} ms`)));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

// A weir over its own directory, configuration and ports, which can be started again after it was stopped or killed.
//   new Weir(t, {directory, configure: ({port, adminPort, directory}) => toml})
// `configure` returns what follows [server] and [admin]; `server` is added to [server].
export class Weir {
  constructor(t, {directory, configure, server = '', data = path.join(directory, 'data'), env = {}}) {
    Object.assign(this, {t, directory, configure, server, data, env, running: null});
  }

  async start(options) {
    await this.launch();
    return this.ready(options);
  }

  // Resolves when the process exists, long before it serves.
  async launch() {
    await this.writeConfiguration();
    this.running = start(this.t, weirBin, ['serve', '--config', this.configFile], {env: this.env});
    return this;
  }

  async ready({deadline_ms = 60_000} = {}) {
    const {running} = this;
    let ended = null;
    running.exited.then(how => { ended = how; }, error => { ended = error; });
    await waitFor('weir is ready', async () => {
      if (ended) throw new Error(`weir ended before it was ready (${ended.code ?? ended.signal ?? ended}): ${running.stderr().slice(-2000)}`);
      return this.isReady();
    }, {deadline_ms});
    return this;
  }

  async writeConfiguration() {
    const [port, adminPort] = await freePorts(2);
    this.port ??= port;
    this.adminPort ??= adminPort;
    this.url = `http://127.0.0.1:${this.port}`;
    this.adminUrl = `http://127.0.0.1:${this.adminPort}`;
    this.configFile = path.join(this.directory, 'weir.toml');
    await writeFile(this.configFile, `[server]
listen = ["127.0.0.1:${this.port}"]
data = ${JSON.stringify(this.data)}
${this.server}

[admin]
listen = "127.0.0.1:${this.adminPort}"

${this.configure(this)}`);
  }

  async isReady() {
    try {
      return (await request(`${this.adminUrl}/readyz`)).status === 200;
    } catch {
      return false;
    }
  }

  get pid() { return this.running.process.pid; }

  // The value of a sample of /metrics, or the sum over its labels; undefined when there is none.
  async metric(name, labels = {}) {
    const {body} = await request(`${this.adminUrl}/metrics`);
    let sum;
    for (const line of body.split('\n')) {
      const match = /^([a-zA-Z_:]+)(?:\{(.*)\})? (\S+)/.exec(line);
      if (match?.[1] !== name) continue;
      if (!Object.entries(labels).every(([key, value]) => match[2]?.includes(`${key}="${value}"`))) continue;
      sum = (sum ?? 0) + Number(match[3]);
    }
    return sum;
  }

  async stop() {
    this.running.process.kill('SIGTERM');
    return this.running.exited;
  }

  // Stops every thread where it is. One in a system call finishes that call and goes no further.
  async freeze() {
    this.running.process.kill('SIGSTOP');
    await waitFor('every thread is stopped', async () => {
      const threads = await readdir(`/proc/${this.pid}/task`);
      const states = await Promise.all(threads.map(async thread => {
        const stat = await readFile(`/proc/${this.pid}/task/${thread}/stat`, 'utf8');
        return stat.slice(stat.lastIndexOf(')') + 2)[0];
      }));
      return states.every(state => 'TtD'.includes(state));
    });
  }

  async kill() {
    this.running.process.kill('SIGKILL');
    return this.running.exited;
  }

  // `weir COMMAND --data DIR ARGS…`; the command may be of two words: "events count".
  command(words, ...args) {
    return run(this.t, weirBin, [...words.split(' '), '--data', this.data, ...args], {env: this.env});
  }
}
