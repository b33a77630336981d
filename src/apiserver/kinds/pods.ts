// Pods: what may change, how they end, and their subresources.
import type { Container, KubeObject, Pod, PodSpec, PodStatus, PodTemplateSpec } from '../../api/index.ts';
import { Quantity, fieldError, semanticEqual, type FieldError } from '../../machinery/index.ts';
import type { Strategy, Subresource, WriteContext } from '../resource.ts';
import { change } from '../typed/drafts.ts';
import type { BuiltinKind, BuiltinKinds } from './builtin.ts';
import { notServedHere } from './not-served.ts';
import { podStreams } from './pod-streams.ts';
import { bindingSubresource, legacyBinding } from './pod-binding.ts';
import { podOnlyDefaults, podTemplateDefaults } from './pod-defaults.ts';
import { evictionSubresource } from './pod-eviction.ts';
import { validatePodStatus, validatePodUpdate } from './pod-update.ts';
import { validateOwnAnnotations, validatePodSpec, validatePodTemplate } from './pod-validation.ts';
import { statusSubresource } from './status.ts';
import { podWarnings, templateWarnings } from './warnings.ts';
import * as printers from '../table/printers.ts';

type QosClass = 'BestEffort' | 'Burstable' | 'Guaranteed';

/** How much a node protects a pod, from its requests and limits of CPU and memory. */
export function qosClassOf(spec: PodSpec): QosClass {
  let any = false;
  let guaranteed = true;
  const counted = ({ resources }: Pick<Container, 'resources'>): void => {
    const { requests = {}, limits = {} } = resources ?? {};
    for (const name of ['cpu', 'memory']) {
      const request = Quantity.tryParse(requests[name]);
      const limit = Quantity.tryParse(limits[name]);
      if ((request?.nanos ?? 0n) > 0n || (limit?.nanos ?? 0n) > 0n) any = true;
      const same = limit !== undefined && limit.nanos > 0n && (request ?? limit).nanos === limit.nanos;
      if (!same) guaranteed = false;
    }
  };
  // What the whole pod is given counts alone.
  const { requests, limits } = spec.resources ?? {};
  const whole = Object.keys({ ...requests, ...limits }).length > 0;
  const parts = whole ? [spec] : [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  for (const part of parts) counted(part);
  if (!any) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

const specOf = (object: KubeObject): PodSpec => (object as unknown as Pod).spec!;

function prepareForCreate(object: KubeObject): KubeObject {
  const status: PodStatus = Object.freeze({ phase: 'Pending', qosClass: qosClassOf(specOf(object)) });
  return Object.freeze({ ...object, status });
}

function validatePod(object: KubeObject): FieldError[] {
  return validatePodSpec(specOf(object), 'spec');
}

function validateNewPod(object: KubeObject): FieldError[] {
  const { ephemeralContainers = [], nodeName = '', schedulingGates = [] } = specOf(object);
  const errors = [
    ...validateOwnAnnotations(object.metadata.annotations, specOf(object), 'metadata.annotations'),
    ...validatePod(object),
  ];
  if (ephemeralContainers.length > 0) {
    errors.push(fieldError.forbidden('spec.ephemeralContainers', 'cannot be set on create'));
  }
  if (nodeName !== '' && schedulingGates.length > 0) {
    const why = 'cannot be set until all schedulingGates have been cleared';
    errors.push(fieldError.forbidden('spec.nodeName', why));
  }
  return errors;
}

// ---- deletion

function gracePeriodSeconds(object: KubeObject, asked: number | undefined): number {
  const { spec, status } = object as unknown as Pod;
  // Nobody is there who would have to stop it.
  if ((spec?.nodeName ?? '') === '') return 0;
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded') return 0;
  const period = asked ?? spec?.terminationGracePeriodSeconds ?? 0;
  return period < 0 ? 1 : period;
}

// ---- status

/** COMPAT: the single address and the first of the list are one field in upstream's memory. */
function withAddressLists(object: KubeObject): KubeObject {
  const status = (object as unknown as Pod).status ?? {};
  let next = status;
  if (status.podIP !== undefined && status.podIPs?.[0]?.ip !== status.podIP) {
    next = { ...next, podIPs: [{ ip: status.podIP }] };
  } else if (status.podIP === undefined && status.podIPs?.[0] !== undefined) {
    next = { ...next, podIP: status.podIPs[0].ip };
  }
  if (status.hostIP !== undefined && status.hostIPs === undefined) {
    next = { ...next, hostIPs: [{ ip: status.hostIP }] };
  }
  return next === status ? object : Object.freeze({ ...object, status: Object.freeze(next) });
}

/** What a kubelet reports never takes back the class of the pod, which follows from the spec. */
function prepareStatus(next: KubeObject, old: KubeObject): KubeObject {
  const ownerReferences = old.metadata.ownerReferences;
  const { ownerReferences: _, ...metadata } = next.metadata;
  const status = { ...(next['status'] as PodStatus | undefined) } as Record<string, unknown>;
  status['qosClass'] ??= (old as unknown as Pod).status?.qosClass;
  return withAddressLists(
    Object.freeze({
      ...next,
      metadata: Object.freeze({ ...metadata, ...(ownerReferences === undefined ? {} : { ownerReferences }) }),
      status: Object.freeze(status),
    }),
  );
}

// ---- subresources

/** Only ephemeral containers can be added this way, and none is ever removed or changed. */
const ephemeralContainers: Subresource = {
  verbs: ['get', 'patch', 'update'],
  part: {
    ignoredFields: ['status'],
    prepareForUpdate(next, old) {
      const given = specOf(next).ephemeralContainers;
      const { ephemeralContainers: _, ...rest } = specOf(old);
      const spec = { ...rest, ...(given === undefined ? {} : { ephemeralContainers: given }) };
      return countGeneration(
        Object.freeze({ ...old, metadata: next.metadata, spec: Object.freeze(spec) }),
        old,
      );
    },
    validateUpdate(next, old) {
      const errors = validatePod(next);
      const given = new Map((specOf(next).ephemeralContainers ?? []).map((one) => [one.name, one]));
      for (const container of specOf(old).ephemeralContainers ?? []) {
        const path = 'spec.ephemeralContainers';
        const now = given.get(container.name);
        if (now === undefined) {
          const why = `existing ephemeral containers ${JSON.stringify(container.name)} may not be removed\n`;
          errors.push(fieldError.forbidden(path, why));
        } else if (!semanticEqual(now, container)) {
          const why = `existing ephemeral containers ${JSON.stringify(container.name)} may not be changed\n`;
          errors.push(fieldError.forbidden(path, why));
        }
      }
      return errors;
    },
  },
};

function countGeneration(next: KubeObject, old: KubeObject): KubeObject {
  if (semanticEqual(next['spec'], old['spec'])) return next;
  const generation = (old.metadata.generation ?? 0) + 1;
  return Object.freeze({ ...next, metadata: Object.freeze({ ...next.metadata, generation }) });
}

/** Changes CPU and memory of containers in place. */
const resize: Subresource = {
  verbs: ['get', 'patch', 'update'],
  part: {
    ignoredFields: ['status'],
    prepareForUpdate(next, old) {
      const given = new Map((specOf(next).containers ?? []).map((one) => [one.name, one]));
      const containers = (specOf(old).containers ?? []).map((container) => {
        const now = given.get(container.name);
        return now === undefined
          ? container
          : {
              ...container,
              resources: now.resources ?? {},
              ...(now.resizePolicy === undefined ? {} : { resizePolicy: now.resizePolicy }),
            };
      });
      const spec = Object.freeze({ ...specOf(old), containers: Object.freeze(containers) });
      return countGeneration(Object.freeze({ ...old, metadata: next.metadata, spec }), old);
    },
    validateUpdate(next, old) {
      const errors = validatePod(next);
      const before = qosClassOf(specOf(old));
      if (qosClassOf(specOf(next)) !== before) {
        errors.push(
          fieldError.invalid('spec', before, 'Pod QOS Class may not change as a result of resizing'),
        );
      }
      return errors;
    },
  },
};

const SELECTABLE: Readonly<Record<string, (pod: Pod) => string>> = {
  'spec.nodeName': ({ spec }) => spec?.nodeName ?? '',
  'spec.restartPolicy': ({ spec }) => spec?.restartPolicy ?? '',
  'spec.schedulerName': ({ spec }) => spec?.schedulerName ?? '',
  'spec.serviceAccountName': ({ spec }) => spec?.serviceAccountName ?? '',
  'spec.hostNetwork': ({ spec }) => String(spec?.hostNetwork ?? false),
  'status.phase': ({ status }) => status?.phase ?? '',
  'status.podIP': ({ status }) => status?.podIP ?? '',
  'status.podIPs': ({ status }) => status?.podIPs?.[0]?.ip ?? '',
  'status.nominatedNodeName': ({ status }) => status?.nominatedNodeName ?? '',
};

const strategy: Strategy = {
  generation: 'spec',
  returnsDeleted: true,
  prepareForCreate,
  prepareForUpdate: (next, _old, _context: WriteContext) => next,
  validate: validateNewPod,
  validateUpdate: validatePodUpdate,
  warnings: podWarnings,
  gracePeriodSeconds,
  selectableFields: (object) =>
    Object.fromEntries(
      Object.entries(SELECTABLE).map(([field, read]) => [field, read(object as unknown as Pod)]),
    ),
  selectableFieldNames: Object.keys(SELECTABLE),
};

const pod: BuiltinKind = {
  defaults: (object) => change(object as unknown as Pod, 'spec', podOnlyDefaults),
  strategy,
  subresources: {
    status: statusSubresource({
      changesLabels: true,
      prepare: prepareStatus,
      validate: validatePodStatus,
    }),
    binding: bindingSubresource,
    eviction: evictionSubresource,
    ephemeralcontainers: ephemeralContainers,
    resize,
    ...podStreams,
    proxy: notServedHere('pods/proxy', ['create', 'delete', 'get', 'patch', 'update'], 'PodProxyOptions'),
  },
  printer: printers.pods,
};

const podTemplate: BuiltinKind = {
  defaults: (object) =>
    change(
      object as unknown as { template?: Parameters<typeof podTemplateDefaults>[0] },
      'template',
      podTemplateDefaults,
    ) as unknown as KubeObject,
  strategy: {
    createsOnUpdate: true,
    returnsDeleted: true,
    generation: (next, old) => !semanticEqual(next['template'], old['template']),
    validate: (object) => validatePodTemplate((object['template'] as object) ?? {}, 'template'),
    warnings: templateWarnings(
      (object) => object['template'] as PodTemplateSpec | undefined,
      'template',
      false,
    ),
  },
  printer: printers.podTemplates,
};

export const pods: BuiltinKinds = {
  '/pods': pod,
  '/podtemplates': podTemplate,
  '/bindings': legacyBinding,
};
