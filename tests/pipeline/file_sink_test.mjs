// The file sink beside what somebody else wrote.
import assert from 'node:assert/strict';
import {readFile, symlink, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {test} from 'node:test';

import {stripeEvent} from '../support/stripe_event.mjs';
import {request, run, temporaryDirectory, waitFor, Weir, weirBin} from '../support/weir_process.mjs';

const secret = 'whsec_file';

const configuration = file => `
[[source]]
name = "stripe"
kind = "stripe"
secrets_insecure = ["${secret}"]
[[sink]]
name = "file"
kind = "file"
path = ${JSON.stringify(file)}
[[route]]
source = "*"
sink = "file"
`;

test('a file without a line break at its end keeps its bytes', async t => {
  const directory = await temporaryDirectory(t);
  const file = path.join(directory, 'notes.txt');
  await writeFile(file, 'first\nkept without a line break');
  const weir = await new Weir(t, {directory, configure: () => configuration(file)}).start();
  const {headers, body} = stripeEvent(secret, 'evt_1');
  assert.equal((await request(`${weir.url}/webhooks/stripe`, {method: 'POST', headers, body})).status, 202);
  await waitFor('the event is written', async () => (await readFile(file, 'utf8')).includes('evt_1'));
  assert.ok((await readFile(file, 'utf8')).startsWith('first\nkept without a line break\n{"specversion"'));
  assert.equal((await weir.stop()).code, 0);
});

test('a path that leads into the data directory is refused by check', async t => {
  const directory = await temporaryDirectory(t);
  const weir = new Weir(t, {directory, configure: () => configuration(path.join(directory, 'link', 'out.ndjson'))});
  await symlink(weir.data, path.join(directory, 'link'));
  [weir.port, weir.adminPort] = [1, 2];
  await weir.writeConfiguration();
  const {code, stderr} = await run(t, weirBin, ['check', '--config', weir.configFile]);
  assert.equal(code, 2);
  assert.match(stderr, /path: is inside the data directory/);
});
