// The subresource `suspension` of packages, roll-outs, policies, bindings and clusters: PUT suspends, DELETE resumes. It takes
// the verb `suspend` or `resume` beside `get`, and no right to change the object otherwise, so that a person can be allowed
// just that. A PUT that lets go sooner or of more than before takes `resume` too.
import type { AdmissionOptions } from '../admission/index.ts';
import type { JsonObject, KubeObject, SuspensionDetail } from '../api/index.ts';
import type { ApiResponse, Subresource, SubresourceCall } from '../apiserver/index.ts';
import { suspensionHistory, suspensionNote } from '../fleet/index.ts';
import { StatusError, badRequest, deepEqual } from '../machinery/index.ts';
import {
  isSuspendedBySpec,
  packageSuspensionProblem,
  rolloutSuspensionProblem,
  saysRolloutSuspended,
  stampPackage,
  stampRollout,
  verbsForPackage,
  verbsForRollout,
  withPackageSuspension,
  withRolloutSuspension,
  withoutPackageSuspension,
  withoutRolloutSuspension,
  type AnyFleetPackage,
  type AnyPackage,
} from '../packaging/index.ts';
import {
  letsGo,
  stampSuspension,
  stoppedBy,
  suspensionProblem,
  withSuspension,
  withoutSuspension,
  type Suspendable,
} from '../propagation/index.ts';

type Wishes = Readonly<Record<string, unknown>>;

/** How one family of kinds is suspended. */
interface Family<T extends KubeObject> {
  /** What a PUT may say, with the words that are allowed; true: any text. */
  readonly wishes: Readonly<Record<string, readonly string[] | true | 'names'>>;
  /** What a DELETE may say in its query. */
  readonly resumeWishes: Readonly<Record<string, readonly string[] | true | 'names'>>;
  suspend(object: T, wishes: Wishes): T;
  resume(object: T, wishes: Wishes): T;
  stamp(next: T, old: T, who: { readonly user: string; readonly nowMs: number }): T;
  problem(next: T, old: T, nowMs: number): string | undefined;
  /** Whether this lets go sooner or further than before, which is to resume. */
  resumes(next: T, old: T): boolean;
  describe(object: T): object;
}

const packages: Family<AnyPackage> = {
  wishes: {
    reason: true,
    until: true,
    mode: ['Full', 'ChangesOnly'],
    cascade: ['Components', 'None'],
    driftDetection: ['Enabled', 'Disabled'],
    onResume: ['Apply', 'Review'],
  },
  resumeWishes: { reason: true, onDrift: ['overwrite', 'keep'], approve: true },
  suspend: (object, wishes) => withPackageSuspension(object, wishes as SuspensionDetail),
  resume: (object, wishes) => withoutPackageSuspension(object, wishes),
  stamp: stampPackage,
  problem: packageSuspensionProblem,
  resumes: (next, old) => verbsForPackage(next, old).includes('resume'),
  describe: ({ spec, status }) => ({
    suspended: isSuspendedBySpec(spec),
    ...(spec.suspension === undefined ? {} : { wanted: spec.suspension }),
    ...(status?.suspension === undefined ? {} : { observed: status.suspension }),
    history: status?.suspensionHistory ?? [],
  }),
};

const propagation: Family<Suspendable> = {
  wishes: { reason: true, until: true, clusters: 'names' },
  resumeWishes: { reason: true, clusters: 'names' },
  suspend: (object, wishes) => withSuspension(object, wishes),
  resume: (object, wishes) => withoutSuspension(object, wishes),
  stamp: stampSuspension,
  problem: suspensionProblem,
  resumes: letsGo,
  describe: (object) => {
    const stopped = stoppedBy(object);
    return {
      suspended: stopped !== undefined,
      ...(stopped === undefined ? {} : { stopped: stopped }),
      ...suspensionNote(object),
      history: suspensionHistory(object),
    };
  },
};

/** Whether somebody may do it to an object. */
export type MayResume = AdmissionOptions['may'];

const rollouts: Family<AnyFleetPackage> = {
  wishes: { reason: true, until: true },
  resumeWishes: { reason: true },
  suspend: withRolloutSuspension,
  resume: withoutRolloutSuspension,
  stamp: stampRollout,
  problem: rolloutSuspensionProblem,
  resumes: (next, old) => verbsForRollout(next, old).includes('resume'),
  describe: (object) => ({
    suspended: saysRolloutSuspended(object),
    ...(object.spec.suspension === undefined ? {} : { wanted: object.spec.suspension }),
    ...suspensionNote(object),
    history: suspensionHistory(object),
  }),
};

