// Reading plans in tables.
import type { KubeObject } from '../../api/index.ts';
import type { Plan } from '../plan.ts';

export type Verb = 'create' | 'update' | 'updateStatus' | 'delete';

/** The objects that a plan writes in this way, of one kind. */
export function writesOf(plan: Plan, verb: Verb, kind: string): KubeObject[] {
  return plan.steps
    .flat()
    .filter((write) => write.verb === verb && write.object.kind === kind)
    .map(({ object }) => object);
}

/** `create Pod db-0`, in the order of the steps. */
export function outline(plan: Plan): string[] {
  return plan.steps
    .flat()
    .map(
      ({ verb, object }) => `${verb} ${object.kind} ${object.metadata.name ?? object.metadata.generateName}`,
    );
}

/** The status that a plan reports for the one object of this kind. */
export function statusIn<S>(plan: Plan, kind: string): S | undefined {
  return writesOf(plan, 'updateStatus', kind)[0]?.['status'] as S | undefined;
}
