// What a promotion tells: upstream's lines for what it did, and the plan for people.
import type { KubeObject, MigrationStep } from '../../api/index.ts';
import { gvkOf } from '../../api/index.ts';
import { formatYaml } from '../../client/index.ts';
import {
  changedFields,
  titleOf,
  type MigrationPlan,
  type MigrationSubject,
} from '../../propagation/index.ts';
import { print } from '../command.ts';
import type { Session } from '../objects/index.ts';
import { resourceOn } from './steps.ts';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** As Go prints a GroupVersionResource, quoted. */
export async function resourceText(
  session: Session,
  object: { readonly apiVersion: string; readonly kind: string },
): Promise<string> {
  const { group, version, resource } = await resourceOn(session, object);
  return `"${group}/${version}, Resource=${resource}"`;
}

export function nameText(namespace: string | undefined, name: string): string {
  return namespace === undefined || namespace === '' ? `(${name})` : `(${namespace}/${name})`;
}

/** COMPAT: upstream warns through its log library, and scripts that look for the line know its form. */
export function warn(message: string): void {
  const now = new Date().toISOString();
  const stamp = `W${now.slice(5, 7)}${now.slice(8, 10)} ${now.slice(11, 19)}.${now.slice(20, 23)}000`;
  process.stderr.write(`${stamp} ${String(process.pid).padStart(7)} promote.go:1] ${message}\n`);
}

export async function tellStep(
  hub: Session,
  step: MigrationStep,
  how: 'done' | 'undone',
  role: string,
  namespace: string,
): Promise<void> {
  const name = nameText(step.namespace, step.name);
  const dependency = role === 'Dependency' ? 'Dependency resource' : 'Resource';
  if (how === 'undone') {
    if (step.action === 'CreateTemplate')
      print(`${dependency} ${await resourceText(hub, step)}${name} is reverted successfully`);
    return;
  }
  switch (step.action) {
    case 'EnsureNamespace':
      return print(`Namespace ${step.name} is created successfully`);
    case 'CreateTemplate':
      if (role === 'Dependency')
        return print(`Dependency resource ${await resourceText(hub, step)}${name} is promoted successfully`);
      if (role === 'Definition')
        return print(`CustomResourceDefinition ${step.name} is created successfully`);
      return print(`ResourceTemplate (${step.namespace ?? namespace}/${step.name}) is created successfully`);
    case 'CreatePolicy':
      return print(
        step.namespace === undefined
          ? `ClusterPropagationPolicy ${step.name} is created successfully`
          : `PropagationPolicy (${step.namespace}/${step.name}) is created successfully`,
      );
    case 'Adopt':
      return;
  }
}

export function printDocuments(objects: readonly KubeObject[], output: string): void {
  for (const object of objects) {
    if (output === 'json') print(JSON.stringify(object, null, 4));
    else process.stdout.write(`---\n${formatYaml(object)}`);
  }
}

/** The plan as a person reads it: what comes under the hub, in order, and what stands against it. */
export function printPlan(plan: MigrationPlan, cluster: string): void {
  print(`From cluster ${cluster} under the hub, in this order:`);
  plan.subjects.forEach((subject, index) => print(`  ${index + 1}. ${subjectText(subject)}`));
  for (const { object } of plan.present) print(`  on the hub already: ${titleOf(object)}`);
  for (const policy of plan.policies) print(`Policy: ${titleOf(policy)}, to cluster ${cluster}`);
  const drifted = plan.subjects.flatMap(({ object }) => driftText(object));
  if (drifted.length > 0)
    print(['Live state is promoted where it differs from what was last applied:', ...drifted].join('\n'));
  if (plan.problems.length === 0)
    print('Nothing but labels and annotations changes in the member; nothing restarts.');
  else print(['What stands against it:', ...plan.problems.map(({ message }) => `  ${message}`)].join('\n'));
}

function subjectText({ object, role }: MigrationSubject): string {
  const title = `${titleOf(object)} (${gvkOf(object).group === '' ? 'core' : gvkOf(object).group})`;
  if (role === 'Dependency') return `${title}, needed by what is selected`;
  return role === 'Definition' ? `${title}, which the hub lacks; it stays on the hub` : title;
}

/** The third side of the comparison: what somebody declared, against what runs. */
function driftText(object: KubeObject): readonly string[] {
  const text = object.metadata.annotations?.[LAST_APPLIED];
  if (text === undefined) return [];
  try {
    const declared = JSON.parse(text) as KubeObject;
    // What is written as text is kept as data.
    if (declared.kind === 'Secret') delete (declared as { stringData?: unknown }).stringData;
    const changed = changedFields(declared, overlapping(object, declared) as KubeObject);
    return changed.length === 0 ? [] : [`  ${titleOf(object)}: ${changed.join(', ')}`];
  } catch {
    return [];
  }
}

/** Of `live`, only the fields that `declared` speaks of: defaults are no drift. */
function overlapping(live: unknown, declared: unknown): unknown {
  if (Array.isArray(live) && Array.isArray(declared))
    return live.map((one, index) => overlapping(one, declared[index]));
  if (typeof live !== 'object' || live === null || typeof declared !== 'object' || declared === null)
    return live;
  const fields = Object.keys(declared).map((key) => [
    key,
    overlapping((live as Record<string, unknown>)[key], (declared as Record<string, unknown>)[key]),
  ]);
  return Object.fromEntries(fields);
}
