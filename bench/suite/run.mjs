// The measurements behind docs/benchmarks.md. Everything that is compared is measured in alternating rounds of one run,
// because this minute's machine is not the next one's; figures are medians over the rounds.
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';

import {measureLatency} from './latency.mjs';
import {measureMemory} from './memory.mjs';
import {describeMachine} from './process_stats.mjs';
import {measureSoak} from './soak.mjs';
import {markdown} from './tables.mjs';
import {measureThroughput} from './throughput.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const parts = {throughput: measureThroughput, latency: measureLatency, memory: measureMemory, soak: measureSoak};

const {values} = parseArgs({options: {
  rounds: {type: 'string', default: '5'},
  seconds: {type: 'string', default: '8'},
  connections: {type: 'string', default: '256'},
  payload: {type: 'string', default: '800'},
  'soak-events': {type: 'string', default: '2000000'},
  only: {type: 'string', default: Object.keys(parts).join(',')},
  without: {type: 'string', default: ''},           // of throughput: null,nginx,weir,weir-os
  directory: {type: 'string', default: path.join(root, 'build')},
  json: {type: 'string', default: path.join(root, 'build/benchmarks.json')},
}});
const plan = {
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
  connections: Number(values.connections),
  payload: Number(values.payload),
  soakEvents: Number(values['soak-events']),
  without: new Set(values.without.split(',')),
  say: text => process.stderr.write(`${text}\n`),
};
const wanted = values.only.split(',');
const unknown = wanted.filter(name => !(name in parts));
if (unknown.length > 0 || Object.values(plan).some(Number.isNaN)) {
  process.stderr.write(`bench/run: ${unknown.length > 0 ? `no such part: ${unknown.join(', ')}` : 'a number was expected'}\n`);
  process.exit(2);
}

await mkdir(values.directory, {recursive: true});
const directory = await mkdtemp(path.join(values.directory, 'bench-'));
const results = {machine: describeMachine(root), plan: {...plan, without: [...plan.without], say: undefined}};
try {
  for (const name of wanted) {
    plan.say(`== ${name}`);
    results[name] = await parts[name]({...plan, directory});
  }
} finally {
  await rm(directory, {recursive: true, force: true});
}
await writeFile(values.json, `${JSON.stringify(results, null, 2)}\n`);
process.stdout.write(markdown(results));
