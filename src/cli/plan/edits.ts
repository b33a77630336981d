// From files and flags of `plan` to what would be written, and what the API server would make of it.
import type { Cluster, JsonObject, KubeObject, Taint } from '../../api/index.ts';
import { OperatingError } from '../../base/index.ts';
import { isNotFound, kinds, type Resource } from '../../client/index.ts';
import { parseLabelChange, parseTaintChange, type Change } from '../../explain/index.ts';
import { deepEqual, mergePatchBetween } from '../../machinery/index.ts';
import { declaredTarget } from '../apply/command.ts';
import { withDeclaration } from '../apply/declaration.ts';
import {
  filesGiven,
  keyOf,
  locate,
  readObjects,
  type FileFlags,
  type Located,
  type Session,
} from '../objects/index.ts';

/** One write that the plan stands for. Patches and deletions are of one version of the object. */
export interface PlannedWrite {
  readonly verb: 'create' | 'patch' | 'delete';
  /** `PropagationPolicy shop/web`. */
  readonly called: string;
  readonly resource: Resource;
  readonly namespace?: string;
  readonly name: string;
  /** The object to create, or the merge patch. */
  readonly body?: JsonObject;
  readonly uid?: string;
  /** Absent for clusters, whose version changes with every heartbeat; their spec and labels are compared instead. */
  readonly resourceVersion?: string;
}

export interface Edits {
  readonly writes: readonly PlannedWrite[];
  readonly changes: readonly Change[];
}

export interface ClusterEdit {
  readonly flag: 'label-cluster' | 'taint-cluster';
  readonly cluster: string;
  readonly value: string;
}

export async function readEdits(
  session: Session,
  files: FileFlags,
  deletions: readonly string[],
  clusterEdits: readonly ClusterEdit[],
): Promise<Edits> {
  const writes: PlannedWrite[] = [];
  const changes: Change[] = [];
  const take = (edit: Edit | undefined): void => {
    if (edit === undefined) return;
    if (edit.write !== undefined) writes.push(edit.write);
    changes.push(...edit.changes);
  };
  if (filesGiven(files)) {
    const located: Located[] = [];
    for (const { object, source } of await readObjects(files))
      located.push(await locate(session, object, source));
    const namespaces = new Set(
      located
        .filter(({ object }) => object.kind === 'Namespace')
        .map(({ object }) => object.metadata.name ?? ''),
    );
    for (const one of located) take(await declare(session, one, namespaces));
  }
  for (const text of deletions) take(await deletion(session, text));
  for (const edit of await clusterWrites(session, clusterEdits)) take(edit);
  return { writes, changes };
}

interface Edit {
  readonly write: PlannedWrite | undefined;
  readonly changes: readonly Change[];
}

