// Reads from the hub what explanations and previews are made from. Reads only, as the user who asks; what he may not read is
// named and left out.
import {
  CONTROL_PLANE_NAME,
  RESOURCE_BINDING_ID_LABEL,
  CLUSTER_RESOURCE_BINDING_ID_LABEL,
  gvkOf,
  type ClusterSchedulingDecision,
  type ControlPlane,
  type KubeObject,
  type ResourceInterpreterCustomization,
  type SchedulingDecision,
  type Work,
} from '../api/index.ts';
import { defaultFeatureGates, formatTime, type Clock } from '../base/index.ts';
import {
  kinds,
  resource,
  type Client,
  type RestMapper,
  type ListOptions,
  type ObjectKey,
  type Resource,
} from '../client/index.ts';
import { WorldView, type TemplateReference, type World, type WorldSettings } from '../explain/index.ts';
import {
  Customizations,
  createInterpreter,
  nativeLayer,
  thirdPartyLayer,
  type Interpreter,
} from '../interpreter/index.ts';
import { StatusError } from '../machinery/index.ts';
import { bindingName, createEligibility, workName, type Binding } from '../propagation/index.ts';

const controlPlanes = resource<ControlPlane>({
  group: 'navarch.io',
  version: 'v1alpha1',
  resource: 'controlplanes',
  namespaced: false,
});
const decisions = resource<SchedulingDecision>({
  group: 'navarch.io',
  version: 'v1alpha1',
  resource: 'schedulingdecisions',
  namespaced: true,
});
const clusterDecisions = resource<ClusterSchedulingDecision>({
  group: 'navarch.io',
  version: 'v1alpha1',
  resource: 'clusterschedulingdecisions',
  namespaced: false,
});
const customizations = resource<ResourceInterpreterCustomization>({
  group: 'config.karmada.io',
  version: 'v1alpha1',
  resource: 'resourceinterpretercustomizations',
  namespaced: false,
});

/** Reads, and goes on without what is forbidden or not there. */
export class WorldReader {
  /** Plural names of what could not be read. */
  readonly unread = new Set<string>();
  readonly client: Client;
  readonly clock: Clock;

  constructor(client: Client, clock: Clock) {
    this.client = client;
    this.clock = clock;
  }

  async list<T extends KubeObject>(target: Resource<T>, options: ListOptions = {}): Promise<readonly T[]> {
    try {
      return (await this.client.listAll(target, options)).items;
    } catch (error) {
      this.excuse(target, error);
      return [];
    }
  }

  async find<T extends KubeObject>(target: Resource<T>, key: ObjectKey): Promise<T | undefined> {
    try {
      return await this.client.find(target, key);
    } catch (error) {
      this.excuse(target, error);
      return undefined;
    }
  }

  async settings(): Promise<WorldSettings> {
    const published = (await this.find(controlPlanes, { name: CONTROL_PLANE_NAME }))?.settings ?? {};
    return {
      gates: { ...defaultFeatureGates, ...published.featureGates },
      schedulerName: published.schedulerName ?? 'default-scheduler',
      enableEmptyWorkloadPropagation: published.enableEmptyWorkloadPropagation === true,
      evictsByTaint: published.evictsByTaint === true,
      noExecuteTaintEvictionPurgeMode:
        published.noExecuteTaintEvictionPurgeMode === 'Directly' ? 'Directly' : 'Gracefully',
      skippedPropagatingNamespaces: published.skippedPropagatingNamespaces ?? ['kube-.*'],
      skippedPropagatingApis: published.skippedPropagatingApis ?? [],
    };
  }

  /** As the control plane's, but for webhooks, which only it can ask. */
  async interpreter(): Promise<Interpreter> {
    const scripts = new Customizations({ now: () => this.clock.now() });
    scripts.load(await this.list(customizations));
    const now = (): string => formatTime(this.clock.now());
    return createInterpreter([scripts.layer, thirdPartyLayer(now), nativeLayer(now)]);
  }

  async priorityClasses(): Promise<ReadonlyMap<string, number>> {
    const found = await this.list(kinds.priorityClasses);
    return new Map(
      found.map(({ metadata, ...rest }) => [
        metadata.name ?? '',
        Number((rest as { value?: unknown }).value ?? 0),
      ]),
    );
  }

  decision({ namespace, name }: ObjectKey): Promise<World['decisions'][number] | undefined> {
    return namespace === undefined
      ? this.find(clusterDecisions, { name })
      : this.find(decisions, { namespace, name });
  }

  private excuse(target: Resource, error: unknown): void {
    if (!(error instanceof StatusError) || (error.code !== 403 && error.code !== 404)) throw error;
    this.unread.add(target.resource);
  }
}

type Rules = Omit<World, 'templates' | 'bindings' | 'works' | 'decisions' | 'unread'>;

