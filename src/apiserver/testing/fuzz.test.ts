import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBody } from '../listen/request-body.ts';
import { secureServer, type SecureServer } from './secure-server.ts';
import { describe, fuzzInProcess, fuzzOverHttps, type Found } from './fuzz.ts';

// Always the same requests, so that a failure is one on every machine. `node scripts/fuzz.ts` looks for new ones.
const SEED = 20_260_101;
const IN_PROCESS = 4_000;
const OVER_HTTPS = 300;

async function prepared(): Promise<SecureServer> {
  const server = await secureServer({ minWatchMs: 1_000 });
  for (const name of ['default', 'shop'])
    await server.call('/api/v1/namespaces', { method: 'POST', body: { metadata: { name } } });
  return server;
}

function nothingIn(found: readonly Found[]): void {
  assert.equal(found.length, 0, found.slice(0, 5).map(describe).join('\n'));
}

test('whatever is asked inside the process, the answer is well-formed and no fault of ours', async () => {
  await using server = await prepared();
  const found = await fuzzInProcess(
    server.running.server,
    ({ body, headers }) => (body === undefined ? undefined : decodeBody(body, headers['content-type'])),
    SEED,
    (number) => number < IN_PROCESS,
  );
  nothingIn(found);
});

test('whatever is asked over HTTPS, the answer is well-formed and the server lives on', async () => {
  await using server = await prepared();
  const { authority, admin } = server.certificates;
  const found = await fuzzOverHttps(
    { port: server.port, ca: authority.certificate, cert: admin.certificate, key: admin.key },
    SEED,
    (number) => number < OVER_HTTPS,
  );
  nothingIn(found);
  assert.equal((await server.call('/livez')).status, 200);
});
