// One load on one server that has just been started, and what both cost the machine meanwhile.
import {load} from './programs.mjs';
import {machineBusySeconds, perEvent, processorPerEvent, threadSeconds, totalSeconds, writtenBytes} from './process_stats.mjs';
import {voidBecause} from './validity.mjs';

const warmup_s = 1;
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

// `plan`: seconds, connections, payload, directory; for some loads kind, batch, duplicates, rate_per_s (open loop) and
// requestsPerConnection. `expected_per_s`: requests.
export async function measureOnce(server, plan, expected_per_s = firstGuess_per_s) {
  const {batch = 1, rate_per_s} = plan;
  // Enough signed ahead that none is signed while measuring, with room for a server that is faster than the last time.
  const ahead = rate_per_s ? [] : ['--ahead', String(Math.ceil(expected_per_s * 1.5 * (plan.seconds + warmup_s)))];
  const before = {metrics: await server.metrics?.(), threads: threadSeconds(server.pid), written: writtenBytes(server.pid),
    machine_s: machineBusySeconds(), at: Date.now()};
  const figures = await load(server, plan.directory, [
    '--connections', String(plan.connections), '--payload', String(plan.payload), ...ahead, '--batch', String(batch),
    '--duplicates', String(plan.duplicates ?? 0), '--rate', String(rate_per_s ?? 0),
    '--requests-per-connection', String(plan.requestsPerConnection ?? 0),
    '--warmup', `${warmup_s}s`, '--duration', `${plan.seconds + warmup_s}s`], plan);
  const threads = threadSeconds(server.pid);
  const written = writtenBytes(server.pid) - before.written;
  const server_s = totalSeconds(threads) - totalSeconds(before.threads);
  const signing_s = figures.signed_ahead * figures.signing_us / 1e6;
  const client_s = figures.client_busy * (plan.seconds + warmup_s) + signing_s;
  const ofClass = name => Object.values(figures.classes[name]).reduce((sum, count) => sum + count, 0);
  const row = {
    per_s: figures.achieved_per_s * batch, MB_per_s: figures.achieved_per_s * figures.request_bytes / 1e6,
    p50: figures.response_ms.p50, p99: figures.response_ms.p99, max: figures.response_ms.max,
    client_busy: figures.client_busy, server_busy: server_s / (plan.seconds + warmup_s), starved_s: figures.starved_s, request_bytes: figures.request_bytes,
    connect_errors: figures.connect_errors, connections_a_second: figures.connections_used_up / (plan.seconds + warmup_s),
    cpu_us: processorPerEvent(before.threads, threads, figures.answered * batch),
    threads: perEvent(before.threads, threads, figures.answered * batch),
    written_of_ingested: written / (ofClass('fresh') * batch * plan.payload),
    // Cores that neither the server nor the load used: other work on the machine, which makes a round worthless.
    others_busy: (machineBusySeconds() - before.machine_s - server_s - client_s) / ((Date.now() - before.at) / 1000),
  };
  if (server.metrics) Object.assign(row, commitFigures(before.metrics, await server.metrics()));
  return row;
}

// One line for whoever watches.
export function describe(row) {
  return `${row.cpu_us.total.toFixed(2)} µs  ${Math.round(row.per_s)}/s  p50 ${row.p50.toFixed(2)}  p99 ${row.p99.toFixed(2)} ms  ` +
    `client ${Math.round(row.client_busy * 100)} % busy` + (voidBecause(row) && `  VOID: ${voidBecause(row)}`);
}
