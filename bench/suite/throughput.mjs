// The headline: null server, nginx and weir under the same closed loop, one after the other in every round.
import {rm} from 'node:fs/promises';
import path from 'node:path';

import {describe, measureOnce} from './measurement.mjs';
import {probeDisk, startNginx, startNullServer, startWeir} from './programs.mjs';
import {median, medianCost, spread} from './statistics.mjs';

const probeSyncs = 300;

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
        row[name] = await measureOnce(server, plan, guess[name]);
      } finally {
        await server.stop();
        await rm(path.join(plan.directory, 'weir'), {recursive: true, force: true});
      }
      guess[name] = row[name].per_s;
      plan.say(`round ${round + 1} ${name.padEnd(8)} ${describe(row[name])}`);
    }
    rounds.push(row);
  }
  const summary = {disk: {p50: median(rounds.map(row => row.disk.p50)), p99: median(rounds.map(row => row.disk.p99))}};
  for (const name of Object.keys(targets)) {
    summary[name] = {per_s: spread(rounds.map(row => row[name].per_s))};
    for (const key of ['p50', 'p99', 'max', 'client_busy', 'server_busy', 'others_busy', 'events_a_commit', 'sync_ms']) {
      if (rounds[0][name][key] !== undefined) summary[name][key] = median(rounds.map(row => row[name][key]));
    }
    summary[name].cpu_us = medianCost(rounds.map(row => row[name].cpu_us));
    if (name !== 'null' && 'null' in targets) {
      summary[name].cpu_of_null = median(rounds.map(row => row[name].cpu_us.total / row.null.cpu_us.total));
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
