// The descheduler as an addon: a controller of the control plane, switched by an argument of the one that runs in a host cluster.
import type { KubeObject } from '../../api/index.ts';
import { resource } from '../../client/index.ts';
import { print } from '../command.ts';
import { CommandError } from '../shell/index.ts';
import { withHost, type AddonFlags } from './host.ts';

const STATEFUL_SETS = resource({ group: 'apps', version: 'v1', resource: 'statefulsets', namespaced: true });
const CONTROL_PLANE = 'navarch';
const CONTROLLERS = '--controllers=';
const ESTIMATES = '--enable-scheduler-estimator';

interface ControlPlaneSet {
  readonly found: KubeObject;
  readonly args: readonly string[];
}

function setOf(found: KubeObject | undefined): ControlPlaneSet | undefined {
  const spec = found?.['spec'] as
    | {
        readonly template?: {
          readonly spec?: { readonly containers?: readonly { readonly args?: readonly string[] }[] };
        };
      }
    | undefined;
  const args = spec?.template?.spec?.containers?.[0]?.args;
  return found === undefined || args === undefined ? undefined : { found, args };
}

function controllersIn(args: readonly string[]): readonly string[] {
  return (
    args
      .find((one) => one.startsWith(CONTROLLERS))
      ?.slice(CONTROLLERS.length)
      .split(',') ?? ['*']
  );
}

/** The arguments with the descheduler among the controllers, or without it; the same when that is so. */
function withDescheduler(args: readonly string[], on: boolean): readonly string[] {
  const before = controllersIn(args);
  if (before.includes('descheduler') === on) return args;
  const names = on ? [...before, 'descheduler'] : before.filter((one) => one !== 'descheduler');
  const rest = args.filter((one) => !one.startsWith(CONTROLLERS));
  const estimates = on && !rest.some((one) => one.startsWith(ESTIMATES)) ? [`${ESTIMATES}=true`] : [];
  const whole = names.length === 1 && names[0] === '*';
  return [...rest, ...(whole ? [] : [`${CONTROLLERS}${names.join(',')}`]), ...estimates];
}

export async function deschedulerStatus(flags: AddonFlags): Promise<string> {
  if (flags.kubeconfig === undefined) return 'unknown';
  try {
    return await withHost(flags, async (host) => {
      const set = setOf(await host.find(STATEFUL_SETS, { namespace: flags.namespace, name: CONTROL_PLANE }));
      if (set === undefined || !controllersIn(set.args).includes('descheduler')) return 'disabled';
      const { readyReplicas = 0 } = (set.found['status'] ?? {}) as { readonly readyReplicas?: number };
      return readyReplicas > 0 ? 'enabled' : 'unhealthy';
    });
  } catch {
    return 'unknown';
  }
}

export async function switchDescheduler(flags: AddonFlags, on: boolean): Promise<void> {
  await withHost(flags, async (host) => {
    const key = { namespace: flags.namespace, name: CONTROL_PLANE };
    const set = setOf(await host.find(STATEFUL_SETS, key));
    if (set === undefined)
      throw new CommandError(
        `there is no control plane ${key.namespace}/${key.name} in the host cluster: where it runs otherwise, start it ${on ? `with ${CONTROLLERS}*,descheduler ${ESTIMATES}` : 'without the descheduler among its --controllers'}`,
      );
    const args = withDescheduler(set.args, on);
    if (args !== set.args)
      await host.patch(STATEFUL_SETS, key, {
        type: 'json',
        body: [
          { op: 'test', path: '/metadata/resourceVersion', value: set.found.metadata.resourceVersion },
          { op: 'replace', path: '/spec/template/spec/containers/0/args', value: args },
        ],
      });
  });
  print(`Karmada descheduler is ${on ? 'installed' : 'uninstalled'} successfully.`);
}
