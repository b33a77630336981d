// How to reach a cluster, from a kubeconfig as kubectl reads it, or from the service account of the pod we run in.
import path from 'node:path';
import { OperatingError, systemClock, type Clock } from '../../base/index.ts';
import type { CredentialSource, Credentials, HttpsTransportSettings } from '../https/transport.ts';
import type { Impersonation } from '../https/wire-text.ts';
import { execCredentials, fileCredentials } from './credentials.ts';
import { environmentProxy } from './environment-proxy.ts';
import {
  readKubeconfig,
  readNamedFile,
  type Environment,
  type Kubeconfig,
  type KubeconfigCluster,
  type KubeconfigUser,
  type Placed,
} from './files.ts';

/** All that createHttpsTransport needs, and what the kubeconfig says besides. */
export interface ConnectionSettings extends HttpsTransportSettings {
  /** Names in the kubeconfig; empty in a pod. */
  readonly context: string;
  readonly cluster: string;
  readonly user: string;
  /** Where commands act when they name no namespace; default `default`. */
  readonly namespace: string;
}

export interface KubeconfigOptions {
  /** Only this file, which must exist; else $KUBECONFIG, else ~/.kube/config, else the pod's service account. */
  readonly path?: string;
  /** Default: the current context of the file. */
  readonly context?: string;
  /** Default: those of this process. */
  readonly env?: Environment;
  readonly clock?: Clock;
  /** Where a pod finds its service account. */
  readonly serviceAccountDirectory?: string;
}

const SERVICE_ACCOUNT_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount';
const EXEC_EXTENSION = 'client.authentication.k8s.io/exec';

/** Throws OperatingError with the remedy when a cluster cannot be reached by what is written. */
export async function loadKubeconfig(options: KubeconfigOptions = {}): Promise<ConnectionSettings> {
  const { env = process.env, clock = systemClock } = options;
  const kubeconfig = await readKubeconfig(options.path, env);
  if (kubeconfig === undefined) {
    const inCluster = await inClusterSettings(options);
    if (inCluster !== undefined) return inCluster;
    throw new OperatingError(
      'KUBECONFIG_MISSING',
      'there is no kubeconfig',
      'name one with --kubeconfig or KUBECONFIG',
    );
  }
  return connectionSettings({ from: kubeconfig.from, env, clock }, kubeconfig, options.context);
}

/** The settings of a pod's service account; undefined outside of pods. */
export async function inClusterSettings(
  options: KubeconfigOptions = {},
): Promise<ConnectionSettings | undefined> {
  const { env = process.env, clock = systemClock } = options;
  const directory = options.serviceAccountDirectory ?? SERVICE_ACCOUNT_DIRECTORY;
  const host = env['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = env['KUBERNETES_SERVICE_PORT'] ?? '';
  if (host === '' || port === '') return undefined;
  const ca = await readNamedFile(path.join(directory, 'ca.crt'), "service account's certificate authority");
  const namespace = await readNamedFile(
    path.join(directory, 'namespace'),
    "service account's namespace",
  ).catch(() => 'default');
  const tokenFile = path.join(directory, 'token');
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca,
    credentials: await fileCredentials({ tokenFile, fixed: {} }, clock),
    context: '',
    cluster: '',
    user: '',
    namespace: namespace.trim(),
  };
}

function names(map: ReadonlyMap<string, unknown>): string {
  return [...map.keys()].join(', ');
}

/** What reading any part needs. */
interface Scope {
  readonly from: string;
  readonly env: Environment;
  readonly clock: Clock;
}

