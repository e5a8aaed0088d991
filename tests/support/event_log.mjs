// What a run left behind, read by means that are not weir's own counters: ledgers, CloudEvents files, exports.
import {createReadStream} from 'node:fs';
import {readdir, readFile} from 'node:fs/promises';
import path from 'node:path';
import {createInterface} from 'node:readline';

// The ids of a weir-bench ledger. A repeated id was acked more than once, as a duplicate.
export async function readLedger(file) {
  const text = await readFile(file, 'utf8').catch(error => error.code === 'ENOENT' ? '' : Promise.reject(error));
  return new Set(text.split('\n').filter(line => line !== ''));
}

// id -> how many lines of a CloudEvents NDJSON file carry it. Every line must be a whole event.
export async function countEvents(file, counts = new Map()) {
  for await (const line of createInterface({input: createReadStream(file), crlfDelay: Infinity})) {
    if (line === '') continue;
    const {id} = JSON.parse(line);
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

// The same over a file sink's file and everything it was rotated into: name-FIRST-LAST.ndjson beside name.ndjson.
export async function countSinkFiles(file) {
  const counts = new Map();
  const {name: stem, ext} = path.parse(file);
  const piece = new RegExp(`^${stem}(-\\d{20}-\\d{20}(-\\d+)?)?\\${ext}$`);
  for (const name of await readdir(path.dirname(file))) {
    if (piece.test(name)) await countEvents(path.join(path.dirname(file), name), counts);
  }
  return counts;
}

export const missingFrom = (ids, counts) => [...ids].filter(id => !counts.has(id));
export const repeatedIn = counts => [...counts].filter(([, count]) => count > 1).map(([id]) => id);
