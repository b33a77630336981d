// Package and ClusterPackage: installs, updates, configures, heals and takes down what a package is made of.
// Reads the package, its PackageInfo, files, values, what it needs and what is there; writes PackageInfos, packages that are
// needed, the package's objects and its status.
// INVARIANT: nothing is written into the cluster for a plan that is not whole; what is created is recorded before.
import {
  PACKAGE_FINALIZER,
  type KubeObject,
  type OwnedResourceReference,
  type PackageStatus,
} from '../../api/index.ts';
import { parseKey } from '../../client/index.ts';
import { isBeingDeleted, parseTime } from '../../machinery/index.ts';
import {
  RepositoryError,
  isPrepared,
  ownedPackages,
  packageHealth,
  packageInfoName,
  planPackage,
  preparePackage,
  resourceKey,
  resourceReference,
  withoutKeptFields,
  type AnyPackage,
  type Applied,
  type EffectiveSuspension,
  type PackageKind,
  type PackagePlan,
  type PackageVerdict,
  type Prepared,
} from '../../packaging/index.ts';
import {
  done,
  finalizerWrite,
  act,
  requeueAfter,
  retry,
  runController,
  WorkQueue,
  type Outcome,
} from '../../runtime/index.ts';
import { recordCharts } from '../charts.ts';
import { ownedKey, type PackageContext } from '../context.ts';
import { healFromSnapshot, liveObjects } from '../applied-healing.ts';
import { readSnapshot, writeSnapshot } from '../applied-snapshot.ts';
import { IntegrityError } from '../package-info-controller.ts';
import { resourceOf } from '../resources.ts';
import { suspensionOf } from '../suspension-of.ts';
import { resumeReleases } from '../suspension-helm.ts';
import { noteSuspension } from '../suspension-note.ts';
import { restSuspended, specHashOf } from '../suspension-rest.ts';
import {
  applyManner,
  forgetWishes,
  recognizeApplied,
  waitsForApproval,
  withResumed,
} from '../suspension-resume.ts';
import {
  AppliedObjects,
  ApplyError,
  SuspendedMidApply,
  applyObjects,
  applyPackages,
  type ApplyManner,
} from './apply.ts';
import { gather } from './gather.ts';
import { isInstalled, packageInfoOf } from './info.ts';
import { isOrphaning, letGo } from './letting-go.ts';
import { releaseInfos, releasePackages, removeObject } from './prune.ts';
import { cacheOf, sourcesOf } from './sources.ts';
import { union, withVerdict, without, writeStatus } from './status.ts';
import { tearDown } from './teardown.ts';

const NAME = 'package-controller';
const RETRY_MIN_MS = 1_000;

export function runPackageController(context: PackageContext, kind: PackageKind): Promise<void> {
  const { clock, logger, signal, settings } = context;
  const applied = new AppliedObjects();
  const name = kind === 'Package' ? NAME : 'cluster-package-controller';
  return runController({
    name,
    sources: sourcesOf(context, kind),
    reconcile: (key, { signal: ends }) => new Reconciliation(context, applied, ends).run(kind, key),
    queue: new WorkQueue({ name, clock, backoffBaseMs: 500 }),
    clock,
    logger,
    signal,
    concurrency: settings.concurrency,
  });
}

/** One pass over one package. */
class Reconciliation {
  private readonly context: PackageContext;
  private readonly applied: AppliedObjects;
  private readonly signal: AbortSignal;

  constructor(context: PackageContext, applied: AppliedObjects, signal: AbortSignal) {
    this.context = context;
    this.applied = applied;
    this.signal = signal;
  }

