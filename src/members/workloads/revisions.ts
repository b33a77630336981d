// ControllerRevisions: the history of pod templates that StatefulSets and DaemonSets keep for rollbacks, in the
// form that `kubectl rollout history` and `rollout undo` read.
// INVARIANT: the revision of the current template has the highest number, and none in use is ever deleted.
import type { JsonObject, KubeObject, LabelSelector, PodTemplateSpec } from '../../api/index.ts';
import { controllerReference, semanticEqual } from '../../machinery/index.ts';
import type { ControllerRevision, StoredMeta } from '../kinds.ts';
import type { Write } from '../plan.ts';
import { compare } from '../pods.ts';
import { controllerRevisions } from '../resources.ts';
import { templateHash } from '../template-hash.ts';

export const REVISION_HASH_LABEL = 'controller-revision-hash';
const HASH_LABEL = 'controller.kubernetes.io/hash';

export interface HistoryInput {
  readonly owner: KubeObject & {
    readonly metadata: StoredMeta & { readonly namespace: string };
    readonly spec: {
      readonly selector: LabelSelector;
      readonly template: PodTemplateSpec;
      readonly revisionHistoryLimit?: number;
    };
  };
  /** Those that the owner controls. */
  readonly revisions: readonly ControllerRevision[];
  readonly collisionCount: number;
}

export interface History {
  /** The revision of the current template, which may yet have to be created. */
  readonly update: Pick<ControllerRevision, 'data' | 'revision'> & {
    readonly name: string;
    readonly hash: string;
  };
  /** All others, oldest first. */
  readonly others: readonly ControllerRevision[];
  readonly writes: readonly Write[];
}

export function historyOf(input: HistoryInput): History {
  const { owner, collisionCount } = input;
  const sorted = input.revisions.toSorted(
    (a, b) =>
      a.revision - b.revision ||
      compare(a.metadata.creationTimestamp, b.metadata.creationTimestamp) ||
      compare(a.metadata.name, b.metadata.name),
  );
  const data = dataOf(owner.spec.template);
  const next = (sorted.at(-1)?.revision ?? 0) + 1;
  const same = sorted.findLast((revision) => semanticEqual(revision.data, data));
  if (same !== undefined) {
    const others = sorted.filter((revision) => revision !== same);
    const { name } = same.metadata;
    const update = { data, name, hash: same.metadata.labels?.[HASH_LABEL] ?? hashIn(name) };
    if (same === sorted.at(-1)) return { update: { ...update, revision: same.revision }, others, writes: [] };
    // A rollback: the old revision becomes the latest.
    const write: Write = {
      verb: 'update',
      resource: controllerRevisions,
      object: { ...same, revision: next },
    };
    return { update: { ...update, revision: next }, others, writes: [write] };
  }
  const hash = templateHash(data, collisionCount);
  const created = {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${owner.metadata.name}-${hash}`,
      namespace: owner.metadata.namespace,
      labels: { ...owner.spec.template.metadata?.labels, [HASH_LABEL]: hash },
      ...(owner.metadata.annotations === undefined ? {} : { annotations: owner.metadata.annotations }),
      ownerReferences: [controllerReference(owner)],
    },
    data,
    revision: next,
  };
  return {
    update: { data, name: created.metadata.name, hash, revision: next },
    others: sorted,
    writes: [{ verb: 'create', resource: controllerRevisions, object: created }],
  };
}

/** Deletions of the oldest revisions that nothing uses, beyond the history limit. */
export function pruneHistory(
  history: History,
  limit: number | undefined,
  isInUse: (name: string) => boolean,
): Write[] {
  const unused = history.others.filter(({ metadata }) => !isInUse(metadata.name));
  return unused
    .slice(0, Math.max(unused.length - (limit ?? 10), 0))
    .map((object): Write => ({ verb: 'delete', resource: controllerRevisions, object }));
}

/** The template that a revision holds. */
export function templateIn(revision: { readonly data?: JsonObject }): PodTemplateSpec | undefined {
  const spec = revision.data?.['spec'] as
    | { readonly template?: PodTemplateSpec & { $patch?: string } }
    | undefined;
  if (spec?.template === undefined) return undefined;
  const { $patch: _, ...template } = spec.template;
  return template;
}

function dataOf(template: PodTemplateSpec): JsonObject {
  // kubectl applies this as a strategic merge patch when it rolls back, hence the directive.
  return { spec: { template: { ...template, $patch: 'replace' } } } as unknown as JsonObject;
}

function hashIn(name: string): string {
  return name.slice(name.lastIndexOf('-') + 1);
}
