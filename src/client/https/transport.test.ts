import assert from 'node:assert/strict';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { KubeObject, WatchEvent } from '../../api/index.ts';
import type { Clock } from '../../base/index.ts';
import {
  startTestServer,
  testCertificates,
  type Handler,
  type TestServerOptions,
} from '../testing/test-server.ts';
import { createHttpsTransport, type HttpsTransportSettings } from './transport.ts';
import { parseWarnings } from './wire-text.ts';

const json: Handler = (request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(
    JSON.stringify({ method: request.method, url: request.url, headers: request.headers, list: [{ a: 1 }] }),
  );
};

/** Begins an answer and never goes on. */
const stuck: Handler = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
};

async function withServer(
  options: Partial<TestServerOptions>,
  run: (context: {
    server: Awaited<ReturnType<typeof startTestServer>>;
    connect: (more?: Partial<HttpsTransportSettings>) => ReturnType<typeof createHttpsTransport>;
  }) => Promise<void>,
): Promise<void> {
  const { ca } = await testCertificates();
  await using server = await startTestServer({ handler: json, ...options });
  const transports: ReturnType<typeof createHttpsTransport>[] = [];
  try {
    await run({
      server,
      connect: (more = {}) => {
        const transport = createHttpsTransport({ server: server.url, ca, ...more });
        transports.push(transport);
        return transport;
      },
    });
  } finally {
    for (const transport of transports) await transport.close();
  }
}

interface Echo {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly list: readonly object[];
}

