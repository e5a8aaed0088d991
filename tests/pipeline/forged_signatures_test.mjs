// Thousands of requests with a changed signature, of every kind that `weir send` signs, against a running server: all are refused,
// and the store's files are byte for byte what they were. (weir-vectors --mutate tries millions, without a server.)
import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {once} from 'node:events';
import {readdir, readFile} from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import {test} from 'node:test';

import {Random} from '../support/random.mjs';
import {atEnd, longRun, request, run, temporaryDirectory, Weir, weirBin} from '../support/weir_process.mjs';

const mutations = longRun ? 100_000 : 6_000;
const atOnce = 32;
const secretForms = {
  utf8: 'a-secret-of-some-length-and-more',
  base64: 'c3RhbmRhcmQtd2ViaG9va3MtdGVzdC1rZXktMzJieXRl',
  hex: '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff',
};

// The kinds whose sender holds the same key as weir, each with a secret of its form.
async function sharedSecretKinds(t) {
  const listed = JSON.parse((await run(t, weirBin, ['kinds', '--json'])).stdout);
  const kinds = [];
  for (const {name} of listed) {
    const {scheme_toml: toml} = JSON.parse((await run(t, weirBin, ['kinds', name, '--json'])).stdout);
    if (!/^algorithm = "(hmac-|sha256|token)/m.test(toml) || /^algorithm = "(ed25519|rsa)/m.test(toml)) continue;
    const key = /^key = \{(.*)\}/m.exec(toml)?.[1] ?? '';
    const prefix = /(?:strip|only) = "([^"]*)"/.exec(key)?.[1] ?? '';
    const signature = /^signature = .*?header = "([^"]*)"/m.exec(toml)?.[1];
    if (signature === undefined) continue;
    const secret = prefix + secretForms[/encoding = "([^"]*)"/.exec(key)?.[1] ?? 'utf8'];
    const parameters = [...toml.matchAll(/^(\w+) = \{ help = .*\}$/gm)].filter(match => !match[0].includes('required = false'));
    kinds.push({name, secret, signature, parameters: parameters.map(match => match[1])});
  }
  return kinds;
}

const configurationOf = kinds => kinds.map(({name, secret, parameters}) => `
[[source]]
name = "${name}"
kind = "${name}"
secrets_insecure = ["${secret}"]
public_url = "https://hooks.example.com/webhooks/${name}"
${parameters.length > 0 ? '[source.parameters]' : ''}
${parameters.map(parameter => `${parameter} = "x"`).join('\n')}
`).join('');

// One signed request of each kind, as `weir send` puts it on the wire: {name, path, headers, body}.
async function signedRequests(t, weir, kinds) {
  const caught = [];
  const server = http.createServer((incoming, outgoing) => {
    const chunks = [];
    incoming.on('data', bytes => chunks.push(bytes));
    incoming.on('end', () => {
      caught.push({path: incoming.url, headers: incoming.headers, body: Buffer.concat(chunks)});
      outgoing.writeHead(202).end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, () => { server.closeAllConnections(); server.close(); });
  const requests = [];
  for (const kind of kinds) {
    const sent = await run(t, weirBin, ['send', '--config', weir.configFile, '--source', kind.name,
      '--url', `http://127.0.0.1:${server.address().port}`]);
    const made = caught.pop();
    if (made === undefined) continue;  // weir does not sign as this kind
    assert.equal(sent.code, 0, `${kind.name}: ${sent.stderr}`);
    const {connection, host, 'content-length': length, ...headers} = made.headers;
    const field = Object.keys(headers).find(name => name === kind.signature || name === `${kind.signature}-1`);
    assert.ok(field, `${kind.name} has its signature`);
    requests.push({...made, headers, field, name: kind.name});
  }
  return requests;
}

const post = (weir, {path: target, headers, body}, agent) => request(`${weir.url}${target}`, {method: 'POST', headers, body, agent});

// Every file of the store and what is in it, but for RocksDB's own log, and for the record of the newest sequence, which follows
// the valid requests up to 100 ms late.
async function contentsOf(directory) {
  const contents = {};
  for (const entry of await readdir(directory, {recursive: true, withFileTypes: true})) {
    if (!entry.isFile() || /^(LOG(\.old\.\d+)?|high-water)$/.test(entry.name)) continue;
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    const bytes = await readFile(file);
    contents[path.relative(directory, file)] = `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`;
  }
  return contents;
}

const bare = text => text.toLowerCase().replace(/[ ,;]/g, '');

function mutated(original, random) {
  const alphabet = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/=-_.,;:';
  const at = random.between(0, original.length);
  const character = alphabet[random.between(0, alphabet.length)];
  const changed = random.next() < 0.1 ? original.slice(0, at) : original.slice(0, at) + character + original.slice(at + 1);
  return bare(changed) === bare(original) ? `${original}A` : changed;
}

test('a changed signature of any kind is refused and leaves no byte in the store', async t => {
  const kinds = await sharedSecretKinds(t);
  const weir = await new Weir(t, {directory: await temporaryDirectory(t), configure: () => configurationOf(kinds)}).start();
  const requests = await signedRequests(t, weir, kinds);
  assert.ok(requests.length >= 45, `${requests.length} kinds`);
  for (const made of requests) {
    const {status, body} = await post(weir, made);
    assert.ok(status >= 200 && status < 300, `${made.name}: ${status} ${body}`);
  }
  const stored = JSON.parse((await weir.command('events count', '--json')).stdout).count;
  assert.equal(stored, requests.length);

  const before = await contentsOf(weir.data);
  assert.ok(Object.keys(before).length > 0);
  const random = new Random();
  const agent = new http.Agent({keepAlive: true, maxSockets: atOnce});
  t.after(() => agent.destroy());
  let sent = 0;
  const sender = async () => {
    while (sent < mutations) {
      const made = requests[sent++ % requests.length];
      const signature = mutated(made.headers[made.field], random);
      const answer = await post(weir, {...made, headers: {...made.headers, [made.field]: signature}}, agent);
      assert.ok(answer.status === 401 || answer.status === 400,
        `seed ${random.seed}, ${made.name}: ${answer.status} for ${signature} instead of ${made.headers[made.field]}`);
    }
  };
  await Promise.all(Array.from({length: atOnce}, sender));
  assert.deepEqual(await contentsOf(weir.data), before);
  assert.equal(JSON.parse((await weir.command('events count', '--json')).stdout).count, stored);
});
