// The measurements behind docs/benchmarks.md. Everything that is compared is measured in alternating rounds of one run,
// because this minute's machine is not the next one's; figures are medians over the rounds.
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';

import {measureDedupe} from './dedupe.mjs';
import {measureLatency} from './latency.mjs';
import {measureMemory} from './memory.mjs';
import {describeMachine} from './process_stats.mjs';
import {measureSoak} from './soak.mjs';
import {measureStart} from './start.mjs';
import {markdown} from './tables.mjs';
import {measureThroughput} from './throughput.mjs';
import {measureWorkloads} from './workloads.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const defaultParts = {throughput: measureThroughput, workloads: measureWorkloads, latency: measureLatency, memory: measureMemory, soak: measureSoak};
const longParts = {start: measureStart, dedupe: measureDedupe};
const parts = {...defaultParts, ...longParts};

const usage = `Usage: bench/run [options]

Measures weir against this machine's own ceiling, nginx and the disk, and prints the tables of docs/benchmarks.md.
Needs the release build, two processor cores that nothing else uses, nginx, and Node 20.

  --rounds N         alternating rounds of each comparison (5)
  --seconds N        length of one measurement, of workloads half of it (8)
  --connections N    of the load (256)
  --payload BYTES    of one event (800)
  --soak-events N    of the soak (2000000)
  --events N         of start, which fills a store with them first (10000000)
  --ids N            of dedupe (100000000)
  --only PARTS       some of ${Object.keys(parts).join(',')};
                     ${Object.keys(longParts).join(' and ')} take half an hour and more and run only when asked for
  --without PROGRAMS of throughput, some of null,nginx,weir,weir-os
  --directory DIR    where the stores are made (build)
  --json FILE        where the figures are written (build/benchmarks.json)

Example:
  bench/run --rounds 1 --seconds 2 --only throughput
`;

function fail(reason) {
  process.stderr.write(`bench/run: ${reason}\nRun bench/run --help for more.\n`);
  process.exit(2);
}

function readOptions(options) {
  try {
    return parseArgs({options});
  } catch (error) {
    return fail(error.message);
  }
}

const {values} = readOptions({
  help: {type: 'boolean', short: 'h', default: false},
  rounds: {type: 'string', default: '5'},
  seconds: {type: 'string', default: '8'},
  connections: {type: 'string', default: '256'},
  payload: {type: 'string', default: '800'},
  'soak-events': {type: 'string', default: '2000000'},
  events: {type: 'string', default: '10000000'},
  ids: {type: 'string', default: '100000000'},
  only: {type: 'string', default: Object.keys(defaultParts).join(',')},
  without: {type: 'string', default: ''},           // of throughput: null,nginx,weir,weir-os
  directory: {type: 'string', default: path.join(root, 'build')},
  json: {type: 'string', default: path.join(root, 'build/benchmarks.json')},
});
if (values.help) {
  process.stdout.write(usage);
  process.exit(0);
}
const plan = {
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
  connections: Number(values.connections),
  payload: Number(values.payload),
  soakEvents: Number(values['soak-events']),
  events: Number(values.events),
  ids: Number(values.ids),
  without: new Set(values.without.split(',')),
  say: text => process.stderr.write(`${text}\n`),
};
const wanted = values.only.split(',');
const unknown = wanted.filter(name => !(name in parts));
if (unknown.length > 0 || Object.values(plan).some(Number.isNaN)) {
  fail(unknown.length > 0 ? `no such part: ${unknown.join(', ')}` : 'a number was expected');
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