for (const [called, options] of [
  ['HTTP/2', {}],
  ['HTTP/1.1', { http1Only: true }],
  ['HTTP/1.1 without TLS', { plain: true }],
] as const) {
  test(`over ${called}, requests carry query, token and impersonation, and answers come frozen`, () =>
    withServer(options, async ({ connect }) => {
      const transport = connect({
        bearerToken: 'secret',
        userAgent: 'test/1',
        impersonate: { user: 'bob', groups: ['g1', 'g2'], extra: { 'Acme.com/Scope': ['all'] } },
      });
      const { status, body } = await transport.send({
        method: 'GET',
        path: '/api/v1/pods',
        query: { labelSelector: 'a=b,c!=d e', x: ['1', '2'] },
      });
      const echo = body as Echo;
      assert.equal(status, 200);
      assert.equal(echo.url, '/api/v1/pods?labelSelector=a%3Db%2Cc!%3Dd%20e&x=1&x=2');
      assert.equal(echo.headers['authorization'], 'Bearer secret');
      assert.equal(echo.headers['impersonate-user'], 'bob');
      assert.equal(echo.headers['impersonate-group'], 'g1, g2');
      assert.equal(echo.headers['impersonate-extra-acme.com%2Fscope'.toLowerCase()], 'all');
      assert.equal(echo.headers['user-agent'], 'test/1');
      assert.ok(Object.isFrozen(echo) && Object.isFrozen(echo.list[0]));
    }));

  test(`over ${called}, watches bring events cut anywhere, and end with the server or the signal`, () =>
    withServer(
      {
        ...options,
        handler(request, response) {
          const event = (name: string): string =>
            `${JSON.stringify({ type: 'ADDED', object: { apiVersion: 'v1', kind: 'Pod', metadata: { name } } })}\n`;
          const bytes = Buffer.from(event('grüße-🚢') + event('b'));
          assert.match(request.url ?? '', /watch=true/);
          response.writeHead(200, { 'content-type': 'application/json' });
          let at = 0;
          const next = (): void => {
            if (at < bytes.length) {
              response.write(bytes.subarray(at, (at += 7)), () => setImmediate(next));
            } else if (!(request.url ?? '').includes('stay')) response.end();
          };
          next();
        },
      },
      async ({ connect }) => {
        const transport = connect();
        const names: (string | undefined)[] = [];
        const onEvent = ({ object }: WatchEvent<KubeObject>): void => {
          assert.ok(Object.isFrozen(object.metadata));
          names.push(object.metadata.name);
        };
        await transport.watch({ method: 'GET', path: '/api/v1/pods' }, onEvent);
        assert.deepEqual(names, ['grüße-🚢', 'b']);
        const stop = new AbortController();
        await transport.watch(
          { method: 'GET', path: '/api/v1/pods', query: { stay: '1' }, signal: stop.signal },
          (event) => {
            onEvent(event);
            if (names.length === 4) stop.abort();
          },
        );
        assert.equal(names.length, 4);
      },
    ));

  test(`over ${called}, a refused watch is the server's Status`, () =>
    withServer(
      {
        ...options,
        handler(_, response) {
          response.writeHead(410, { 'content-type': 'application/json' });
          response.end(JSON.stringify({ kind: 'Status', code: 410, reason: 'Expired', message: 'too old' }));
        },
      },
      async ({ connect }) => {
        const watching = connect().watch({ method: 'GET', path: '/api/v1/pods' }, () => undefined);
        await assert.rejects(watching, {
          name: 'StatusError',
          code: 410,
          reason: 'Expired',
          message: 'too old',
        });
      },
    ));

  test(`over ${called}, a broken connection fails what is under way as a reset, and the next request reconnects`, () =>
    withServer(
      {
        ...options,
        handler(request, response) {
          if (request.url === '/fine') json(request, response);
          else stuck(request, response);
        },
      },
      async ({ server, connect }) => {
        const transport = connect();
        for (const how of ['reset', 'end'] as const) {
          assert.equal((await transport.send({ method: 'GET', path: '/fine' })).status, 200);
          const sending = transport.send({ method: 'GET', path: '/stuck' });
          const watching = transport.watch({ method: 'GET', path: '/stuck' }, () => undefined);
          setTimeout(() => server.cut(how), 50);
          await Promise.all([
            assert.rejects(sending, { name: 'ConnectionError', kind: 'reset' }),
            assert.rejects(watching, { name: 'ConnectionError', kind: 'reset' }),
          ]);
        }
        assert.equal((await transport.send({ method: 'GET', path: '/fine' })).status, 200);
      },
    ));

  test(`over ${called}, a request without an answer ends with its time limit or its signal`, () =>
    withServer({ ...options, handler: () => undefined }, async ({ connect }) => {
      const transport = connect({ timeoutMs: 30 });
      await assert.rejects(transport.send({ method: 'GET', path: '/' }), { kind: 'timeout' });
      await assert.rejects(
        transport.watch({ method: 'GET', path: '/' }, () => undefined),
        { kind: 'timeout' },
      );
      const reason = new Error('enough');
      await assert.rejects(
        transport.send({ method: 'GET', path: '/', signal: AbortSignal.abort(reason) }),
        reason,
      );
      const stop = new AbortController();
      const sending = transport.send({ method: 'GET', path: '/', signal: stop.signal });
      setImmediate(() => stop.abort(reason));
      await assert.rejects(sending, reason);
    }));

  test(`over ${called}, close() breaks off what is under way`, () =>
    withServer({ ...options, handler: () => undefined }, async ({ connect }) => {
      const transport = connect();
      const sending = transport.send({ method: 'GET', path: '/' });
      setTimeout(() => void transport.close(), 20);
      await assert.rejects(sending, { kind: 'closed' });
      await assert.rejects(transport.send({ method: 'GET', path: '/' }), { kind: 'closed' });
    }));
}

test('bodies are sent as JSON with the content type asked for', () =>
  withServer(
    {
      handler(request, response) {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          response.writeHead(201, { 'content-type': 'application/json' });
          const text = Buffer.concat(chunks).toString();
          response.end(JSON.stringify({ text, type: request.headers['content-type'] }));
        });
      },
    },
    async ({ connect }) => {
      const body = { a: 'ü'.repeat(100_000) };
      const { status, body: answer } = await connect().send({
        method: 'PATCH',
        path: '/x',
        body,
        contentType: 'application/merge-patch+json',
      });
      assert.equal(status, 201);
      assert.deepEqual(answer, { text: JSON.stringify(body), type: 'application/merge-patch+json' });
    },
  ));

