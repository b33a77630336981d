import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Clock } from '../../base/index.ts';
import { createHttpsTransport } from '../https/transport.ts';
import { startTestServer, testCertificates } from '../testing/test-server.ts';
import { formatYaml } from '../../machinery/index.ts';
import { environmentProxy } from './environment-proxy.ts';
import { inClusterSettings, loadKubeconfig, type KubeconfigOptions } from './kubeconfig.ts';

let directory = '';
before(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'navarch-kubeconfig-'));
});
after(() => rm(directory, { recursive: true, force: true }));

let files = 0;
async function write(content: unknown, name = `file-${files++}`): Promise<string> {
  const file = path.join(directory, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, typeof content === 'string' ? content : formatYaml(content));
  return file;
}

interface Parts {
  readonly cluster?: object;
  readonly user?: object;
  readonly context?: object;
}

function config({ cluster = {}, user = {}, context = {} }: Parts): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'main',
    clusters: [{ name: 'c', cluster: { server: 'https://10.0.0.1:6443', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'main', context: { cluster: 'c', user: 'u', ...context } }],
  };
}

async function load(parts: Parts, options: KubeconfigOptions = {}): ReturnType<typeof loadKubeconfig> {
  return loadKubeconfig({ path: await write(config(parts)), env: {}, ...options });
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const PEM = '-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n';

test('everything that a static kubeconfig can say is read', async () => {
  const settings = await load({
    cluster: {
      'certificate-authority-data': base64(PEM),
      'tls-server-name': 'api.test',
      'proxy-url': 'http://proxy:3128',
    },
    user: {
      'client-certificate-data': base64(PEM),
      'client-key-data': base64(PEM),
      token: 'secret',
      as: 'bob',
      'as-groups': ['g'],
      'as-user-extra': { scope: ['all'] },
    },
    context: { namespace: 'shop' },
  });
  assert.deepEqual(settings, {
    server: 'https://10.0.0.1:6443',
    ca: PEM,
    serverName: 'api.test',
    proxyUrl: 'http://proxy:3128',
    clientCert: PEM,
    clientKey: PEM,
    bearerToken: 'secret',
    impersonate: { user: 'bob', groups: ['g'], extra: { scope: ['all'] } },
    context: 'main',
    cluster: 'c',
    user: 'u',
    namespace: 'shop',
  });
});

test('the files of KUBECONFIG are merged, the first that names something wins', async () => {
  const first = await write({
    'current-context': 'b',
    contexts: [{ name: 'a', context: { cluster: 'c', user: 'u', namespace: 'first' } }],
    users: [{ name: 'u', user: { token: 'first' } }],
  });
  const second = await write({
    'current-context': 'a',
    contexts: [
      { name: 'a', context: { cluster: 'c', user: 'u', namespace: 'second' } },
      { name: 'b', context: { cluster: 'c', user: 'u', namespace: 'b' } },
    ],
    clusters: [{ name: 'c', cluster: { server: 'https://second' } }],
    users: [{ name: 'u', user: { token: 'second' } }],
  });
  const env = { KUBECONFIG: [first, path.join(directory, 'missing'), second].join(path.delimiter) };
  const current = await loadKubeconfig({ env });
  assert.deepEqual(
    [current.context, current.namespace, current.bearerToken, current.server],
    ['b', 'b', 'first', 'https://second'],
  );
  const chosen = await loadKubeconfig({ env, context: 'a' });
  assert.equal(chosen.namespace, 'first');
});

test('without KUBECONFIG the one of the home directory counts', async () => {
  await write(config({ user: { token: 'home' } }), 'home/.kube/config');
  const settings = await loadKubeconfig({ env: { HOME: path.join(directory, 'home') } });
  assert.equal(settings.bearerToken, 'home');
});

test('paths are relative to the file that names them, and tokens are read again', async () => {
  await write(PEM, 'rel/ca.pem');
  await write('one\n', 'rel/token');
  const file = await write(
    config({ cluster: { 'certificate-authority': 'ca.pem' }, user: { tokenFile: 'token', token: 'no' } }),
    'rel/config',
  );
  let nowMs = 0;
  const clock: Clock = { now: () => nowMs, after: () => () => undefined };
  const settings = await loadKubeconfig({ path: file, env: {}, clock });
  assert.equal(settings.ca, PEM);
  assert.equal((await settings.credentials?.get())?.token, 'one');
  await write('two\n', 'rel/token');
  assert.equal((await settings.credentials?.get())?.token, 'one');
  nowMs += 60_000;
  assert.equal((await settings.credentials?.get())?.token, 'two');
  await rm(path.join(directory, 'rel/token'));
  nowMs += 60_000;
  assert.equal((await settings.credentials?.get())?.token, 'two');
});

async function plugin(answer: object, body = ''): Promise<string> {
  const script = `#!${process.execPath}\n${body}\nprocess.stdout.write(${JSON.stringify(JSON.stringify(answer))});\n`;
  const file = await write(script, `plugins/plugin-${files++}.cjs`);
  await chmod(file, 0o755);
  return file;
}

const credential = (status: object, apiVersion = 'client.authentication.k8s.io/v1'): object => ({
  apiVersion,
  kind: 'ExecCredential',
  status,
});

test('a credential plugin is told about the cluster and kept until its credentials expire', async () => {
  let nowMs = Date.parse('2026-01-01T00:00:00Z');
  const clock: Clock = { now: () => nowMs, after: () => () => undefined };
  const seen = path.join(directory, 'seen.json');
  const body = `require('node:fs').appendFileSync(process.env.SEEN, JSON.stringify([process.argv.slice(2), JSON.parse(process.env.KUBERNETES_EXEC_INFO)]) + '\\n');`;
  const command = await plugin(
    credential({ token: 'short', expirationTimestamp: '2026-01-01T01:00:00Z' }),
    body,
  );
  const settings = await load(
    {
      cluster: {
        'certificate-authority-data': base64(PEM),
        extensions: [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'x' } }],
      },
      user: {
        exec: {
          apiVersion: 'client.authentication.k8s.io/v1',
          command,
          args: ['get', 'token'],
          env: [{ name: 'SEEN', value: seen }],
          interactiveMode: 'Never',
          provideClusterInfo: true,
        },
      },
    },
    { clock },
  );
  const source = settings.credentials!;
  const [one, two] = await Promise.all([source.get(), source.get()]);
  assert.equal(one.token, 'short');
  assert.equal(one, two);
  nowMs += 3_599_000;
  await source.get();
  nowMs += 1000;
  await source.get();
  source.invalidate();
  await source.get();
  const { readFile } = await import('node:fs/promises');
  const calls = (await readFile(seen, 'utf8')).trim().split('\n');
  assert.equal(calls.length, 3);
  assert.deepEqual(JSON.parse(calls[0]!), [
    ['get', 'token'],
    {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      spec: {
        interactive: false,
        cluster: {
          server: 'https://10.0.0.1:6443',
          'certificate-authority-data': base64(PEM),
          config: { audience: 'x' },
        },
      },
    },
  ]);
});

