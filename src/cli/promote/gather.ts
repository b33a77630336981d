// What a promotion is decided from: the objects in the member, what they need there, and what the hub has of them already.
import type { CustomResourceDefinition, KubeObject, MigrationItem } from '../../api/index.ts';
import { formatTime, systemClock } from '../../base/index.ts';
import { isNotFound, kinds, resource, type ApiResource } from '../../client/index.ts';
import {
  Customizations,
  createInterpreter,
  nativeLayer,
  thirdPartyLayer,
  type Dependency,
  type Interpreter,
  type InterpreterLayer,
} from '../../interpreter/index.ts';
import { gvkOf, type ResourceInterpreterCustomization } from '../../api/index.ts';
import { promotedTemplate, titleOf, type MigrationSubject } from '../../propagation/index.ts';
import { resolveArguments, type Session } from '../objects/index.ts';
import { CommandError } from '../shell/index.ts';

export interface Selection {
  readonly operands: readonly string[];
  readonly namespace: string;
  readonly allNamespaces: boolean;
  readonly selector: string | undefined;
  readonly dependencies: boolean;
}

export interface Gathered {
  readonly subjects: readonly MigrationSubject[];
  /** What upstream says about where dependencies are known from. */
  readonly notes: readonly string[];
}

const customizations = resource<ResourceInterpreterCustomization>({
  group: 'config.karmada.io',
  version: 'v1alpha1',
  resource: 'resourceinterpretercustomizations',
  namespaced: false,
});
const hooks = resource({
  group: 'config.karmada.io',
  version: 'v1alpha1',
  resource: 'resourceinterpreterwebhookconfigurations',
  namespaced: false,
});

/** One after the other, as upstream asks them, with upstream's words for each. */
interface Layers {
  readonly interpreter: Interpreter;
  readonly named: readonly { readonly layer: InterpreterLayer; readonly note: string }[];
  /** Kinds whose dependencies a webhook tells, which only the control plane can ask. */
  readonly webhookKinds: ReadonlySet<string>;
}

async function layersOf({ client }: Session): Promise<Layers> {
  const now = (): string => formatTime(systemClock.now());
  const configured = new Customizations({ now: () => systemClock.now() });
  configured.load((await client.listAll(customizations)).items);
  const named = [
    { layer: configured.layer, note: 'use configurable interpreter' },
    { layer: thirdPartyLayer(now), note: 'use third-party interpreter' },
    { layer: nativeLayer(now), note: 'use default interpreter' },
  ];
  return {
    interpreter: createInterpreter(named.map(({ layer }) => layer)),
    named,
    webhookKinds: kindsOfHooks((await client.listAll(hooks)).items),
  };
}

function kindsOfHooks(configurations: readonly KubeObject[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { webhooks } of configurations as unknown as readonly {
    readonly webhooks?: readonly {
      readonly rules?: readonly {
        readonly operations?: readonly string[];
        readonly kinds?: readonly string[];
      }[];
    }[];
  }[]) {
    for (const rule of (webhooks ?? []).flatMap(({ rules }) => rules ?? [])) {
      if (rule.operations?.some((one) => one === '*' || one === 'InterpretDependency') !== true) continue;
      for (const kind of rule.kinds ?? []) found.add(kind);
    }
  }
  return found;
}

export async function gather(hub: Session, member: Session, selection: Selection): Promise<Gathered> {
  const selected = await selectedObjects(member, selection);
  const layers = await layersOf(hub);
  const notes: string[] = [];
  const objects = new Map<string, { readonly object: KubeObject; readonly role: MigrationItem['role'] }>();
  const add = (object: KubeObject, role: MigrationItem['role']): void => {
    const key = `${gvkOf(object).group}/${titleOf(object)}`;
    if (!objects.has(key)) objects.set(key, { object, role });
  };
  for (const object of selected) add(object, 'Selected');
  if (selection.dependencies) {
    for (const object of selected)
      for (const one of await dependenciesOf(object, member, layers, notes)) add(one, 'Dependency');
    for (const definition of await missingDefinitions([...objects.values()], hub, member))
      add(definition, 'Definition');
  }
  const subjects: MigrationSubject[] = [];
  const defined = new Set(
    [...objects.values()]
      .filter(({ role }) => role === 'Definition')
      .map(({ object }) => (object as CustomResourceDefinition).spec.names.kind),
  );
  for (const { object, role } of objects.values())
    subjects.push(await subjectOf(object, role, hub, layers.interpreter, defined));
  return { subjects, notes: [...new Set(notes)] };
}

