// What an id costs once there are many: processor time an event and resident memory while ids pile up inside the window.
import {rm} from 'node:fs/promises';
import path from 'node:path';

import {load, needSpace, startWeir} from './programs.mjs';
import {processorPerEvent, residentKiB, threadSeconds} from './process_stats.mjs';

const steps = 20;
const idsALoad_max = 1_000_000;  // signed ahead of each load, some 150 bytes and 4 us an id
const payload_bytes = 64;        // ids are what is measured: the smallest event there is
const onDisk_bytes = 600;        // of such an event, log and table

export async function measureDedupe(plan) {
  await needSpace(plan.directory, plan.ids * onDisk_bytes);
  const home = path.join(plan.directory, 'weir');
  const server = await startWeir(home);
  const samples = [];
  const idsAStep = Math.ceil(plan.ids / steps);
  try {
    for (let step = 0; step < steps; ++step) {
      const threads = threadSeconds(server.pid);
      let sending_s = 0;
      for (let done = 0; done < idsAStep; done += idsALoad_max) {
        const figures = await load(server, plan.directory, ['--connections', String(plan.connections), '--payload', String(payload_bytes),
          '--count', String(Math.min(idsALoad_max, idsAStep - done)), '--id-prefix', `ids_${step}_${done}_`]);
        sending_s += figures.measured_s;
      }
      const sample = {ids: idsAStep * (step + 1), per_s: idsAStep / sending_s, resident_KiB: residentKiB(server.pid),
        cpu_us: processorPerEvent(threads, threadSeconds(server.pid), idsAStep)};
      samples.push(sample);
      plan.say(`${sample.ids} ids: ${sample.cpu_us.total.toFixed(2)} µs  ${Math.round(sample.per_s)}/s  ${Math.round(sample.resident_KiB / 1024)} MiB resident`);
    }
  } finally {
    await server.stop();
    await rm(home, {recursive: true, force: true});
  }
  // From the first step on: by then the memtables and the block cache have their size.
  const first = samples[0];
  const last = samples.at(-1);
  return {summary: {ids: last.ids, cpu_slowdown: last.cpu_us.total / first.cpu_us.total, rate_slowdown: first.per_s / last.per_s,
    bytes_an_id: (last.resident_KiB - first.resident_KiB) * 1024 / (last.ids - first.ids)}, samples};
}
