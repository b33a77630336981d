// What goes along from a copy that is given up to the one that takes its place (clusters-and-failover.md §12.1, §12.2).
// Whole numbers come out in digits; upstream prints large ones with an exponent, whose plus sign no label may have.
import type { AggregatedStatusItem, StatePreservation } from '../api/index.ts';
import { compileJsonPath, isLabelValue } from '../machinery/index.ts';

/** Why no state can be read. The eviction waits: the state would be lost with the copy. */
export class StateUnreadable extends Error {
  override name = 'StateUnreadable';
}

/**
 * Labels by name, one for each rule. All or nothing.
 * @throws StateUnreadable
 */
export function extractState(
  { rules }: StatePreservation,
  items: readonly AggregatedStatusItem[] | undefined,
  cluster: string,
): Readonly<Record<string, string>> {
  const status = items?.find(({ clusterName }) => clusterName === cluster)?.status;
  if (status === undefined) throw new StateUnreadable(`no status of cluster ${cluster} has been collected`);
  return Object.fromEntries(
    rules.map(({ aliasLabelName, jsonPath }) => [aliasLabelName, read(jsonPath, status)]),
  );
}

function read(jsonPath: string, status: unknown): string {
  let value: string;
  try {
    value = compileJsonPath(jsonPath).print(status);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StateUnreadable(`nothing to preserve at ${jsonPath}: ${why}`);
  }
  const [complaint] = isLabelValue(value);
  if (complaint !== undefined)
    throw new StateUnreadable(`what is at ${jsonPath} cannot be a label: ${complaint}`);
  return value;
}