  async run(kind: PackageKind, key: string): Promise<Outcome> {
    const found = cacheOf(this.context, kind).store.get(parseKey(key));
    if (found === undefined) {
      this.applied.forget(`${kind}/${key}`);
      this.context.referenced.forget(kind, key);
      return done;
    }
    if (isBeingDeleted(found)) return tearDown(this.context, found, this.signal);
    const owner = await this.withFinalizer(found);
    if (isOrphaning(owner)) {
      await letGo(this.context, owner, this.signal);
      return done;
    }
    const suspension = suspensionOf(this.context, owner);
    const noted = await noteSuspension(this.context, owner, suspension, this.signal);
    if (noted === undefined) return done;
    if (suspension.active) return restSuspended(this.context, this.applied, noted, suspension, this.signal);
    await resumeReleases(this.context, noted, this.signal);
    const known = await recognizeApplied(this.context, noted, this.signal);
    return this.beforeNextSuspension(await this.install(known), suspension);
  }

  /** A window that opens is not waited for longer than until it does. */
  private beforeNextSuspension(outcome: Outcome, { nextTransitionMs }: EffectiveSuspension): Outcome {
    if (nextTransitionMs === undefined || (outcome.kind !== 'done' && outcome.kind !== 'requeue'))
      return outcome;
    const leftMs = Math.max(0, nextTransitionMs - this.context.clock.now());
    if (outcome.kind === 'requeue' && outcome.afterMs <= leftMs) return outcome;
    return requeueAfter(leftMs, 'it is suspended then');
  }

  private async withFinalizer(owner: AnyPackage): Promise<AnyPackage> {
    const { client } = this.context;
    const resource = resourceOf(owner.kind);
    const write = finalizerWrite(resource, owner, PACKAGE_FINALIZER, true);
    if (write === undefined) return owner;
    await act({ writes: [write] }, { client, signal: this.signal });
    const { name = '', namespace } = owner.metadata;
    return client.get(resource, { name, namespace }, { signal: this.signal });
  }

  /** Soon at first, since what is missing may be on its way, and then after as long again as it has been missing. */
  private retryAfterMs({ status }: AnyPackage): number {
    const { clock, settings } = this.context;
    const failed = status?.conditions?.find((one) => one.type === 'Failed' && one.status === 'True');
    const sinceMs = parseTime(failed?.lastTransitionTime ?? '') ?? clock.now();
    return Math.min(settings.retryMs, Math.max(RETRY_MIN_MS, clock.now() - sinceMs));
  }

  private async install(owner: AnyPackage): Promise<Outcome> {
    const { settings } = this.context;
    const info = await packageInfoOf(this.context, owner, this.signal);
    if ('state' in info) return this.say(info.owner, info, settings.retryMs);
    const { owner: recorded, manifest } = info;
    try {
      const input = await gather(this.context, recorded, info.info, manifest, this.signal);
      await recordCharts(this.context, info.info, input.charts);
      const prepared = preparePackage(input);
      if (!isPrepared(prepared)) return await this.say(recorded, prepared, this.retryAfterMs(recorded));
      return await this.carryOut(recorded, prepared);
    } catch (error) {
      if (error instanceof SuspendedMidApply) {
        const verdict: PackageVerdict = {
          state: 'Unknown',
          reason: 'SuspendedMidApply',
          message: error.message,
        };
        return this.say(recorded, verdict, 0);
      }
      const integrity = error instanceof IntegrityError;
      if (!integrity && !(error instanceof RepositoryError)) throw error;
      if (isInstalled(recorded)) return this.keep(recorded, error.message);
      const reason = integrity ? 'IntegrityFailed' : 'InstallationFailed';
      await this.say(recorded, { state: 'Failed', reason, message: error.message }, 0);
      return retry(error);
    }
  }

