// Looks for requests that an API server answers wrongly, for as long as it is let.
// Run: npm run fuzz -- [--seconds 60] [--seed N]. A finding names the seed and the number of the request.
import { parseArgs } from 'node:util';
import { decodeBody } from '../src/apiserver/listen/request-body.ts';
import { describe, fuzzInProcess, fuzzOverHttps, type Found } from '../src/apiserver/testing/fuzz.ts';
import { secureServer } from '../src/apiserver/testing/secure-server.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' } },
});
const seconds = Number(values.seconds);
let seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
// A server that has seen this many is replaced, so that what grows can be told from what leaks.
const REQUESTS = 20_000;
const deadlineMs = performance.now() + seconds * 1000;
let asked = 0;
const seen = new Map<string, Found>();

function report(found: readonly Found[]): void {
  for (const one of found) {
    // One finding of each sort is enough: names and numbers differ, the fault does not.
    const sort = one.problem.replaceAll(/"[^"]*"|\d+/g, '…').slice(0, 160);
    if (seen.has(sort)) continue;
    seen.set(sort, one);
    process.stdout.write(`${describe(one)}\n\n`);
  }
}

while (performance.now() < deadlineMs) {
  await using server = await secureServer({ minWatchMs: 1_000 });
  for (const name of ['default', 'shop'])
    await server.call('/api/v1/namespaces', { method: 'POST', body: { metadata: { name } } });
  const { authority, admin } = server.certificates;
  const goOn =
    (limit: number) =>
    (number: number): boolean => {
      asked++;
      return number < limit && performance.now() < deadlineMs;
    };
  const body = ({ body: bytes, headers }: Found['request']) =>
    bytes === undefined ? undefined : decodeBody(bytes, headers['content-type']);
  report(await fuzzInProcess(server.running.server, body, seed, goOn(REQUESTS)));
  const target = { port: server.port, ca: authority.certificate, cert: admin.certificate, key: admin.key };
  report(await fuzzOverHttps(target, seed, goOn(REQUESTS / 10)));
  const heapMb = Math.round(process.memoryUsage().heapUsed / 2 ** 20);
  process.stdout.write(
    `seed ${seed}: ${asked} requests, ${seen.size} sorts of findings, heap ${heapMb} MB\n`,
  );
  seed++;
}
process.exitCode = seen.size === 0 ? 0 : 1;
