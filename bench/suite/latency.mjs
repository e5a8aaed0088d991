// One connection, one event at a time: what an acknowledgement costs beyond the disk's own sync.
import {rm} from 'node:fs/promises';
import path from 'node:path';

import {load, probeDisk, startWeir} from './programs.mjs';
import {processorPerEvent, threadSeconds} from './process_stats.mjs';
import {median, medianCost} from './statistics.mjs';

const events = 2000;

export async function measureLatency(plan) {
  const rounds = [];
  for (let round = 0; round < plan.rounds; ++round) {
    const home = path.join(plan.directory, 'weir');
    const server = await startWeir(home);
    try {
      await load(server, plan.directory, ['--connections', '1', '--count', '200', '--payload', String(plan.payload)]);
      // The disk is measured right before and right after, so that a change of its mood is seen.
      const before = await probeDisk(plan.directory, events / 2);
      const threads = threadSeconds(server.pid);
      const figures = await load(server, plan.directory, ['--connections', '1', '--count', String(events), '--payload', String(plan.payload)]);
      const cpu_us = processorPerEvent(threads, threadSeconds(server.pid), figures.answered);
      const after = await probeDisk(plan.directory, events / 2);
      rounds.push({cpu_us, ack_p50: figures.response_ms.p50, ack_p99: figures.response_ms.p99,
        sync_p50: (before.p50 + after.p50) / 2, sync_p99: (before.p99 + after.p99) / 2});
    } finally {
      await server.stop();
      await rm(home, {recursive: true, force: true});
    }
    const {ack_p50, sync_p50} = rounds.at(-1);
    plan.say(`round ${round + 1} ack p50 ${ack_p50.toFixed(3)} ms, fdatasync p50 ${sync_p50.toFixed(3)} ms`);
  }
  const of = key => median(rounds.map(row => row[key]));
  const summary = {cpu_us: medianCost(rounds.map(row => row.cpu_us)), ack_p50: of('ack_p50'), ack_p99: of('ack_p99'), sync_p50: of('sync_p50'), sync_p99: of('sync_p99')};
  summary.allowed = 2 * summary.sync_p50 + 0.15;
  return {summary, rounds};
}
