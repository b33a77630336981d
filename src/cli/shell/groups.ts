// The groups of the help, in its order: upstream's, and ours where it has no such commands.
export const COMMAND_GROUPS = [
  'Control plane',
  'Basic',
  'Cluster registration',
  'Cluster management',
  'Troubleshooting',
  'Advanced',
  'Settings',
  'Other',
] as const;

export type CommandGroup = (typeof COMMAND_GROUPS)[number];
