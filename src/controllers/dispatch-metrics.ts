// What binding and execution controllers report about their work, under upstream's names (propagation.md §13).
import type { KubeObject } from '../api/index.ts';

type Kind = Pick<KubeObject, 'apiVersion' | 'kind'>;

/** none: it was as it should be; unchanged: the member said so, as nothing came of the write. */
export type UpdateResult = 'none' | 'unchanged' | 'updated';

export interface DispatchMetrics {
  /** How long writing the Works of a binding took; call what is returned when it is over. */
  writingWorks(): (ok: boolean) => void;
  /** The same for a Work, of which every manifest is applied in its cluster. */
  applyingWork(): (ok: boolean) => void;
  created(ok: boolean, kind: Kind, cluster: string): void;
  updated(ok: boolean, kind: Kind, cluster: string, result: UpdateResult): void;
  deleted(ok: boolean, kind: Kind, cluster: string): void;
}

export const silentDispatchMetrics: DispatchMetrics = {
  writingWorks: () => () => undefined,
  applyingWork: () => () => undefined,
  created: () => undefined,
  updated: () => undefined,
  deleted: () => undefined,
};
