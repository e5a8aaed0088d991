// Whether resident memory stays flat while events keep coming.
import {rm} from 'node:fs/promises';
import path from 'node:path';

import {load, startWeir} from './programs.mjs';
import {residentKiB} from './process_stats.mjs';

const steps = 8;

export async function measureSoak(plan) {
  const home = path.join(plan.directory, 'weir');
  const server = await startWeir(home);
  const samples = [{events: 0, resident_KiB: residentKiB(server.pid)}];
  try {
    for (let step = 1; step <= steps; ++step) {
      await load(server, plan.directory, ['--connections', String(plan.connections), '--payload', String(plan.payload),
        '--count', String(Math.ceil(plan.soakEvents / steps)), '--id-prefix', `soak_${step}_`]);
      samples.push({events: Math.ceil(plan.soakEvents / steps) * step, resident_KiB: residentKiB(server.pid)});
      plan.say(`${samples.at(-1).events} events: ${Math.round(samples.at(-1).resident_KiB / 1024)} MiB resident`);
    }
  } finally {
    await server.stop();
    await rm(home, {recursive: true, force: true});
  }
  const at = share => samples[Math.round(share * steps)].resident_KiB / 1024;
  return {summary: {events: plan.soakEvents, quarter_MiB: at(0.25), half_MiB: at(0.5), end_MiB: at(1)}, samples};
}
