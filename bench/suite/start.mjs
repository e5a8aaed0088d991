// How long weir takes from its start to ready over a store of many events: after an orderly end, and after a kill.
import {rm} from 'node:fs/promises';
import path from 'node:path';

import {load, needSpace, startWeir} from './programs.mjs';
import {residentKiB, threadSeconds, totalSeconds} from './process_stats.mjs';

const giveUpAfter_s = 600;
const eventsALoad = 1_000_000;   // signed ahead of each, some 150 bytes and 4 us an event
const tailEvents = 100_000;      // in the log and in no table when it is killed
const recordOverhead_bytes = 400;  // of an event, on disk, beyond its payload

async function startTimed(home) {
  const from = process.hrtime.bigint();
  const server = await startWeir(home, {giveUpAfter_s});
  const ready_s = Number(process.hrtime.bigint() - from) / 1e9;
  return {server, figures: {ready_s, cpu_s: totalSeconds(threadSeconds(server.pid)), resident_KiB: residentKiB(server.pid)}};
}

async function fill(server, plan, events) {
  for (let done = 0; done < events; done += eventsALoad) {
    await load(server, plan.directory, ['--connections', String(plan.connections), '--payload', String(plan.payload),
      '--count', String(Math.min(eventsALoad, events - done)), '--id-prefix', `start_${events}_${done}_`]);
    plan.say(`${Math.min(done + eventsALoad, events)} of ${events} events stored`);
  }
}

export async function measureStart(plan) {
  await needSpace(plan.directory, 2 * plan.events * (plan.payload + recordOverhead_bytes));
  const home = path.join(plan.directory, 'weir');
  let server = await startWeir(home);
  try {
    await fill(server, plan, plan.events);
    await server.stop();
    const clean = await startTimed(home);
    server = clean.server;
    await fill(server, plan, tailEvents);
    await server.stop('SIGKILL');
    const killed = await startTimed(home);
    server = killed.server;
    for (const [name, {figures}] of Object.entries({clean, killed})) plan.say(`ready after ${figures.ready_s.toFixed(2)} s (${name})`);
    return {summary: {events: plan.events, clean: clean.figures, killed: killed.figures}};
  } finally {
    await server.stop();
    await rm(home, {recursive: true, force: true});
  }
}
