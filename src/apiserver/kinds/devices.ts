// resource.k8s.io: claims on devices. Allocating them is the business of a cluster's scheduler.
import type { KubeObject } from '../../api/index.ts';
import { change, each, fill } from '../typed/drafts.ts';
import type { BuiltinKind, BuiltinKinds } from './builtin.ts';
import { immutable } from './checks.ts';
import { statusSubresource } from './status.ts';
import { printer } from '../table/columns.ts';

interface Exact {
  readonly allocationMode?: string;
  readonly count?: number;
}
interface DeviceRequest {
  readonly exactly?: Exact;
  readonly firstAvailable?: readonly Exact[];
}
interface ClaimSpec {
  readonly devices?: { readonly requests?: readonly DeviceRequest[] };
}

function exactDefaults(exact: Exact): Exact {
  const mode = fill(exact, { allocationMode: 'ExactCount' });
  return mode.allocationMode === 'ExactCount' ? fill(mode, { count: 1 }) : mode;
}

function claimSpecDefaults(spec: ClaimSpec): ClaimSpec {
  return change(spec, 'devices', (devices) =>
    change(devices, 'requests', (requests) =>
      each(requests, (request) =>
        change(change(request, 'exactly', exactDefaults), 'firstAvailable', (list) =>
          each(list, exactDefaults),
        ),
      ),
    ),
  );
}

const GROUP = 'resource.k8s.io';

const named = printer<KubeObject>('Name|Age', ({ metadata }) => [metadata.name ?? '']);

interface ClaimStatus {
  readonly allocation?: object;
  readonly reservedFor?: readonly object[];
}

/** How far a claim is: deleted, pending, allocated, reserved, as far as each is true. */
function stateOf({ metadata, ...object }: KubeObject): string {
  const { allocation, reservedFor = [] } = (object['status'] ?? {}) as ClaimStatus;
  const deleted = metadata.deletionTimestamp !== undefined;
  const states = [
    ...(deleted ? ['deleted'] : []),
    ...(allocation === undefined && !deleted ? ['pending'] : []),
    ...(allocation === undefined ? [] : ['allocated']),
    ...(reservedFor.length === 0 ? [] : ['reserved']),
  ];
  return states.join(',');
}

const claim: BuiltinKind = {
  defaults: (object) =>
    change(object as unknown as { spec?: ClaimSpec }, 'spec', claimSpecDefaults) as unknown as KubeObject,
  strategy: {
    validateUpdate: (next, old) => immutable(next['spec'], old['spec'], 'spec'),
  },
  subresources: { status: statusSubresource({ changesLabels: true }) },
  printer: printer<KubeObject>('Name|State|Age', (object) => [object.metadata.name ?? '', stateOf(object)]),
};

const claimTemplate: BuiltinKind = {
  defaults: (object) =>
    change(object as unknown as { spec?: { spec?: ClaimSpec } }, 'spec', (template) =>
      change(template, 'spec', claimSpecDefaults),
    ) as unknown as KubeObject,
  strategy: { validateUpdate: (next, old) => immutable(next['spec'], old['spec'], 'spec') },
  printer: named,
};

const slice: BuiltinKind = {
  strategy: {
    generation: 'spec',
    selectableFields: (object) => {
      const { nodeName = '', driver = '' } = (object['spec'] ?? {}) as { nodeName?: string; driver?: string };
      return { 'spec.nodeName': nodeName, 'spec.driver': driver };
    },
    selectableFieldNames: ['spec.nodeName', 'spec.driver'],
  },
  printer: printer<KubeObject>('Name|Node|Driver|Pool|Age', (object) => {
    const {
      nodeName = '',
      driver = '',
      pool,
    } = (object['spec'] ?? {}) as {
      readonly nodeName?: string;
      readonly driver?: string;
      readonly pool?: { readonly name?: string };
    };
    return [object.metadata.name ?? '', nodeName, driver, pool?.name ?? ''];
  }),
};

export const devices: BuiltinKinds = {
  [`${GROUP}/resourceclaims`]: claim,
  [`${GROUP}/resourceclaimtemplates`]: claimTemplate,
  [`${GROUP}/resourceslices`]: slice,
  [`${GROUP}/deviceclasses`]: { strategy: { generation: 'spec' }, printer: named },
};