test('one connection serves many requests at once, further ones are made only when its streams are taken', () =>
  withServer({ maxConcurrentStreams: 4 }, async ({ server, connect }) => {
    const transport = connect();
    await transport.send({ method: 'GET', path: '/' });
    await Promise.all(Array.from({ length: 4 }, () => transport.send({ method: 'GET', path: '/' })));
    assert.equal(server.connections, 1);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => transport.send({ method: 'GET', path: `/${i}` })),
    );
    assert.deepEqual(
      answers.map(({ body }) => (body as Echo).url),
      Array.from({ length: 200 }, (_, i) => `/${i}`),
    );
    assert.ok(server.connections > 1 && server.connections <= 8);
  }));

test('watches leave room for requests', () =>
  withServer(
    {
      maxConcurrentStreams: 4,
      handler(request, response) {
        if (!(request.url ?? '').includes('watch')) json(request, response);
        else stuck(request, response);
      },
    },
    async ({ connect }) => {
      const transport = connect({ maxSessions: 1 });
      await transport.send({ method: 'GET', path: '/' });
      const stop = new AbortController();
      const watches = Array.from({ length: 8 }, () =>
        transport.watch({ method: 'GET', path: '/', signal: stop.signal }, () => undefined),
      );
      const { status } = await transport.send({ method: 'GET', path: '/' });
      assert.equal(status, 200);
      stop.abort();
      await Promise.all(watches);
    },
  ));

test('a server that says go away gets no new requests on that connection, and loses none', () =>
  withServer({}, async ({ server, connect }) => {
    const transport = connect();
    await transport.send({ method: 'GET', path: '/' });
    for (let round = 0; round < 3; round++) {
      for (const session of server.sessions) session.goaway();
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => transport.send({ method: 'GET', path: '/' })),
      );
      assert.ok(answers.every(({ status }) => status === 200));
    }
    assert.ok(server.connections > 1);
  }));

test('a peer that has gone silent is noticed by pings, and everything under way fails as a timeout', () =>
  withServer({ handler: stuck }, async ({ server, connect }) => {
    const transport = connect({ pingIntervalMs: 30, pingTimeoutMs: 30 });
    const watching = transport.watch({ method: 'GET', path: '/' }, () => undefined);
    const sending = transport.send({ method: 'GET', path: '/' });
    setTimeout(() => server.freeze(), 100);
    await Promise.all([
      assert.rejects(watching, { name: 'ConnectionError', kind: 'timeout' }),
      assert.rejects(sending, { name: 'ConnectionError', kind: 'timeout' }),
    ]);
  }));

test('a live but quiet connection is left alone', () =>
  withServer({ handler: stuck }, async ({ server, connect }) => {
    const transport = connect({ pingIntervalMs: 10, pingTimeoutMs: 200 });
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 300);
    await transport.watch({ method: 'GET', path: '/', signal: stop.signal }, () => undefined);
    assert.equal(server.connections, 1);
  }));

test('the client certificate reaches the server', async () => {
  const { clientCert, clientKey } = await testCertificates();
  await withServer({ requireClientCertificate: true }, async ({ connect }) => {
    const { status } = await connect({ clientCert, clientKey }).send({ method: 'GET', path: '/' });
    assert.equal(status, 200);
    await assert.rejects(connect().send({ method: 'GET', path: '/' }), { name: 'ConnectionError' });
  });
});

test('an unknown authority or another name is not trusted, unless told so', async () => {
  const { clientCert } = await testCertificates();
  await withServer({}, async ({ connect }) => {
    const get = { method: 'GET', path: '/' } as const;
    await assert.rejects(connect({ ca: clientCert }).send(get), { kind: 'tls' });
    await assert.rejects(connect({ serverName: 'other.test' }).send(get), { kind: 'tls' });
    assert.equal((await connect({ serverName: 'apiserver.test' }).send(get)).status, 200);
    assert.equal((await connect({ ca: clientCert, insecureSkipTlsVerify: true }).send(get)).status, 200);
  });
});

