// Commands of Glasskube's that have no counterpart here: refused by name, with what to do instead.
import { Command } from 'commander';
import { OperatingError } from '../../base/index.ts';

interface Absent {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly why: string;
  readonly next: string;
}

const ABSENT: readonly Absent[] = [
  {
    name: 'bootstrap',
    aliases: [],
    why: 'nothing is installed into a cluster to manage packages: the operator is a part of this program, and brings its kinds along',
    next: 'start "navarch package-operator --kubeconfig FILE" for the cluster, then "navarch package repo add NAME URL --default"',
  },
  {
    name: 'purge',
    aliases: [],
    why: 'packages are not taken down in one go',
    next: 'uninstall them with "navarch package uninstall", stop the package operator, then delete the definitions of the group packages.glasskube.dev and the namespace glasskube-system',
  },
  {
    name: 'serve',
    aliases: ['start', 'ui'],
    why: 'there is no web interface',
    next: 'look with "navarch package list" and "navarch package describe", or with any tool that shows objects of Kubernetes',
  },
];

export function absentCommands(): readonly Command[] {
  return ABSENT.map(({ name, aliases, why, next }) => {
    const command = new Command(name).description(why).allowUnknownOption().allowExcessArguments();
    for (const alias of aliases) command.alias(alias);
    return command.action(() => {
      throw new OperatingError('NO_SUCH_COMMAND', `there is no "package ${name}": ${why}`, next);
    });
  });
}