/** Everything but what the decisions are about. Of policies, those of one namespace, of none, or all. */
async function readRules(
  reader: WorldReader,
  scope: { readonly namespace: string | undefined } | 'all',
): Promise<{ readonly rules: Rules; readonly interpreter: Interpreter }> {
  const namespaced = async <T extends KubeObject>(target: Resource<T>): Promise<readonly T[]> => {
    if (scope === 'all') return reader.list(target);
    return scope.namespace === undefined ? [] : reader.list(target, { namespace: scope.namespace });
  };
  const [
    settings,
    clusters,
    policies,
    clusterPolicies,
    overridePolicies,
    clusterOverridePolicies,
    deletionPolicies,
    clusterDeletionPolicies,
    priorityClasses,
    interpreter,
  ] = await Promise.all([
    reader.settings(),
    reader.list(kinds.clusters),
    namespaced(kinds.propagationPolicies),
    reader.list(kinds.clusterPropagationPolicies),
    namespaced(kinds.overridePolicies),
    reader.list(kinds.clusterOverridePolicies),
    namespaced(kinds.deletionPolicies),
    reader.list(kinds.clusterDeletionPolicies),
    reader.priorityClasses(),
    reader.interpreter(),
  ]);
  const rules = {
    nowMs: reader.clock.now(),
    settings,
    clusters,
    policies,
    clusterPolicies,
    overridePolicies,
    clusterOverridePolicies,
    deletionPolicies,
    clusterDeletionPolicies,
    priorityClasses,
  };
  return { rules, interpreter };
}

/** What concerns one template. */
export async function readWorldOf(
  reader: WorldReader,
  reference: TemplateReference,
  template: KubeObject | undefined,
): Promise<WorldView> {
  const { namespace } = reference;
  const key = { namespace, name: bindingName(reference.kind, reference.name) };
  const bindingKind = (
    namespace === undefined ? kinds.clusterResourceBindings : kinds.resourceBindings
  ) as Resource<Binding>;
  const [{ rules, interpreter }, binding, decision] = await Promise.all([
    readRules(reader, { namespace }),
    reader.find(bindingKind, key),
    reader.decision(key),
  ]);
  const others =
    rules.settings.gates.WorkloadAffinity && namespace !== undefined
      ? await reader.list(kinds.resourceBindings, { namespace })
      : [];
  const works = await (binding === undefined ? readLeftWorks(reader, reference) : readWorks(reader, binding));
  const world: World = {
    ...rules,
    templates: template === undefined ? [] : [template],
    bindings: [
      ...others.filter(({ metadata }) => metadata.name !== key.name),
      ...(binding === undefined ? [] : [binding]),
    ],
    works,
    decisions: decision === undefined ? [] : [decision],
    unread: [...reader.unread],
  };
  return new WorldView(world, interpreter);
}

/** The whole fleet, with the templates of some kinds. */
export async function readFleet(
  reader: WorldReader,
  mapper: RestMapper,
  kindsWanted: (world: World) => Iterable<{ readonly apiVersion: string; readonly kind: string }>,
): Promise<WorldView> {
  const [{ rules, interpreter }, bindings, clusterBindings, namespacedDecisions, otherDecisions] =
    await Promise.all([
      readRules(reader, 'all'),
      reader.list(kinds.resourceBindings),
      reader.list(kinds.clusterResourceBindings),
      reader.list(decisions),
      reader.list(clusterDecisions),
    ]);
  const world: World = {
    ...rules,
    templates: [],
    bindings: [...bindings, ...clusterBindings],
    works: [],
    decisions: [...namespacedDecisions, ...otherDecisions],
    unread: [],
  };
  const templates = await readTemplates(reader, mapper, kindsWanted(world), world.settings);
  const served = await mapper.resources();
  return new WorldView({ ...world, served, templates, unread: [...reader.unread] }, interpreter);
}

async function readTemplates(
  reader: WorldReader,
  mapper: RestMapper,
  wanted: Iterable<{ readonly apiVersion: string; readonly kind: string }>,
  settings: WorldSettings,
): Promise<readonly KubeObject[]> {
  const eligibility = createEligibility({
    skippedApis: settings.skippedPropagatingApis.join(';'),
    skippedNamespaces: settings.skippedPropagatingNamespaces,
  });
  const byKind = new Map([...wanted].map((one) => [`${one.apiVersion} ${one.kind}`, one]));
  const lists = await Promise.all(
    [...byKind.values()].map(async (one) => {
      const found = await mapper.resourceForObject(one);
      // COMPAT: a template exists only in its preferred version.
      if (found === undefined || !found.preferred || eligibility.skipsKind(found)) return [];
      return reader.list<KubeObject>(found);
    }),
  );
  return lists.flat().filter(({ apiVersion, kind, metadata }) => {
    const { namespace = '', name = '' } = metadata;
    return eligibility.refusal(gvkOf({ apiVersion, kind }), namespace, name) === undefined;
  });
}

/** Works of a template that is gone with its binding, by the name that they have. */
function readLeftWorks(
  reader: WorldReader,
  { kind, namespace = '', name }: TemplateReference,
): Promise<readonly Work[]> {
  return reader.list(kinds.works, { fieldSelector: `metadata.name=${workName(kind, namespace, name)}` });
}

function readWorks(reader: WorldReader, { kind, metadata }: Binding): Promise<readonly Work[]> {
  const label = kind === 'ResourceBinding' ? RESOURCE_BINDING_ID_LABEL : CLUSTER_RESOURCE_BINDING_ID_LABEL;
  const id = metadata.labels?.[label] ?? '';
  return id === '' ? Promise.resolve([]) : reader.list(kinds.works, { labelSelector: `${label}=${id}` });
}