const execCases: { name: string; answer: object; exec?: object; body?: string; error: object }[] = [
  {
    name: 'a plugin that fails',
    answer: {},
    body: 'process.exit(3);',
    error: { code: 'EXEC_FAILED', message: /code 3/, nextStep: 'install it from example.com' },
  },
  {
    name: 'a plugin of another version',
    answer: credential({ token: 'x' }, 'client.authentication.k8s.io/v1beta1'),
    error: { code: 'EXEC_FAILED', message: /v1beta1/ },
  },
  {
    name: 'a plugin without credentials',
    answer: credential({}),
    error: { code: 'EXEC_FAILED', message: /no credentials/ },
  },
  {
    name: 'a certificate without a key',
    answer: credential({ clientCertificateData: PEM }),
    error: { code: 'EXEC_FAILED', message: /without its key/ },
  },
  {
    name: 'a plugin that is not there',
    answer: {},
    exec: { command: 'navarch-no-such-plugin' },
    error: { code: 'EXEC_FAILED', message: /ENOENT/ },
  },
];
for (const { name, answer, exec, body, error } of execCases) {
  test(`${name} is reported with the remedy`, async () => {
    const command = await plugin(answer, body);
    const apiVersion = 'client.authentication.k8s.io/v1';
    const installHint = 'install it from example.com.\n';
    const settings = await load({
      user: { exec: { apiVersion, command, installHint, interactiveMode: 'Never', ...exec } },
    });
    await assert.rejects(settings.credentials!.get(), error);
  });
}

const brokenCases: {
  name: string;
  parts?: Parts;
  text?: string;
  options?: KubeconfigOptions;
  code: string;
  nextStep?: RegExp;
}[] = [
  { name: 'an unknown context', options: { context: 'other' }, code: 'CONTEXT_MISSING', nextStep: /main/ },
  {
    name: 'a context of an unknown cluster',
    parts: { context: { cluster: 'x' } },
    code: 'KUBECONFIG_INCOMPLETE',
  },
  { name: 'a context of an unknown user', parts: { context: { user: 'x' } }, code: 'KUBECONFIG_INCOMPLETE' },
  { name: 'a file that is no kubeconfig', text: 'kind: Pod\n', code: 'KUBECONFIG_INVALID' },
  { name: 'a file that is no YAML', text: 'a: [\n', code: 'YAML_INVALID' },
  {
    name: 'data that is no base64 of a PEM',
    parts: { cluster: { 'certificate-authority-data': 'x' } },
    code: 'KUBECONFIG_INVALID',
  },
  {
    name: 'a certificate authority that is not there',
    parts: { cluster: { 'certificate-authority': '/no/ca' } },
    code: 'KUBECONFIG_FILE_UNREADABLE',
  },
  {
    name: 'a key without its certificate',
    parts: { user: { 'client-key-data': base64(PEM) } },
    code: 'KUBECONFIG_INCOMPLETE',
  },
  {
    name: 'an authority that is not to be used',
    parts: { cluster: { 'certificate-authority-data': base64(PEM), 'insecure-skip-tls-verify': true } },
    code: 'KUBECONFIG_INCOMPLETE',
  },
  {
    name: 'an auth provider',
    parts: { user: { 'auth-provider': { name: 'gcp' } } },
    code: 'AUTH_PROVIDER_UNSUPPORTED',
    nextStep: /exec/,
  },
  {
    name: 'a plugin of an old version',
    parts: { user: { exec: { apiVersion: 'client.authentication.k8s.io/v1alpha1', command: 'x' } } },
    code: 'EXEC_VERSION_UNSUPPORTED',
  },
];
for (const { name, parts, text, options, code, nextStep = /./ } of brokenCases) {
  test(`${name} is refused`, async () => {
    const file = await write(text ?? config(parts ?? {}));
    await assert.rejects(loadKubeconfig({ path: file, env: {}, ...options }), { code, nextStep });
  });
}

