// The in-process transport for programs that speak HTTPS: a port behind which every request is handed to a member's
// API server as frozen objects, so that the recorded corpus judges that way in too. What the transport does not carry
// (bodies that are no JSON, headers of answers, credentials of others) cannot be judged by it.
//   node scripts/in-process-bridge.ts DIRECTORY     writes DIRECTORY/kubeconfig and prints "Ready in"
import { writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import {
  kubeconfigYaml,
  memoryVault,
  objectCodec,
  openCertificates,
  type InProcessRequest,
} from '../src/apiserver/index.ts';
import { silentLogger, systemClock, systemRandom } from '../src/base/index.ts';
import { StatusError } from '../src/machinery/index.ts';
import { startMember, type Member } from '../src/members/index.ts';
import { createMemoryStorage } from '../src/storage/index.ts';

const [directory = '.'] = process.argv.slice(2);
const started = performance.now();
const host = '127.0.0.1';

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? undefined : JSON.parse(text);
}

function queryOf(params: URLSearchParams): Record<string, readonly string[]> {
  return Object.fromEntries([...new Set(params.keys())].map((name) => [name, params.getAll(name)]));
}

function answer(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string | readonly string[] | undefined>> = {},
): void {
  const known = Object.entries(headers).filter(([, value]) => value !== undefined);
  const [type, text] =
    typeof body === 'string' ? ['text/plain', body] : ['application/json', JSON.stringify(body)];
  response.writeHead(status, { 'content-type': type, ...Object.fromEntries(known) }).end(text);
}

async function watch(member: Member, request: InProcessRequest, response: ServerResponse): Promise<void> {
  const stopping = new AbortController();
  response.on('close', () => stopping.abort());
  // The transport does not say when a watch stands; a refusal comes before its first event.
  const stands = setTimeout(() => response.flushHeaders(), 50);
  try {
    await member.inside.watch({ ...request, signal: stopping.signal }, (event) => {
      response.write(`${JSON.stringify(event)}\n`);
    });
    response.end();
  } catch (error) {
    clearTimeout(stands);
    if (response.headersSent || !(error instanceof StatusError)) response.destroy();
    else answer(response, error.code, error.status);
  } finally {
    clearTimeout(stands);
  }
}

async function handle(member: Member, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(incoming.url ?? '/', `https://${host}`);
  const body = await bodyOf(incoming);
  const headers = Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [name, [value ?? ''].flat().join(',')]),
  );
  const request: InProcessRequest = {
    method: incoming.method as InProcessRequest['method'],
    path: url.pathname,
    query: queryOf(url.searchParams),
    headers,
    ...(body === undefined ? {} : { body }),
  };
  if (['true', '1'].includes(url.searchParams.get('watch') ?? '')) return watch(member, request, response);
  const { status, body: object, headers: known } = await member.inside.send(request);
  answer(response, status, object, known);
}

const certificates = await openCertificates({
  vault: memoryVault(),
  now: Date.now(),
  clusterName: 'inside',
  hosts: [host],
});
const member = await startMember({
  name: 'inside',
  storage: createMemoryStorage(objectCodec),
  clock: systemClock,
  random: systemRandom,
  logger: silentLogger,
  certificates,
  port: 'none',
  simulate: 'none',
});
await member.ready;
const { server: tls, authority, admin } = certificates;
const server = createServer({ key: tls.key, cert: tls.certificate }, (incoming, response) => {
  handle(member, incoming, response).catch((error: unknown) => {
    if (response.headersSent) response.destroy();
    else answer(response, 500, String(error));
  });
});
server.listen(0, host, () => {
  const { port } = server.address() as AddressInfo;
  const context = {
    contextName: 'inside',
    server: `https://${host}:${port}`,
    certificateAuthority: authority.certificate,
    credentials: admin,
  };
  writeFileSync(path.join(directory, 'kubeconfig'), kubeconfigYaml([context]));
  console.log(`Ready in ${((performance.now() - started) / 1000).toFixed(2)} s`);
});
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
  void member.close();
});
