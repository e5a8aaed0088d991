// What /proc says about a process and about everything else on the machine.
import {execFileSync} from 'node:child_process';
import {readFileSync, readdirSync} from 'node:fs';
import os from 'node:os';

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], {encoding: 'utf8'}));

const statusField = (pid, field) => {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match[1]);
};
export const residentKiB = pid => statusField(pid, 'VmRSS');

// Bytes the process had written to the device: counted for it alone when a page is dirtied or a direct write submitted,
// less what it threw away again before it was written back.
export function writtenBytes(pid) {
  const io = readFileSync(`/proc/${pid}/io`, 'utf8');
  const field = name => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(io)[1]);
  return field('write_bytes') - field('cancelled_write_bytes');
}

// Seconds of processor time by thread name, user and kernel apart.
export function threadSeconds(pid) {
  const byName = new Map();
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    let stat;
    try {
      stat = readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8');
    } catch {
      continue;  // it ended meanwhile
    }
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const seen = byName.get(name) ?? {user_s: 0, kernel_s: 0};
    seen.user_s += Number(fields[11]) / ticksPerSecond;
    seen.kernel_s += Number(fields[12]) / ticksPerSecond;
    byName.set(name, seen);
  }
  return byName;
}

export const totalSeconds = byThread => [...byThread.values()].reduce((sum, {user_s, kernel_s}) => sum + user_s + kernel_s, 0);

// [{thread, user_us, kernel_us}] an event, what moved between two readings.
export function perEvent(before, after, events) {
  const rows = [];
  for (const [thread, {user_s, kernel_s}] of after) {
    const was = before.get(thread) ?? {user_s: 0, kernel_s: 0};
    const row = {thread, user_us: (user_s - was.user_s) * 1e6 / events, kernel_us: (kernel_s - was.kernel_s) * 1e6 / events};
    if (row.user_us + row.kernel_us >= 0.05) rows.push(row);
  }
  return rows.sort((a, b) => b.user_us + b.kernel_us - a.user_us - a.kernel_us);
}

// Which part of weir a thread belongs to. The ring's own workers (iou-) do a shard's work.
const groups = [
  ['shard', /^(shard-|iou-)/],
  ['committer', /^committer$/],
  ['store', /^(rocksdb:|dedupe$|high-water$|disk-watch$|store-trash$|wal-pool$)/],
];
const groupOf = thread => groups.find(([, names]) => names.test(thread))?.[0] ?? 'other';

// {total, shard, committer, store, other}: microseconds an event, user + kernel.
export function processorPerEvent(before, after, events) {
  const cost = {total: 0, shard: 0, committer: 0, store: 0, other: 0};
  for (const [thread, {user_s, kernel_s}] of after) {
    const was = before.get(thread) ?? {user_s: 0, kernel_s: 0};
    const us = (user_s + kernel_s - was.user_s - was.kernel_s) * 1e6 / events;
    cost[groupOf(thread)] += us;
    cost.total += us;
  }
  return cost;
}

// Processor seconds all processes together have used.
export function machineBusySeconds() {
  const [user, nice, system, , , irq, softirq] =
    readFileSync('/proc/stat', 'utf8').split('\n')[0].trim().split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq) / ticksPerSecond;
}

export function describeMachine(directory) {
  const text = (program, args) => {
    try {
      return execFileSync(program, args, {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']}).trim();
    } catch {
      return 'unknown';
    }
  };
  return {
    processor: os.cpus()[0].model.trim(),
    cores: os.cpus().length,
    kernel: os.release(),
    memory_GiB: Math.round(os.totalmem() / 2 ** 30),
    disk: text('findmnt', ['-n', '-o', 'SOURCE,FSTYPE,OPTIONS', '-T', directory]).replace(/\s+/g, ' '),
    commit: text('git', ['-C', directory, 'rev-parse', '--short=12', 'HEAD']),
    date: new Date().toISOString().slice(0, 10),
  };
}
