// The sides that `package diff` can compare, each object beside its other self.
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { JsonValue, KubeObject, ObjectChange } from '../../api/index.ts';
import { formatYaml, kinds } from '../../client/index.ts';
import {
  comparable,
  driftOf,
  readApplied,
  resourceKey,
  resourceReference,
  type AnyPackage,
  type ComparedObject,
} from '../../packaging/index.ts';
import type { Session } from '../objects/index.ts';
import { CommandError } from '../shell/index.ts';
import { withCatalogue } from './catalogue.ts';
import { inClusters } from './in-clusters.ts';
import { fleetPackageOf } from './installed.ts';
import type { Place } from './place.ts';
import { planOf, type ClusterPlan } from './plan/command.ts';
import { compared, secretTexts } from './plan/gather.ts';
import { placesOf, unifiedLines, withoutSecrets } from './unified.ts';

/** `live`: what is there, with what was applied; `applied`: what is wanted, with that; else a version, with what is there. */
export type Against = 'live' | 'applied' | { readonly version: string | undefined };

export interface Comparison {
  /** Undefined: the cluster that the command acts in. */
  readonly cluster: string | undefined;
  readonly changes: readonly ObjectChange[];
  /** Undefined: nothing had to be planned. */
  readonly plan: ClusterPlan | undefined;
  readonly pairs: readonly Pair[];
}

interface Pair {
  readonly object: KubeObject;
  readonly before: KubeObject | undefined;
  readonly after: KubeObject | undefined;
}

/** Throws CommandError when a side cannot be had. */
export async function comparisons(
  place: Place,
  one: AnyPackage,
  against: Against,
): Promise<readonly Comparison[]> {
  const spec = (await fleetPackageOf(place, one))?.spec.template ?? one.spec;
  const version = typeof against === 'string' ? undefined : against.version;
  const packageInfo = version === undefined ? spec.packageInfo : { ...spec.packageInfo, version };
  const target: AnyPackage = { ...one, spec: { ...spec, packageInfo } };
  const clusters = place.onHub ? (one.status?.clusters ?? []).map(({ name }) => name) : [undefined];
  const wantedThere = await inClusters(
    place,
    target,
    clusters.flatMap((cluster) => cluster ?? []),
  );
  return withCatalogue(place, (catalogue) =>
    Promise.all(
      clusters.map(async (cluster): Promise<Comparison> => {
        const session = cluster === undefined ? place.session : place.session.member(cluster);
        const applied = typeof against === 'string' ? await appliedIn(session, one, cluster) : undefined;
        if (against === 'live') return withLive(session, applied ?? [], cluster);
        const plan = await planOf(
          session,
          catalogue,
          wantedThere.get(cluster ?? '') ?? { wanted: target },
          cluster,
          applied,
        );
        if (plan.verdict.state === 'Failed')
          throw new CommandError(`${inCluster(cluster)}cannot be done: ${plan.verdict.message}`);
        const changed = plan.objects.map(({ wanted, live, applied: after = wanted }): Pair => ({
          object: wanted,
          before: live,
          after,
        }));
        const gone = plan.going.map((object): Pair => ({ object, before: object, after: undefined }));
        return { cluster, changes: plan.changes, plan, pairs: [...changed, ...gone] };
      }),
    ),
  );
}

function inCluster(cluster: string | undefined): string {
  return cluster === undefined ? '' : `${cluster}: `;
}

async function appliedIn(
  { client }: Session,
  one: AnyPackage,
  cluster: string | undefined,
): Promise<readonly KubeObject[]> {
  const content = await readApplied(one, {
    find: (where) => client.find(kinds.secrets, where),
    unpack: (parts, maxOutputLength) => {
      const text = gunzipSync(Buffer.concat(parts.map((part) => Buffer.from(part, 'base64'))), {
        maxOutputLength,
      });
      return { text: text.toString('utf8'), sha256: createHash('sha256').update(text).digest('hex') };
    },
  });
  if (content === undefined)
    throw new CommandError(
      `${inCluster(cluster)}nothing is kept of what was applied; it was not installed yet`,
    );
  return content.objects;
}

async function withLive(
  session: Session,
  applied: readonly KubeObject[],
  cluster: string | undefined,
): Promise<Comparison> {
  const all = await Promise.all(applied.map((object) => beside(session, object)));
  const pairs = all.map(({ wanted, live, applied: before = wanted }): Pair => ({
    object: wanted,
    before,
    after: live,
  }));
  return { cluster, changes: driftOf(all, []), plan: undefined, pairs };
}

async function beside(session: Session, wanted: KubeObject): Promise<ComparedObject> {
  const resource = await session.mapper.resourceForObject(wanted);
  if (resource === undefined) return { wanted };
  const { name = '', namespace } = wanted.metadata;
  return compared(session, wanted, await session.client.find<KubeObject>(resource, { name, namespace }));
}

const SIDES = {
  live: ['applied', 'live'],
  applied: ['applied', 'wanted'],
  version: ['live', 'wanted'],
} as const;

/** A unified diff of the objects as YAML, values of Secrets hidden. Throws CommandError when they cannot be told apart. */
export async function unifiedOf(
  place: Place,
  one: AnyPackage,
  against: Against,
  all: readonly Comparison[],
): Promise<readonly string[]> {
  const [from, to] = SIDES[typeof against === 'string' ? against : 'version'];
  const lines: string[] = [];
  for (const { cluster, pairs } of all) {
    const session = cluster === undefined ? place.session : place.session.member(cluster);
    const secrets = await secretTexts(session, one);
    const places = new Map<string, Set<string>>();
    // Where what is wanted holds a value of a Secret, what was there before may be an older one.
    const wanted =
      secrets.length === 0 || against !== 'live'
        ? pairs
        : (await comparisons(place, one, 'applied')).flatMap((other) =>
            other.cluster === cluster ? other.pairs : [],
          );
    for (const { object, after } of wanted)
      places.set(resourceKey(resourceReference(object)), new Set(placesOf(after ?? object, secrets)));
    for (const { object, before, after } of pairs) {
      const known = places.get(resourceKey(resourceReference(object)));
      const hidden = withoutSecrets(
        object.kind,
        { before: whole(before), after: whole(after) },
        secrets,
        (pointer) => known?.has(pointer) === true,
      );
      const { namespace, name = '' } = object.metadata;
      const called = `${inCluster(cluster)}${object.kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
      const hunks = unifiedLines(yamlLines(hidden.before), yamlLines(hidden.after));
      if (hunks.length > 0)
        lines.push(
          `--- ${before === undefined ? '/dev/null' : `${called} (${from})`}`,
          `+++ ${after === undefined ? '/dev/null' : `${called} (${to})`}`,
          ...hunks,
        );
    }
  }
  return lines;
}

/** Without what the server writes by itself. */
function whole(object: KubeObject | undefined): JsonValue | undefined {
  return object === undefined ? undefined : comparable(object);
}

function yamlLines(value: JsonValue | undefined): readonly string[] {
  return value === undefined ? [] : formatYaml(value).trimEnd().split('\n');
}