function called({ kind, metadata }: KubeObject): string {
  const { namespace, name = '' } = metadata;
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

/** The resource as plain data, so that it can be kept in a file. */
function plain({ group, version, resource, namespaced }: Resource): Resource {
  return { group, version, resource, namespaced };
}

/** As `apply` would declare it; the server is asked what it would store, and may refuse. */
async function declare(
  session: Session,
  { object, resource, namespace, source }: Located,
  namespaces: ReadonlySet<string>,
): Promise<Edit> {
  const name = object.metadata.name ?? '';
  if (name === '')
    throw new OperatingError('BAD_FILE', `an object in ${source} has no name`, 'give it metadata.name');
  const declared = withDeclaration(object);
  const key = keyOf({ namespace, name });
  const base = {
    called: called(object),
    resource: plain(resource),
    ...(namespace === undefined ? {} : { namespace }),
    name,
  };
  const current = await session.client.find<KubeObject>(resource, key);
  if (current === undefined) {
    const stored = await session.client
      .create<KubeObject>(resource, declared, { dryRun: true })
      .catch((error: unknown) => {
        // Its namespace is of the same plan: taken as it is declared, since nobody can check it yet.
        if (isNotFound(error) && namespace !== undefined && namespaces.has(namespace)) return declared;
        throw error;
      });
    const write = { verb: 'create', ...base, body: declared as unknown as JsonObject } as const;
    return { write, changes: [{ kind: 'put', object: asNew(stored) }] };
  }
  const difference = mergePatchBetween(current, declaredTarget(resource, current, declared));
  if (difference === undefined) return { write: undefined, changes: [{ kind: 'put', object: current }] };
  const stored = await session.client.patch<KubeObject>(
    resource,
    key,
    { type: 'merge', body: difference },
    { dryRun: true },
  );
  // What the server defaults, such as namespaces of selectors, differs from the file and not from what is stored.
  if (deepEqual(bare(stored), bare(current)))
    return { write: undefined, changes: [{ kind: 'put', object: current }] };
  const { uid, resourceVersion } = current.metadata;
  const write = {
    verb: 'patch',
    ...base,
    body: difference as JsonObject,
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  } as const;
  return { write, changes: [{ kind: 'put', object: stored }] };
}

/** Without what every write changes. */
function bare({ metadata, ...rest }: KubeObject): object {
  const { managedFields: _fields, resourceVersion: _version, generation: _generation, ...kept } = metadata;
  return { ...rest, metadata: kept };
}

/** Without what a dry run makes up and another run would make up anew. */
function asNew(stored: KubeObject): KubeObject {
  const { uid: _uid, creationTimestamp: _time, managedFields: _fields, ...metadata } = stored.metadata;
  return { ...stored, metadata };
}

// ---- deletions

async function deletion(session: Session, text: string): Promise<Edit> {
  const slash = text.indexOf('/');
  const [type, name] = [text.slice(0, Math.max(slash, 0)), text.slice(slash + 1)];
  if (type === '' || name === '' || name.includes('/')) {
    throw new OperatingError(
      'BAD_FLAG',
      `--delete "${text}" names no object`,
      'write KIND/NAME, for instance propagationpolicy/web',
    );
  }
  const resource = await session.mapper.resourceByText(type);
  if (resource === undefined)
    throw new OperatingError(
      'UNKNOWN_TYPE',
      `the control plane has no resource "${type}"`,
      'see kubectl api-resources',
    );
  const namespace = resource.namespaced ? session.namespace : undefined;
  const object = await session.client.get<KubeObject>(resource, keyOf({ namespace, name }));
  const { uid, resourceVersion } = object.metadata;
  const isCluster = resource.group === 'cluster.karmada.io' && resource.resource === 'clusters';
  const write = {
    verb: 'delete',
    called: called(object),
    resource: plain(resource),
    ...(namespace === undefined ? {} : { namespace }),
    name,
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined || isCluster ? {} : { resourceVersion }),
  } as const;
  return { write, changes: [isCluster ? { kind: 'gone', cluster: name } : { kind: 'remove', object }] };
}

// ---- clusters

/** All edits of one cluster are one write. */
async function clusterWrites(session: Session, edits: readonly ClusterEdit[]): Promise<readonly Edit[]> {
  const found: Edit[] = [];
  for (const [name, ofCluster] of Map.groupBy(edits, ({ cluster }) => cluster)) {
    const cluster = await session.client.find(kinds.clusters, { name });
    if (cluster === undefined)
      throw new OperatingError(
        'UNKNOWN_CLUSTER',
        `there is no cluster "${name}"`,
        'see kubectl get clusters',
      );
    let taints: readonly Taint[] = cluster.spec.taints ?? [];
    const labels: Record<string, string | null> = {};
    const changes: Change[] = [];
    for (const { flag, value } of ofCluster) {
      if (flag === 'label-cluster') {
        const change = parseLabelChange(value);
        labels[change.key] = change.value ?? null;
        changes.push({ ...change, cluster: name });
      } else {
        const change = parseTaintChange(value);
        taints = taints.filter(
          ({ key, effect }) =>
            key !== change.key || (change.effect !== undefined && effect !== change.effect),
        );
        if (change.kind === 'taint')
          taints = [
            ...taints,
            {
              key: change.key,
              effect: change.effect,
              ...(change.value === '' ? {} : { value: change.value }),
            },
          ];
        changes.push({ ...change, cluster: name });
      }
    }
    const body = {
      ...(Object.keys(labels).length === 0 ? {} : { metadata: { labels } }),
      ...(ofCluster.some(({ flag }) => flag === 'taint-cluster') ? { spec: { taints } } : {}),
    };
    // The server says whether it would take them.
    await session.client.patch<Cluster>(kinds.clusters, { name }, { type: 'merge', body }, { dryRun: true });
    const { uid } = cluster.metadata;
    const write = {
      verb: 'patch',
      called: `Cluster ${name}`,
      resource: plain(kinds.clusters),
      name,
      body: body as unknown as JsonObject,
      ...(uid === undefined ? {} : { uid }),
    } as const;
    found.push({ write, changes });
  }
  return found;
}
