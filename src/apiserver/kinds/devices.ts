// resource.k8s.io: claims on devices. Allocating them is the business of a cluster's scheduler.
import type { KubeObject } from '../../api/index.ts';
import { change, each, fill } from '../typed/drafts.ts';
import type { BuiltinKind, BuiltinKinds } from './builtin.ts';
import { immutable } from './checks.ts';
import { statusSubresource } from './status.ts';

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

const claim: BuiltinKind = {
  defaults: (object) =>
    change(object as unknown as { spec?: ClaimSpec }, 'spec', claimSpecDefaults) as unknown as KubeObject,
  strategy: {
    validateUpdate: (next, old) => immutable(next['spec'], old['spec'], 'spec'),
  },
  subresources: { status: statusSubresource({ changesLabels: true }) },
};

const claimTemplate: BuiltinKind = {
  defaults: (object) =>
    change(object as unknown as { spec?: { spec?: ClaimSpec } }, 'spec', (template) =>
      change(template, 'spec', claimSpecDefaults),
    ) as unknown as KubeObject,
  strategy: { validateUpdate: (next, old) => immutable(next['spec'], old['spec'], 'spec') },
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
};

export const devices: BuiltinKinds = {
  [`${GROUP}/resourceclaims`]: claim,
  [`${GROUP}/resourceclaimtemplates`]: claimTemplate,
  [`${GROUP}/resourceslices`]: slice,
  [`${GROUP}/deviceclasses`]: { strategy: { generation: 'spec' } },
};