  private async carryOut(owner: AnyPackage, prepared: Prepared): Promise<Outcome> {
    const { settings } = this.context;
    const live = await this.liveObjects(prepared.rendered.map(({ object }) => resourceReference(object)));
    const leftovers = await this.liveObjects(owner.status?.ownedResources ?? []);
    const plan = planPackage({ prepared, live, leftovers });
    if (plan.verdict.state === 'Failed' && plan.steps.length === 0)
      return this.say(owner, plan.verdict, settings.retryMs);
    if (await waitsForApproval(this.context, owner, plan, this.signal))
      return requeueAfter(settings.resyncMs, 'it waits for an approval');
    const recorded = await writeStatus(this.context, owner, {
      ...owner.status,
      ...helmStatus(prepared),
      ownedPackages: ownedPackages(prepared),
      ...(prepared.waitingFor.length > 0
        ? {}
        : { ownedResources: union(owner.status?.ownedResources, plan.owned) }),
    });
    const options = {
      owner: recorded,
      plan,
      live,
      isSuspended: () => this.isSuspendedNow(recorded),
      manner: applyManner(recorded),
      signal: this.signal,
    };
    await applyPackages(this.context, options);
    if (plan.verdict.state !== 'Ready') return this.say(recorded, plan.verdict, settings.retryMs);
    try {
      await applyObjects(this.context, this.applied, options);
    } catch (error) {
      if (!(error instanceof ApplyError)) throw error;
      await this.say(recorded, { state: 'Failed', reason: 'InstallationFailed', message: error.message }, 0);
      return retry(error);
    }
    return this.finish(recorded, prepared, plan, options.manner);
  }

  /** Everything is applied: takes away what is left over, and says how it is. */
  private async finish(
    owner: AnyPackage,
    prepared: Prepared,
    plan: PackagePlan,
    manner: ApplyManner,
  ): Promise<Outcome> {
    const { settings, clock } = this.context;
    const gone: OwnedResourceReference[] = [];
    for (const step of plan.steps) {
      if (step.do !== 'Prune') continue;
      if (this.isSuspendedNow(owner)) throw new SuspendedMidApply([]);
      if (!(await removeObject(this.context, owner, step.reference, this.signal))) gone.push(step.reference);
    }
    await writeSnapshot(this.context.client, owner, appliedBy(owner, plan, manner), this.signal);
    const released = await this.release(owner, prepared);
    const live = await this.liveObjects(prepared.rendered.map(({ object }) => resourceReference(object)));
    const health = packageHealth(
      prepared.rendered.map(({ object }) => {
        const reference = resourceReference(object);
        return { called: `${reference.kind} ${reference.name}`, live: live.get(resourceKey(reference)) };
      }),
    );
    const installed = {
      ...owner.status,
      version: owner.spec.packageInfo.version,
      ...(owner.metadata.generation === undefined ? {} : { appliedGeneration: owner.metadata.generation }),
      ownedResources: without(plan.owned, gone),
      ownedPackages: without(owner.status?.ownedPackages, released.packages),
      ownedPackageInfos: without(owner.status?.ownedPackageInfos, released.infos),
    };
    const verdict = verdictOf(health, prepared);
    const resumed = withResumed(owner, installed, manner, clock.now());
    await writeStatus(this.context, owner, withVerdict(this.context, owner, resumed, verdict));
    await forgetWishes(this.context, owner, this.signal);
    return requeueAfter(verdict.state === 'Ready' ? settings.resyncMs : settings.retryMs, 'look at it again');
  }

  private async release(
    owner: AnyPackage,
    { needed }: Prepared,
  ): Promise<{
    readonly packages: readonly OwnedResourceReference[];
    readonly infos: readonly OwnedResourceReference[];
  }> {
    const { status, spec } = owner;
    const { name, version, repositoryName = '' } = spec.packageInfo;
    const keep = new Set(
      needed.map(({ kind, metadata }) =>
        ownedKey({ kind, name: metadata.name ?? '', namespace: metadata.namespace }),
      ),
    );
    const packages = (status?.ownedPackages ?? []).filter((one) => !keep.has(ownedKey(one)));
    const current = packageInfoName(repositoryName, name, version);
    const infos = (status?.ownedPackageInfos ?? []).filter((one) => one.name !== current);
    const released = await releasePackages(this.context, owner, packages, this.signal);
    await releaseInfos(this.context, owner, infos, this.signal);
    return { packages: released, infos };
  }