test('no kubeconfig at all is an error that says where it is looked for', async () => {
  const env = { HOME: path.join(directory, 'nobody') };
  await assert.rejects(loadKubeconfig({ env }), { code: 'KUBECONFIG_MISSING', nextStep: /KUBECONFIG/ });
  await assert.rejects(loadKubeconfig({ env, path: '/no/file' }), {
    code: 'KUBECONFIG_MISSING',
    message: /\/no\/file/,
  });
});

test('a pod without a kubeconfig uses its service account', async () => {
  await write(PEM, 'account/ca.crt');
  await write('token-1', 'account/token');
  await write('shop', 'account/namespace');
  const env = { HOME: '/nobody', KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
  const options = { env, serviceAccountDirectory: path.join(directory, 'account') };
  const settings = await loadKubeconfig(options);
  assert.deepEqual(
    [settings.server, settings.ca, settings.namespace],
    ['https://[fd00::1]:443', PEM, 'shop'],
  );
  assert.equal((await settings.credentials?.get())?.token, 'token-1');
  assert.equal(await inClusterSettings({ env: {} }), undefined);
});

test('what was loaded connects', async () => {
  const { ca, clientCert, clientKey } = await testCertificates();
  await using server = await startTestServer({
    requireClientCertificate: true,
    handler: (request, response) => response.end(request.headers['impersonate-user']),
  });
  const settings = await load({
    cluster: { server: server.url, 'certificate-authority-data': base64(ca) },
    user: { 'client-certificate-data': base64(clientCert), 'client-key-data': base64(clientKey), as: 'bob' },
  });
  const transport = createHttpsTransport(settings);
  assert.equal((await transport.send({ method: 'GET', path: '/' })).body, 'bob');
  await transport.close();
});

const proxyCases: [server: string, env: Record<string, string>, proxy: string | undefined][] = [
  ['https://api.example.com:6443', { HTTPS_PROXY: 'http://p:1' }, 'http://p:1'],
  ['https://api.example.com', { https_proxy: 'p:1' }, 'http://p:1'],
  ['https://api.example.com', { HTTP_PROXY: 'http://p:1' }, undefined],
  ['http://api.example.com', { HTTP_PROXY: 'http://p:1' }, 'http://p:1'],
  ['https://127.0.0.1:6443', { HTTPS_PROXY: 'http://p:1' }, undefined],
  ['https://[::1]:6443', { HTTPS_PROXY: 'http://p:1' }, undefined],
  ['https://api.example.com', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'other, example.com' }, undefined],
  ['https://badexample.com', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'example.com' }, 'http://p:1'],
  ['https://example.com', { HTTPS_PROXY: 'http://p:1', NO_PROXY: '.example.com' }, 'http://p:1'],
  ['https://a.example.com', { HTTPS_PROXY: 'http://p:1', NO_PROXY: '*.example.com' }, undefined],
  ['https://10.1.2.3', { HTTPS_PROXY: 'http://p:1', no_proxy: '10.0.0.0/8' }, undefined],
  ['https://11.1.2.3', { HTTPS_PROXY: 'http://p:1', no_proxy: '10.0.0.0/8' }, 'http://p:1'],
  ['https://[fd00::1]', { HTTPS_PROXY: 'http://p:1', no_proxy: 'fd00::/8' }, undefined],
  ['https://a.test:8443', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'a.test:443' }, 'http://p:1'],
  ['https://a.test', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'a.test:443' }, undefined],
  ['https://a.test', { HTTPS_PROXY: 'http://p:1', NO_PROXY: '*' }, undefined],
];
for (const [server, env, proxy] of proxyCases) {
  test(`${JSON.stringify(env)} means ${proxy ?? 'no proxy'} for ${server}`, () => {
    assert.equal(environmentProxy(server, env), proxy);
  });
}
