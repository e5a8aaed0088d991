// Other loads than the headline's: each on the null server and on weir, one after the other in every round.
import {rm} from 'node:fs/promises';
import path from 'node:path';

import {describe, measureOnce} from './measurement.mjs';
import {probeDisk, startNullServer, startWeir} from './programs.mjs';
import {median, medianCost, spread} from './statistics.mjs';

const probeSyncs = 300;
const KiB = 1024;

// What differs from the plan. `guess`: requests a second to sign for in the first round.
const loads = {
  plain: {guess: 120_000},
  connections: {connections: 4096, guess: 120_000},
  churn: {requestsPerConnection: 10, guess: 60_000},
  batch: {kind: 'gocardless', batch: 100, payload: KiB, connections: 64, guess: 6_000},
  duplicates: {duplicates: 0.5, guess: 120_000},
  '4KiB': {payload: 4 * KiB, guess: 60_000},
  '16KiB': {payload: 16 * KiB, guess: 20_000},
};
const servers = ['null', 'weir'];

async function onFreshServer(name, plan, measure) {
  const home = path.join(plan.directory, 'weir');
  const server = name === 'null' ? await startNullServer() : await startWeir(home);
  try {
    return await measure(server);
  } finally {
    await server.stop();
    await rm(home, {recursive: true, force: true});
  }
}

// Half of what weir just did at full load, at times that do not wait for answers; the disk right before and right after.
async function measureHalfLoad(plan, full_per_s) {
  const half = {...plan, rate_per_s: Math.round(full_per_s / 2)};
  const pair = {null: await onFreshServer('null', plan, server => measureOnce(server, half))};
  const before = await probeDisk(plan.directory, probeSyncs);
  pair.weir = await onFreshServer('weir', plan, server => measureOnce(server, half));
  const after = await probeDisk(plan.directory, probeSyncs);
  pair.weir.sync_p50 = (before.p50 + after.p50) / 2;
  pair.weir.sync_p99 = (before.p99 + after.p99) / 2;
  return pair;
}

function summarize(pairs) {
  const summary = {cpu_of_null: median(pairs.map(pair => pair.weir.cpu_us.total / pair.null.cpu_us.total)),
    of_null: median(pairs.map(pair => pair.weir.per_s / pair.null.per_s))};
  for (const name of servers) {
    const rows = pairs.map(pair => pair[name]);
    summary[name] = {cpu_us: medianCost(rows.map(row => row.cpu_us)), per_s: spread(rows.map(row => row.per_s))};
    for (const key of ['MB_per_s', 'p50', 'p99', 'written_of_ingested', 'connections_a_second', 'events_a_commit',
      'others_busy', 'starved_s', 'connect_errors', 'client_busy', 'sync_p50', 'sync_p99']) {
      if (rows[0][key] !== undefined) summary[name][key] = median(rows.map(row => row[key]));
    }
  }
  return summary;
}

export async function measureWorkloads(plan) {
  const seconds = Math.max(1, plan.seconds / 2);
  const rounds = [];
  const guess = {};
  for (let round = 0; round < plan.rounds; ++round) {
    const row = {};
    for (const [load, differs] of Object.entries(loads)) {
      const loadPlan = {...plan, seconds, ...differs};
      row[load] = {};
      for (const name of servers) {
        const last_per_s = guess[`${load} ${name}`] ?? differs.guess;
        const figures = await onFreshServer(name, plan, server => measureOnce(server, loadPlan, last_per_s));
        guess[`${load} ${name}`] = figures.per_s / (differs.batch ?? 1);
        row[load][name] = figures;
        plan.say(`round ${round + 1} ${load.padEnd(11)} ${name.padEnd(5)} ${describe(figures)}`);
      }
    }
    row.half = await measureHalfLoad({...plan, seconds}, row.plain.weir.per_s);
    plan.say(`round ${round + 1} ${'half'.padEnd(11)} weir  ${describe(row.half.weir)}`);
    rounds.push(row);
  }
  const names = Object.keys(rounds[0]);
  return {summary: Object.fromEntries(names.map(name => [name, summarize(rounds.map(row => row[name]))])), rounds};
}