function subresourceOf<T extends KubeObject>(family: Family<T>, may: MayResume): Subresource {
  return {
    verbs: ['delete', 'get', 'update'],
    authorizedAs: { get: 'get', update: 'suspend', delete: 'resume' },
    async serve(call): Promise<ApiResponse> {
      if (call.info.verb === 'get') return answer(call, family, (await call.parent()) as T);
      const suspends = call.info.verb === 'update';
      const wishes = suspends
        ? readWishes(call.body(), family.wishes)
        : readWishes(queryOf(call), family.resumeWishes);
      const { group, resource, namespace, name } = call.info;
      const asked = { verb: 'resume', group, resource, namespace, name };
      const mayResume = !suspends || (await may(call.context.user, asked));
      const written = await call.replace((parent) => {
        const old = parent as T;
        const next = suspends ? family.suspend(old, wishes) : family.resume(old, wishes);
        const { user, nowMs } = call.context;
        const problem = family.problem(next, old, nowMs);
        if (problem !== undefined) throw new StatusError(422, 'Invalid', problem);
        if (!mayResume && family.resumes(next, old))
          throw new StatusError(
            403,
            'Forbidden',
            `user "${user.name}" may not resume ${resource}.${group} "${name}", and this suspends it for less than it is: it takes the verb "resume"`,
          );
        const stamped = family.stamp(next, old, { user: user.name, nowMs });
        return deepEqual(stamped, old) ? old : stamped;
      });
      return answer(call, family, written as T);
    },
  };
}

function answer<T extends KubeObject>(call: SubresourceCall, family: Family<T>, object: T): ApiResponse {
  const { name = '', namespace, resourceVersion } = object.metadata;
  return call.present(200, {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    suspension: family.describe(object),
  });
}

// What the API server itself reads from a query.
const OF_THE_SERVER: ReadonlySet<string> = new Set([
  'dryRun',
  'fieldManager',
  'fieldValidation',
  'pretty',
  'timeout',
]);

function queryOf({ request }: SubresourceCall): JsonObject {
  const entries = [...request.query].filter(([key]) => !OF_THE_SERVER.has(key));
  return Object.fromEntries(
    entries.map(([key, value]) => [key, key === 'clusters' ? value.split(',') : value]),
  );
}

function readWishes(given: JsonObject, allowed: Family<KubeObject>['wishes']): Wishes {
  const known = Object.keys(allowed);
  for (const [key, value] of Object.entries(given)) {
    if (key === 'apiVersion' || key === 'kind') continue;
    const rule = Object.hasOwn(allowed, key) ? allowed[key] : undefined;
    if (rule === undefined) throw badRequest(`unknown field "${key}"; there are ${known.join(', ')}`);
    if (rule === 'names') {
      const names =
        Array.isArray(value) &&
        value.length > 0 &&
        value.every((one) => typeof one === 'string' && one !== '');
      if (!names) throw badRequest(`"${key}" is no list of names`);
    } else if (typeof value !== 'string' || (rule !== true && !rule.includes(value)))
      throw badRequest(`"${key}" must be ${rule === true ? 'a text' : `one of ${rule.join(', ')}`}`);
  }
  const { apiVersion: _apiVersion, kind: _kind, ...wishes } = given;
  return wishes;
}

/** By `group/plural`, and that of clusters, whose kind is served apart. */
export function suspensionSubresources(may: MayResume): {
  readonly custom: Readonly<Record<string, Readonly<Record<string, Subresource>>>>;
  readonly ofClusters: Subresource;
} {
  const ofPackages = { suspension: subresourceOf(packages, may) };
  const ofRollouts = { suspension: subresourceOf(rollouts, may) };
  const ofPropagation = { suspension: subresourceOf(propagation, may) };
  return {
    custom: {
      'packages.glasskube.dev/packages': ofPackages,
      'packages.glasskube.dev/clusterpackages': ofPackages,
      'navarch.io/fleetpackages': ofRollouts,
      'navarch.io/clusterfleetpackages': ofRollouts,
      'policy.karmada.io/propagationpolicies': ofPropagation,
      'policy.karmada.io/clusterpropagationpolicies': ofPropagation,
      'work.karmada.io/resourcebindings': ofPropagation,
      'work.karmada.io/clusterresourcebindings': ofPropagation,
    },
    ofClusters: ofPropagation.suspension,
  };
}
