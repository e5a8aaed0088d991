// Results -> the tables of docs/benchmarks.md.
import {voidBecause} from './validity.mjs';

const whole = value => Math.round(value).toLocaleString('en').replaceAll(',', ' ');
const digits = (value, count) => value === undefined || Number.isNaN(value) ? '' : value.toFixed(count).replace(/^-(?=[0.]+$)/, '');
const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n') + '\n';

const names = {null: 'null server', nginx: 'nginx, one worker, empty 200', weir: 'weir, `ack = "fsync"`', 'weir-os': 'weir, `ack = "os"`'};

const costHead = ['CPU µs an event', 'CPU of null', 'shard', 'committer', 'store'];
// Other programs' threads have no groups.
const costCells = ({cpu_us, cpu_of_null}) => [digits(cpu_us.total, 2), digits(cpu_of_null, 2),
  ...['shard', 'committer', 'store'].map(group => cpu_us.shard === 0 ? '' : digits(cpu_us[group], 2))];

const noCost = costHead.map(() => '');

function throughput({summary, rounds}) {
  const servers = Object.keys(summary).filter(name => name !== 'disk');
  const rows = servers.map(name => {
    const one = summary[name];
    return [names[name], ...costCells(one), `${whole(one.per_s.median)} (${whole(one.per_s.min)} – ${whole(one.per_s.max)})`, digits(one.of_null, 2),
      digits(one.of_nginx, 2), digits(one.p50, 2), digits(one.p99, 2), digits(one.events_a_commit, 0), digits(one.sync_ms, 2),
      digits(one.server_busy * 100, 0), digits(one.client_busy * 100, 0), digits(one.others_busy, 2)];
  });
  let text = `Medians of ${rounds.length} alternating rounds, least and most in brackets; ratios are taken inside a round. ` +
    `fdatasync of this disk, measured at the start of each round: p50 ${digits(summary.disk.p50, 2)} ms, p99 ${digits(summary.disk.p99, 2)} ms.\n\n`;
  text += table(['server', ...costHead, 'requests/s', 'of null', 'of nginx', 'p50 ms', 'p99 ms', 'events a commit', 'sync ms', 'server busy %', 'client busy %', 'cores busy with other work'], rows);
  const threads = servers.flatMap(name => summary[name].threads.map(
    row => [names[name], row.thread, digits(row.user_us, 2), digits(row.kernel_us, 2)]));
  text += `\nProcessor time an event by thread, of the median round:\n\n`;
  return text + table(['server', 'thread', 'user µs', 'kernel µs'], threads);
}

const loadNames = {plain: 'as above', connections: '4 096 connections', churn: '10 requests a connection',
  batch: '100 events of 1 KiB a request, 64 connections', duplicates: 'half of the requests duplicates', '4KiB': '4 KiB of payload',
  '16KiB': '16 KiB of payload', half: 'half of what the first row did, open loop'};

function workloads({summary, rounds}) {
  const rows = Object.entries(summary).map(([load, {weir, null: ceiling, cpu_of_null, of_null}]) => [loadNames[load],
    ...costCells({cpu_us: weir.cpu_us, cpu_of_null}), `${whole(weir.per_s.median)} (${whole(weir.per_s.min)} – ${whole(weir.per_s.max)})`,
    load === 'half' ? '' : digits(of_null, 2), digits(weir.MB_per_s, 0), digits(weir.p50, 2), digits(weir.p99, 2), digits(weir.sync_p50, 2),
    digits(weir.sync_p99, 2), digits(weir.written_of_ingested, 2), digits(weir.events_a_commit, 0),
    voidBecause(weir) || (voidBecause(ceiling) && `null server: ${voidBecause(ceiling)}`)]);
  return `Other loads on weir with \`fsync\`, medians of ${rounds.length} rounds; the null server had the same load in the same round.\n\n` +
    table(['load', ...costHead, 'events/s', 'of null', 'MB/s', 'p50 ms', 'p99 ms', 'fdatasync p50 ms', 'fdatasync p99 ms',
      'bytes written a byte ingested', 'events a commit', 'void because'], rows);
}

const latency = ({summary}) => table(
  ['one connection', ...costHead, 'p50 ms', 'p99 ms'],
  [['acknowledgement', ...costCells(summary), digits(summary.ack_p50, 3), digits(summary.ack_p99, 3)],
    ['fdatasync', ...noCost, digits(summary.sync_p50, 3), digits(summary.sync_p99, 3)],
    ['allowed: 2 × fdatasync + 0.15', ...noCost, digits(summary.allowed, 3), '']]);

const memory = ({summary}) => `${whole(summary.connections)} idle keep-alive connections that each carried an event: ` +
  `${digits(summary.each_KiB, 2)} KiB resident each (${whole(summary.before_KiB)} → ${whole(summary.after_KiB)} KiB).\n`;

const soak = ({summary, samples}) => `Resident memory over ${whole(summary.events)} events:\n\n` +
  table(['events', 'MiB'], samples.map(sample => [whole(sample.events), digits(sample.resident_KiB / 1024, 0)]));

const start = ({summary}) => `From its start to ready, over a store of ${whole(summary.events)} events:\n\n` +
  table(['ended', 'ready s', 'CPU s', 'MiB resident'], [['in order', summary.clean], ['killed', summary.killed]].map(
    ([how, {ready_s, cpu_s, resident_KiB}]) => [how, digits(ready_s, 2), digits(cpu_s, 2), digits(resident_KiB / 1024, 0)]));

const dedupe = ({summary, samples}) => `From the first step to the last of ${whole(summary.ids)} ids: ${digits(summary.cpu_slowdown, 2)} times the processor ` +
  `time an event, ${digits(summary.rate_slowdown, 2)} times slower, ${digits(summary.bytes_an_id, 1)} bytes of resident memory an id.\n\n` +
  table([...costHead.filter(column => column !== 'CPU of null'), 'ids', 'events/s', 'MiB resident'], samples.map(({ids, cpu_us, per_s, resident_KiB}) =>
    [...['total', 'shard', 'committer', 'store'].map(group => digits(cpu_us[group], 2)), whole(ids), whole(per_s), digits(resident_KiB / 1024, 0)]));

export function markdown(results) {
  const {machine, plan} = results;
  const parts = [`${machine.processor}, ${machine.cores} cores, Linux ${machine.kernel}, ${machine.disk}; commit ${machine.commit}, ${machine.date}.\n` +
    `Server on core 0, weir-bench on core 1, loopback; ${plan.connections} connections, ${plan.payload} bytes of payload.\n`];
  if (results.throughput) parts.push(throughput(results.throughput));
  if (results.workloads) parts.push(workloads(results.workloads));
  if (results.latency) parts.push(latency(results.latency));
  if (results.memory) parts.push(memory(results.memory));
  if (results.soak) parts.push(soak(results.soak));
  if (results.start) parts.push(start(results.start));
  if (results.dedupe) parts.push(dedupe(results.dedupe));
  return parts.join('\n');
}