async function connectionSettings(
  scope: Scope,
  kubeconfig: Kubeconfig,
  wantedContext: string | undefined,
): Promise<ConnectionSettings> {
  const { from } = scope;
  const { contexts, clusters, users } = kubeconfig;
  const contextName = wantedContext ?? kubeconfig.currentContext;
  if (contextName === '')
    throw new OperatingError(
      'CONTEXT_MISSING',
      `${from} has no current context`,
      contexts.size === 0
        ? 'name another kubeconfig with --kubeconfig or KUBECONFIG'
        : `choose one with --context: ${names(contexts)}`,
    );
  const context = contexts.get(contextName);
  if (context === undefined)
    throw new OperatingError(
      'CONTEXT_MISSING',
      `${from} has no context "${contextName}"`,
      contexts.size === 0 ? 'name another kubeconfig' : `choose one of: ${names(contexts)}`,
    );
  const clusterName = context.cluster ?? '';
  const userName = context.user ?? '';
  const cluster = clusters.get(clusterName);
  if (cluster === undefined || (cluster.value.server ?? '') === '')
    throw incomplete(
      from,
      `context "${contextName}" names the cluster "${clusterName}", which has no server`,
    );
  const user = users.get(userName);
  if (user === undefined && userName !== '')
    throw incomplete(from, `context "${contextName}" names the user "${userName}", who is not there`);
  const clusterSettings = await readCluster(scope, clusterName, cluster);
  const execInfo = execCluster(cluster.value, clusterSettings);
  return {
    ...clusterSettings,
    ...(user === undefined ? {} : await readUser(scope, userName, user, execInfo)),
    context: contextName,
    cluster: clusterName,
    user: userName,
    namespace: (context.namespace ?? '') === '' ? 'default' : context.namespace!,
  };
}

function incomplete(from: string, what: string): OperatingError {
  return new OperatingError(
    'KUBECONFIG_INCOMPLETE',
    `${from}: ${what}`,
    'correct the kubeconfig or choose another context',
  );
}

function decodeData(from: string, what: string, data: string): string {
  const text = Buffer.from(data, 'base64').toString('utf8');
  if (!text.includes('-----BEGIN'))
    throw new OperatingError(
      'KUBECONFIG_INVALID',
      `${from}: ${what} is no PEM in base64`,
      'write the base64 of the PEM file on one line',
    );
  return text;
}

interface ClusterSettings {
  readonly server: string;
  readonly ca?: string;
  readonly insecureSkipTlsVerify?: boolean;
  readonly serverName?: string;
  readonly proxyUrl?: string;
  readonly environmentProxyUrl?: string;
}

async function readCluster(
  { from, env }: Scope,
  name: string,
  { value: cluster, directory }: Placed<KubeconfigCluster>,
): Promise<ClusterSettings> {
  const server = cluster.server ?? '';
  const data = cluster['certificate-authority-data'] ?? '';
  const file = cluster['certificate-authority'] ?? '';
  const serverName = cluster['tls-server-name'] ?? '';
  const insecure = cluster['insecure-skip-tls-verify'] === true;
  if (insecure && (data !== '' || file !== ''))
    throw incomplete(from, `cluster "${name}" has a certificate authority and is not to be verified by it`);
  let ca: string | undefined;
  if (data !== '') ca = decodeData(from, `the certificate-authority-data of cluster "${name}"`, data);
  else if (file !== '') ca = await readNamedFile(path.resolve(directory, file), 'certificate authority');
  const proxyUrl = cluster['proxy-url'] ?? '';
  const environmentProxyUrl = proxyUrl === '' ? environmentProxy(server, env) : undefined;
  return {
    server,
    ...(ca === undefined ? {} : { ca }),
    ...(insecure ? { insecureSkipTlsVerify: true } : {}),
    ...(serverName === '' ? {} : { serverName }),
    ...(proxyUrl === '' ? {} : { proxyUrl }),
    ...(environmentProxyUrl === undefined ? {} : { environmentProxyUrl }),
  };
}

interface UserSettings {
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly bearerToken?: string;
  readonly credentials?: CredentialSource;
  readonly impersonate?: Impersonation;
}

function impersonation(user: KubeconfigUser): Impersonation | undefined {
  const { as: asUser, 'as-uid': uid, 'as-groups': groups, 'as-user-extra': extra } = user;
  if (asUser === undefined || asUser === '') return undefined;
  return {
    user: asUser,
    ...(uid === undefined ? {} : { uid }),
    ...(groups === undefined || groups === null ? {} : { groups }),
    ...(extra === undefined || extra === null ? {} : { extra }),
  };
}