test('connection failures say what is wrong and what to do', async () => {
  const silent = net.createServer((socket) => void socket.on('error', () => undefined).resume());
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  const waiting = createHttpsTransport({ server: `https://127.0.0.1:${port}`, connectTimeoutMs: 30 });
  await assert.rejects(waiting.send({ method: 'GET', path: '/' }), { code: 'CONNECTION_TIMEOUT' });
  await waiting.close();
  await new Promise((resolve) => silent.close(resolve));
  const refused = createHttpsTransport({ server: `https://127.0.0.1:${port}` });
  await assert.rejects(refused.send({ method: 'GET', path: '/' }), {
    code: 'CONNECTION_REFUSED',
    nextStep: /runs/,
  });
  await refused.close();
  assert.throws(() => createHttpsTransport({ server: 'ftp://x' }), { code: 'URL_UNSUPPORTED' });
  assert.throws(() => createHttpsTransport({ server: 'https://x', proxyUrl: 'socks5://x' }), {
    code: 'URL_UNSUPPORTED',
  });
});

test('a proxy is asked for a tunnel with its credentials, and its refusal is told', async () => {
  const asked: { url: string; authorization: string | undefined }[] = [];
  const proxy = http.createServer();
  proxy.on('connect', (request, socket) => {
    asked.push({ url: request.url ?? '', authorization: request.headers['proxy-authorization'] });
    if (request.headers['proxy-authorization'] === undefined) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const [host, port] = (request.url ?? '').split(':');
    const target = net.connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(target);
      target.pipe(socket);
    });
    target.on('error', () => socket.destroy());
    socket.on('error', () => target.destroy());
    socket.on('close', () => target.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;
  await withServer({}, async ({ server, connect }) => {
    const get = { method: 'GET', path: '/' } as const;
    const open = connect({ proxyUrl: `http://me:p%40ss@127.0.0.1:${port}` });
    assert.equal((await open.send(get)).status, 200);
    assert.deepEqual(asked, [
      {
        url: `127.0.0.1:${server.port}`,
        authorization: `Basic ${Buffer.from('me:p@ss').toString('base64')}`,
      },
    ]);
    await assert.rejects(connect({ proxyUrl: `http://127.0.0.1:${port}` }).send(get), { kind: 'proxy' });
  });
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
});

test('rejected credentials are fetched anew once, and a new certificate means a new connection', () =>
  withServer(
    {
      handler(request, response) {
        const fine = request.headers.authorization === 'Bearer new';
        response.writeHead(fine ? 200 : 401, { 'content-type': 'application/json' });
        response.end('{}');
      },
    },
    async ({ server, connect }) => {
      const { clientCert, clientKey } = await testCertificates();
      let rotated = false;
      const transport = connect({
        credentials: {
          get: () =>
            Promise.resolve(
              rotated
                ? { token: 'new', certificate: { cert: clientCert, key: clientKey } }
                : { token: 'old' },
            ),
          invalidate: () => (rotated = true),
        },
      });
      assert.equal((await transport.send({ method: 'GET', path: '/' })).status, 200);
      assert.equal(server.connections, 2);
    },
  ));

test('warnings of the server are told', () =>
  withServer(
    {
      handler(_, response) {
        response.writeHead(200, { warning: '299 - "unknown field \\"spec.x\\"", 299 - "two"' });
        response.end();
      },
    },
    async ({ connect }) => {
      const warnings: string[] = [];
      await connect({ onWarning: (text) => warnings.push(text) }).send({ method: 'GET', path: '/' });
      assert.deepEqual(warnings, ['unknown field "spec.x"', 'two']);
      assert.deepEqual(parseWarnings(''), []);
    },
  ));

test('a closed transport leaves no timer on its clock', () =>
  withServer({}, async ({ connect }) => {
    let timers = 0;
    const clock: Clock = {
      now: () => 0,
      after: () => {
        let open = true;
        timers++;
        return () => {
          if (open) timers--;
          open = false;
        };
      },
    };
    const transport = connect({ clock });
    await transport.send({ method: 'GET', path: '/' });
    await transport.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(timers, 0);
  }));