  private liveObjects(
    references: readonly OwnedResourceReference[],
  ): Promise<ReadonlyMap<string, KubeObject>> {
    return liveObjects(this.context, references, this.signal);
  }

  private isSuspendedNow({ kind, metadata }: AnyPackage): boolean {
    const now = cacheOf(this.context, kind).store.get({
      name: metadata.name ?? '',
      namespace: metadata.namespace,
    });
    return now !== undefined && suspensionOf(this.context, now).active;
  }

  /** What is installed stays, and is looked at; only its source cannot be had. */
  private async keep(owner: AnyPackage, why: string): Promise<Outcome> {
    const snapshot = await readSnapshot(this.context.client, owner, this.signal);
    const problem =
      snapshot === undefined
        ? undefined
        : await healFromSnapshot(this.context, this.applied, owner, snapshot, this.signal);
    const references = owner.status?.ownedResources ?? [];
    const live = await this.liveObjects(references);
    const health = packageHealth(
      references.map((reference) => ({
        called: `${reference.kind} ${reference.name}`,
        live: live.get(resourceKey(reference)),
      })),
    );
    const text = `what is installed stays as it is, since it cannot be compared: ${why}`;
    const message = [...(problem === undefined ? [] : [problem]), ...health.problems, text].join('; ');
    const state = health.state === 'Ready' ? 'Ready' : health.state === 'Failed' ? 'Failed' : 'Unknown';
    const reason = state === 'Ready' ? 'UpToDate' : state === 'Failed' ? 'InstallationFailed' : 'Pending';
    return this.say(owner, { state, reason, message }, this.context.settings.retryMs);
  }

  private async say(owner: AnyPackage, verdict: PackageVerdict, againMs: number): Promise<Outcome> {
    const status = withVerdict(this.context, owner, owner.status ?? {}, verdict);
    await writeStatus(this.context, owner, status);
    return againMs === 0 ? done : requeueAfter(againMs, verdict.reason);
  }
}

/** What was applied: fields that were left to others are no part of it. */
function appliedBy(owner: AnyPackage, { steps }: PackagePlan, { kept, left = [] }: ApplyManner): Applied {
  return {
    specHash: specHashOf(owner),
    objects: steps.flatMap((step) =>
      step.do === 'Apply' ? [withoutKeptFields(step.object, [...kept, ...left])] : [],
    ),
  };
}

function verdictOf(
  health: ReturnType<typeof packageHealth>,
  { rendered, manifest, charts }: Prepared,
): PackageVerdict {
  const message = health.problems.join('; ');
  if (health.state === 'Failed') return { state: 'Failed', reason: 'InstallationFailed', message };
  if (health.state === 'Waiting') return { state: 'Unknown', reason: 'Pending', message };
  if (rendered.length === 0)
    return { state: 'Ready', reason: 'UpToDate', message: `${manifest.name} has nothing to install` };
  const flux = rendered.filter(({ object }) => object.kind === 'HelmRelease').length;
  const how =
    charts?.through === 'Binary'
      ? `, from charts that helm ${charts.version} rendered`
      : flux === 0
        ? ''
        : `, ${flux} of them charts that Flux installs`;
  return {
    state: 'Ready',
    reason: 'InstallationSucceeded',
    message: `${rendered.length} objects are installed${how}`,
  };
}

/** Which way its charts go is written down before the first of them goes, so that it stays. */
function helmStatus({ package: owner, charts, waitingFor }: Prepared): Pick<PackageStatus, 'helm'> {
  if (charts === undefined || waitingFor.length > 0) return {};
  const { through, why } = charts;
  const before = owner.status?.helm;
  const reason = before?.through === through ? (before.reason ?? why) : why;
  return { helm: { through, ...(charts.through === 'Binary' ? { version: charts.version } : {}), reason } };
}
