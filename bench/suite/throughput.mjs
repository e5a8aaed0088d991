// The headline: null server, nginx and weir under the same closed loop, one after the other in every round.
import {rm} from 'node:fs/promises';
import path from 'node:path';

import {load, probeDisk, startNginx, startNullServer, startWeir} from './programs.mjs';
import {machineBusySeconds, perEvent, threadSeconds} from './process_stats.mjs';
import {median, spread} from './statistics.mjs';

const warmup_s = 1;
const probeSyncs = 300;
const firstGuess_per_s = 120_000;

// One sample of weir's histograms: how many events a commit carried and how long its sync took.
function commitFigures(before, after) {
  const value = (text, name) => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1] ?? NaN);
  const moved = name => value(after, name) - value(before, name);
  const commits = moved('weir_commit_sync_seconds_count');
  return {
    events_a_commit: moved('weir_commit_batch_events_sum') / commits,
    sync_ms: moved('weir_commit_sync_seconds_sum') / commits * 1e3,
  };
}

const totalSeconds = byThread => [...byThread.values()].reduce((sum, {user_s, kernel_s}) => sum + user_s + kernel_s, 0);

async function measureOnce(server, plan, expected_per_s) {
  // Enough signed ahead that none is signed while measuring, with room for a server that is faster than the last time.
  const ahead = Math.ceil(expected_per_s * 1.5 * (plan.seconds + warmup_s));
  const before = {metrics: await server.metrics?.(), threads: threadSeconds(server.pid), machine_s: machineBusySeconds(),
    at: Date.now()};
  const figures = await load(server, plan.directory, [
    '--connections', String(plan.connections), '--payload', String(plan.payload), '--ahead', String(ahead),
    '--warmup', `${warmup_s}s`, '--duration', `${plan.seconds + warmup_s}s`]);
  const threads = threadSeconds(server.pid);
  const server_s = totalSeconds(threads) - totalSeconds(before.threads);
  const signing_s = figures.signed_ahead * figures.signing_us / 1e6;
  const client_s = figures.client_busy * (plan.seconds + warmup_s) + signing_s;
  const row = {
    per_s: figures.achieved_per_s, p50: figures.response_ms.p50, p99: figures.response_ms.p99, max: figures.response_ms.max,
    client_busy: figures.client_busy, server_busy: server_s / (plan.seconds + warmup_s), starved_s: figures.starved_s, request_bytes: figures.request_bytes,
    threads: perEvent(before.threads, threads, figures.answered),
    // Cores that neither the server nor the load used: other work on the machine, which makes a round worthless.
    others_busy: (machineBusySeconds() - before.machine_s - server_s - client_s) / ((Date.now() - before.at) / 1000),
  };
  if (server.metrics) Object.assign(row, commitFigures(before.metrics, await server.metrics()));
  return row;
}

export async function measureThroughput(plan) {
  const targets = {
    null: () => startNullServer(),
    nginx: () => startNginx(plan.directory),
    weir: () => startWeir(path.join(plan.directory, 'weir'), {}),
    'weir-os': () => startWeir(path.join(plan.directory, 'weir'), {ack: 'os'}),
  };
  for (const name of plan.without) delete targets[name];
  const rounds = [];
  const guess = {};
  for (let round = 0; round < plan.rounds; ++round) {
    const row = {disk: await probeDisk(plan.directory, probeSyncs)};
    for (const [name, begin] of Object.entries(targets)) {
      const server = await begin();
      try {
        row[name] = await measureOnce(server, plan, guess[name] ?? firstGuess_per_s);
      } finally {
        await server.stop();
        await rm(path.join(plan.directory, 'weir'), {recursive: true, force: true});
      }
      guess[name] = row[name].per_s;
      plan.say(`round ${round + 1} ${name.padEnd(8)} ${Math.round(row[name].per_s)}/s  p50 ${row[name].p50.toFixed(2)}  p99 ` +
        `${row[name].p99.toFixed(2)} ms  client ${Math.round(row[name].client_busy * 100)} % busy` +
        (row[name].others_busy > 0.1 ? `  OTHERS ${row[name].others_busy.toFixed(2)} cores` : '') +
        (row[name].starved_s > 0 ? `  STARVED ${row[name].starved_s.toFixed(2)} s` : ''));
    }
    rounds.push(row);
  }
  const summary = {disk: {p50: median(rounds.map(row => row.disk.p50)), p99: median(rounds.map(row => row.disk.p99))}};
  for (const name of Object.keys(targets)) {
    summary[name] = {per_s: spread(rounds.map(row => row[name].per_s))};
    for (const key of ['p50', 'p99', 'max', 'client_busy', 'server_busy', 'others_busy', 'events_a_commit', 'sync_ms']) {
      if (rounds[0][name][key] !== undefined) summary[name][key] = median(rounds.map(row => row[name][key]));
    }
    // Ratios inside a round, then their median: both sides saw the same machine.
    for (const other of ['null', 'nginx']) {
      if (name !== other && other in targets) summary[name][`of_${other}`] = median(rounds.map(row => row[name].per_s / row[other].per_s));
    }
    const middle = [...rounds].sort((a, b) => a[name].per_s - b[name].per_s)[rounds.length >> 1];
    summary[name].threads = middle[name].threads;
  }
  return {summary, rounds};
}
