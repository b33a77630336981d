// What every command that talks to a control plane shares.
import type { Command } from 'commander';
import { OperatingError, systemClock } from '../base/index.ts';
import {
  createClient,
  createHttpsTransport,
  loadKubeconfig,
  type Client,
  type ConnectionSettings,
} from '../client/index.ts';
import { DurationError, parseDuration } from '../machinery/index.ts';

export type SetExitCode = (code: number) => void;
export type { ConnectionSettings } from '../client/index.ts';

interface Connected {
  readonly client: Client;
  readonly settings: ConnectionSettings;
}

/** The server that a kubeconfig names; without one, that of kubectl. */
export async function connect(
  kubeconfig: string | undefined,
  context: string | undefined,
  impersonate?: ConnectionSettings['impersonate'],
): Promise<Connected> {
  const settings = await loadKubeconfig({
    ...(kubeconfig === undefined ? {} : { path: kubeconfig }),
    ...(context === undefined ? {} : { context }),
  });
  const transport = createHttpsTransport({
    ...settings,
    ...(impersonate === undefined ? {} : { impersonate }),
    clock: systemClock,
    userAgent: 'navarch',
  });
  return { client: createClient(transport, { fieldManager: 'navarch' }), settings };
}

/** Adds the flags that say which control plane is meant. */
export function withHub(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'kubeconfig of the control plane; else $KUBECONFIG, else ~/.kube/config')
    .option('--karmada-context <name>', 'context of the control plane in that file');
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Milliseconds; throws OperatingError BAD_FLAG. */
export function readDuration(flag: string, text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
    throw new OperatingError(
      'BAD_FLAG',
      `--${flag} is no duration: "${text}"`,
      'write it like 30s, 5m or 1h30m',
    );
  }
}

/** Who the server takes us for. */
export async function userOf(client: Client): Promise<string> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const answer = (await client.request({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    body,
  })) as { readonly status?: { readonly userInfo?: { readonly username?: string } } };
  return answer.status?.userInfo?.username ?? 'unknown';
}
