// Flags of upstream's `init` that have no meaning for a control plane of one process: they are taken, since scripts pass them, and
// named when they are set; those that would promise something are refused.
import { Option, type Command } from 'commander';
import { CommandError } from '../../cli/index.ts';

const COMPONENTS = [
  'karmada-aggregated-apiserver',
  'karmada-kube-controller-manager',
  'karmada-controller-manager',
  'karmada-scheduler',
  'karmada-webhook',
];
const OF_ONE_PROCESS = 'the control plane is one process';
const OWN_STORE = 'the control plane keeps its own store';

/** By flag: why it has no effect. */
const WITHOUT_EFFECT: ReadonlyMap<string, string> = new Map([
  ...COMPONENTS.flatMap((one) =>
    ['image', 'replicas', 'priority-class', 'extra-args'].map(
      (what) => [`${one}-${what}`, OF_ONE_PROCESS] as const,
    ),
  ),
  ['kube-image-registry', OF_ONE_PROCESS],
  ['kube-image-mirror-country', OF_ONE_PROCESS],
  ['kube-image-tag', OF_ONE_PROCESS],
  ['crds', 'the kinds come with the program'],
  ['etcd-image', OWN_STORE],
  ['etcd-init-image', OWN_STORE],
  ['etcd-priority-class', OWN_STORE],
  ['etcd-extra-args', OWN_STORE],
]);

/** By flag: what it would need. */
const REFUSED: ReadonlyMap<string, string> = new Map(
  ['servers', 'ca-cert-path', 'client-cert-path', 'client-key-path', 'key-prefix'].map((what) => [
    `external-etcd-${what}`,
    `${OWN_STORE}; leave it out`,
  ]),
);

export function withUpstreamFlags(command: Command): Command {
  for (const name of [...WITHOUT_EFFECT.keys(), ...REFUSED.keys()])
    command.addOption(new Option(`--${name} <value>`, 'of upstream; has no meaning here').hideHelp());
  return command;
}

/** What is to be said of those that are set. Throws CommandError for those that are refused. */
export function upstreamFlagWarnings(flags: Readonly<Record<string, unknown>>): readonly string[] {
  const isSet = (name: string): boolean =>
    flags[name.replaceAll(/-(\w)/g, (_match, letter: string) => letter.toUpperCase())] !== undefined;
  for (const [name, why] of REFUSED)
    if (isSet(name)) throw new CommandError(`--${name} is not supported: ${why}`);
  return [...WITHOUT_EFFECT]
    .filter(([name]) => isSet(name))
    .map(([name, why]) => `--${name} has no effect: ${why}`);
}