/** A PEM from data or from a file; data wins. */
function pemOf(
  from: string,
  name: string,
  { value, directory }: Placed<KubeconfigUser>,
  field: 'client-certificate' | 'client-key',
): { readonly text?: string; readonly file?: string } {
  const data = value[`${field}-data`] ?? '';
  if (data !== '') return { text: decodeData(from, `the ${field}-data of user "${name}"`, data) };
  const file = value[field] ?? '';
  return file === '' ? {} : { file: path.resolve(directory, file) };
}

async function readUser(
  { from, env, clock }: Scope,
  name: string,
  placed: Placed<KubeconfigUser>,
  execInfo: Readonly<Record<string, unknown>>,
): Promise<UserSettings> {
  const { value: user, directory } = placed;
  if (user['auth-provider'])
    throw new OperatingError(
      'AUTH_PROVIDER_UNSUPPORTED',
      `${from}: user "${name}" uses the auth provider "${user['auth-provider'].name ?? ''}", which Kubernetes has removed`,
      'use a credential plugin (exec) instead',
    );
  const cert = pemOf(from, name, placed, 'client-certificate');
  const key = pemOf(from, name, placed, 'client-key');
  if ((cert.text ?? cert.file) === undefined && (key.text ?? key.file) !== undefined)
    throw incomplete(from, `user "${name}" has a client key without its certificate`);
  if ((cert.text ?? cert.file) !== undefined && (key.text ?? key.file) === undefined)
    throw incomplete(from, `user "${name}" has a client certificate without its key`);
  const { token = '', username = '', password = '' } = user;
  const fixed: Credentials = {
    ...(token === '' ? {} : { token }),
    ...(username === '' ? {} : { basic: { username, password } }),
    ...(cert.text === undefined && key.text === undefined
      ? {}
      : { certificate: { cert: cert.text ?? '', key: key.text ?? '' } }),
  };
  const impersonate = impersonation(user);
  const others = impersonate === undefined ? {} : { impersonate };
  if (user.exec) {
    const context = {
      user: name,
      directory,
      env,
      clock,
      cluster: execInfo,
      fixed,
    };
    return { ...others, credentials: execCredentials(user.exec, context) };
  }
  const tokenFile = user.tokenFile === undefined || user.tokenFile === '' ? undefined : user.tokenFile;
  if (
    tokenFile !== undefined ||
    cert.file !== undefined ||
    key.file !== undefined ||
    fixed.basic !== undefined
  ) {
    const files = {
      tokenFile: tokenFile === undefined ? undefined : path.resolve(directory, tokenFile),
      certificateFile: cert.file,
      keyFile: key.file,
      fixed,
    };
    return { ...others, credentials: await fileCredentials(files, clock) };
  }
  return {
    ...others,
    ...(cert.text === undefined ? {} : { clientCert: cert.text }),
    ...(key.text === undefined ? {} : { clientKey: key.text }),
    ...(token === '' ? {} : { bearerToken: token }),
  };
}

/** What a credential plugin is told about the cluster: client.authentication.k8s.io Cluster. */
function execCluster(
  cluster: KubeconfigCluster,
  settings: ClusterSettings,
): Readonly<Record<string, unknown>> {
  const { server, ca, insecureSkipTlsVerify, serverName, proxyUrl } = settings;
  const config = cluster.extensions?.find(({ name }) => name === EXEC_EXTENSION)?.extension;
  return {
    server,
    ...(serverName === undefined ? {} : { 'tls-server-name': serverName }),
    ...(insecureSkipTlsVerify === true ? { 'insecure-skip-tls-verify': true } : {}),
    ...(ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }),
    ...(proxyUrl === undefined ? {} : { 'proxy-url': proxyUrl }),
    ...(config === undefined ? {} : { config }),
  };
}