async function selectedObjects(member: Session, selection: Selection): Promise<readonly KubeObject[]> {
  const { operands, namespace, allNamespaces, selector } = selection;
  const wanted = await resolveArguments(member.mapper, operands, {
    allNamespaces,
    selected: selector !== undefined,
    typeAlone: selector !== undefined,
  });
  const found: KubeObject[] = [];
  for (const { resource: type, name } of wanted) {
    const where = type.namespaced && !allNamespaces ? { namespace } : {};
    if (name === undefined) {
      const { items } = await member.client.listAll(type, { ...where, labelSelector: selector ?? '' });
      found.push(...items.map((item) => ({ ...item, apiVersion: apiVersionOf(type), kind: type.kind })));
      continue;
    }
    const object = await member.client.find(type, { ...where, name });
    if (object === undefined)
      throw new CommandError(
        `failed to get resource in cluster(${member.cluster ?? ''}). err: the <${type.kind}> or <${name}> don't exist in cluster(${member.cluster ?? ''})`,
      );
    found.push(object);
  }
  if (found.length === 0)
    throw new CommandError(`no objects of cluster(${member.cluster ?? ''}) match, nothing to promote`);
  return found;
}

function apiVersionOf({ group, version }: ApiResource): string {
  return group === '' ? version : `${group}/${version}`;
}

async function dependenciesOf(
  object: KubeObject,
  member: Session,
  layers: Layers,
  notes: string[],
): Promise<readonly KubeObject[]> {
  const found = layers.named.find(({ layer }) => layer.has(gvkOf(object), 'InterpretDependency'));
  if (found === undefined) {
    if (layers.webhookKinds.has(object.kind) || layers.webhookKinds.has('*'))
      throw new CommandError(
        `dependencies of ${titleOf(object)} are told by a ResourceInterpreterWebhookConfiguration, which only the control plane asks: name them beside it instead of using --dependencies`,
      );
    return [];
  }
  notes.push(found.note);
  const dependencies = await found.layer.dependencies(object);
  const all: KubeObject[] = [];
  for (const dependency of dependencies) all.push(...(await objectsOf(dependency, object, member)));
  return all;
}

async function objectsOf(
  dependency: Dependency,
  of: KubeObject,
  member: Session,
): Promise<readonly KubeObject[]> {
  const { apiVersion, kind, name = '', labelSelector } = dependency;
  const type = await member.mapper.resourceForObject({ apiVersion, kind });
  if (type === undefined)
    throw new CommandError(
      `${titleOf(of)} needs ${kind} ${name}, and cluster(${member.cluster ?? ''}) does not serve ${apiVersion} ${kind}`,
    );
  const where = type.namespaced ? { namespace: dependency.namespace ?? of.metadata.namespace } : {};
  if (name === '') {
    const labels = Object.entries(labelSelector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
    const { items } = await member.client.listAll(type, {
      ...where,
      labelSelector: labels.join(','),
    });
    return items.map((item) => ({ ...item, apiVersion, kind }));
  }
  const object = await member.client.find(type, { ...where, name });
  if (object === undefined)
    throw new CommandError(
      `failed to get dependency "${kind}"(${where.namespace ?? ''}/${name}) in cluster(${member.cluster ?? ''}): it does not exist, and ${titleOf(of)} needs it`,
    );
  return [object];
}

/** Definitions of custom kinds that the hub lacks: without them it could not hold their objects. */
async function missingDefinitions(
  objects: readonly { readonly object: KubeObject }[],
  hub: Session,
  member: Session,
): Promise<readonly KubeObject[]> {
  const found: KubeObject[] = [];
  for (const { object } of objects) {
    if ((await hub.mapper.resourceForObject(object)) !== undefined) continue;
    const type = await member.mapper.resourceForObject(object);
    if (type === undefined) continue;
    const name = `${type.resource}.${type.group}`;
    const definition = await member.client.find(kinds.customResourceDefinitions, { name });
    if (definition !== undefined) found.push(definition);
  }
  return found;
}

async function subjectOf(
  object: KubeObject,
  role: MigrationItem['role'],
  hub: Session,
  interpreter: Interpreter,
  defined: ReadonlySet<string>,
): Promise<MigrationSubject> {
  const type = await hub.mapper.resourceForObject(object);
  if (type === undefined) {
    if (defined.has(object.kind)) return { role, object, onHub: undefined, becomes: undefined };
    throw new CommandError(
      `the control plane does not serve ${object.kind} of ${object.apiVersion}: promote its CustomResourceDefinition first, or add --dependencies, which does`,
    );
  }
  const { namespace, name = '' } = object.metadata;
  const onHub = await hub.client.find(type, { namespace, name });
  if (onHub !== undefined || role === 'Definition') return { role, object, onHub, becomes: undefined };
  try {
    const made = await hub.client.create(type, promotedTemplate(object), { dryRun: true });
    return { role, object, onHub, becomes: (await interpreter.retain(made, object)) ?? made };
  } catch (error) {
    // The namespace is one of the things that are still to be made.
    if (!isNotFound(error)) throw error;
    return { role, object, onHub, becomes: undefined };
  }
}
