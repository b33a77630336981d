// What a call of `get` is about.
import type { FileFlags, HubFlags, Session } from '../objects/index.ts';
import type { OutputFlags } from '../output/index.ts';

export interface GetFlags extends HubFlags, OutputFlags, FileFlags {
  readonly operationScope: string;
  readonly clusters: readonly string[];
  readonly labels?: string;
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly allNamespaces?: boolean;
  readonly labelColumns: readonly string[];
  readonly showKind?: boolean;
  readonly showLabels?: boolean;
  readonly sortBy?: string;
  readonly ignoreNotFound?: boolean;
  readonly watch?: boolean;
  readonly watchOnly?: boolean;
  readonly outputWatchEvents?: boolean;
}

/** A cluster that is asked; `Karmada` is the control plane. */
export interface Target {
  readonly label: string;
  readonly session: Session;
}

export const CONTROL_PLANE = 'Karmada';
