// Credentials that change while we use them: files that somebody rotates, and programs that hand out short-lived ones.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { OperatingError, errorMessage, type Clock } from '../../base/index.ts';
import type { CredentialSource, Credentials } from '../https/transport.ts';
import { readNamedFile, type Environment, type ExecSettings } from './files.ts';

// As client-go: often enough for a token that is renewed when a tenth of its hour is left.
const REREAD_MS = 60_000;
/** LIMIT: for a program that may open a browser and wait for a person. */
const EXEC_TIMEOUT_MS = 300_000;
/** LIMIT: of what such a program prints. */
const EXEC_OUTPUT_BYTES = 1024 * 1024;

export interface CredentialFiles {
  readonly tokenFile?: string | undefined;
  readonly certificateFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** What the files do not give. */
  readonly fixed: Credentials;
}

/** Reads files now and again; a file that cannot be read for a moment keeps its last content. */
export async function fileCredentials(files: CredentialFiles, clock: Clock): Promise<CredentialSource> {
  const { tokenFile, certificateFile, keyFile, fixed } = files;
  const read = async (): Promise<Credentials> => {
    const token =
      tokenFile === undefined ? fixed.token : (await readNamedFile(tokenFile, 'token file')).trim();
    if (certificateFile === undefined && keyFile === undefined) return { ...fixed, token };
    const [cert, key] = await Promise.all([
      certificateFile === undefined
        ? fixed.certificate?.cert
        : readNamedFile(certificateFile, 'client certificate'),
      keyFile === undefined ? fixed.certificate?.key : readNamedFile(keyFile, 'client key'),
    ]);
    return { ...fixed, token, certificate: { cert: cert ?? '', key: key ?? '' } };
  };
  let last = await read();
  let readAtMs = clock.now();
  let reading: Promise<void> | undefined;
  return {
    async get() {
      if (clock.now() - readAtMs >= REREAD_MS) {
        reading ??= read()
          .then((now) => {
            last = now;
          })
          .catch(() => undefined)
          .finally(() => {
            readAtMs = clock.now();
            reading = undefined;
          });
        await reading;
      }
      return last;
    },
    invalidate() {
      readAtMs = -Infinity;
    },
  };
}

interface ExecCredential {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly status?: {
    readonly expirationTimestamp?: string;
    readonly token?: string;
    readonly clientCertificateData?: string;
    readonly clientKeyData?: string;
  };
}

export interface ExecContext {
  readonly user: string;
  /** Commands with a slash are relative to it. */
  readonly directory: string;
  readonly env: Environment;
  readonly clock: Clock;
  /** What to tell the program about the cluster, when it wants to know. */
  readonly cluster: Readonly<Record<string, unknown>>;
  readonly fixed: Credentials;
}

const EXEC_GROUP = 'client.authentication.k8s.io';
const execVersions = [`${EXEC_GROUP}/v1`, `${EXEC_GROUP}/v1beta1`];

/** Credentials of a client.authentication.k8s.io plugin, kept until they expire or the server rejects them. */
export function execCredentials(exec: ExecSettings, context: ExecContext): CredentialSource {
  const { user, clock, fixed } = context;
  const apiVersion = exec.apiVersion ?? '';
  if (!execVersions.includes(apiVersion))
    throw new OperatingError(
      'EXEC_VERSION_UNSUPPORTED',
      `user "${user}" runs a credential plugin of version "${apiVersion}"`,
      `use a plugin of ${execVersions.join(' or ')}`,
    );
  let last: { readonly credentials: Credentials; readonly untilMs: number } | undefined;
  let running: Promise<Credentials> | undefined;
  const fetch = async (): Promise<Credentials> => {
    const { status = {} } = await runPlugin(exec, apiVersion, context);
    const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = status;
    const credentials: Credentials = {
      ...fixed,
      ...(token === undefined ? {} : { token }),
      ...(cert === undefined || key === undefined ? {} : { certificate: { cert, key } }),
    };
    const untilMs = expirationTimestamp === undefined ? Infinity : Date.parse(expirationTimestamp);
    last = { credentials, untilMs };
    return credentials;
  };
  return {
    async get() {
      if (last !== undefined && clock.now() < last.untilMs) return last.credentials;
      running ??= fetch().finally(() => (running = undefined));
      return running;
    },
    invalidate() {
      last = undefined;
    },
  };
}

function isInteractive(exec: ExecSettings, user: string): boolean {
  const terminal = process.stdin.isTTY;
  const mode = exec.interactiveMode ?? 'IfAvailable';
  if (mode === 'Always' && !terminal)
    throw new OperatingError(
      'EXEC_NEEDS_TERMINAL',
      `the credential plugin of user "${user}" asks questions, and there is no terminal`,
      'run the command in a terminal, or use credentials that need no person',
    );
  return mode !== 'Never' && terminal;
}

function failure(exec: ExecSettings, user: string, why: string, cause?: unknown): OperatingError {
  const hint = exec.installHint?.trim().replace(/\.$/, '');
  return new OperatingError(
    'EXEC_FAILED',
    `the credential plugin "${exec.command}" of user "${user}" failed: ${why}`,
    hint === undefined || hint === '' ? 'run it by hand to see why, or install it' : hint,
    { cause },
  );
}

async function runPlugin(
  exec: ExecSettings,
  apiVersion: string,
  context: ExecContext,
): Promise<ExecCredential> {
  const { user, directory, env, cluster, clock } = context;
  const interactive = isInteractive(exec, user);
  const info = {
    apiVersion,
    kind: 'ExecCredential',
    spec: { interactive, ...(exec.provideClusterInfo === true ? { cluster } : {}) },
  };
  const command = exec.command.includes('/') ? path.resolve(directory, exec.command) : exec.command;
  const added = Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value]));
  const text = await new Promise<string>((resolve, reject) => {
    const child = spawn(command, [...(exec.args ?? [])], {
      env: { ...env, ...added, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
      stdio: [interactive ? 'inherit' : 'ignore', 'pipe', 'inherit'],
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    const cancel = clock.after(EXEC_TIMEOUT_MS, () => {
      child.kill();
      reject(failure(exec, user, `it did not end in ${EXEC_TIMEOUT_MS / 1000} s`));
    });
    child.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > EXEC_OUTPUT_BYTES) child.kill();
    });
    child.on('error', (error) => {
      cancel();
      reject(failure(exec, user, errorMessage(error), error));
    });
    child.on('close', (code, signal) => {
      cancel();
      if (code === 0) resolve(Buffer.concat(chunks).toString('utf8'));
      else
        reject(
          failure(exec, user, code === null ? `it was ended by ${signal}` : `it ended with code ${code}`),
        );
    });
  });
  return checkAnswer(exec, apiVersion, user, text);
}

function checkAnswer(exec: ExecSettings, apiVersion: string, user: string, text: string): ExecCredential {
  let answer: ExecCredential;
  try {
    answer = JSON.parse(text) as ExecCredential;
  } catch (error) {
    throw failure(exec, user, 'it printed no JSON', error);
  }
  if (answer.kind !== 'ExecCredential' || answer.apiVersion !== apiVersion)
    throw failure(exec, user, `it printed a ${answer.kind} of ${answer.apiVersion} instead of ${apiVersion}`);
  const { token = '', clientCertificateData = '', clientKeyData = '' } = answer.status ?? {};
  if (token === '' && clientCertificateData === '') throw failure(exec, user, 'it printed no credentials');
  if ((clientCertificateData === '') !== (clientKeyData === ''))
    throw failure(exec, user, 'it printed a certificate without its key, or a key without its certificate');
  return answer;
}
