// COMPAT: upstream's mutating webhooks read a policy into Go structs and write these back, so that a required field
// that was left out is there and empty before the schema is looked at. A selector without a kind is therefore taken
// (and selects nothing), and a term without a name is told that the name is too short instead of missing.

type Json = Readonly<Record<string, unknown>>;

interface Shape {
  /** What a field that is not there becomes. */
  readonly zero?: Json;
  readonly fields?: Readonly<Record<string, Shape>>;
}

const requirement: Shape = { zero: { key: '', operator: '' } };
const labelSelector: Shape = { fields: { matchExpressions: requirement } };
const affinity: Readonly<Record<string, Shape>> = {
  labelSelector,
  fieldSelector: { fields: { matchExpressions: requirement } },
};
const selector: Shape = { zero: { apiVersion: '', kind: '' }, fields: { labelSelector } };
const named: Shape = { zero: { affinityName: '' }, fields: affinity };
const group: Shape = { zero: { groupByLabelKey: '' } };
const statePreservation: Shape = { fields: { rules: { zero: { aliasLabelName: '', jsonPath: '' } } } };

/** Of the spec of propagation policies. */
const PROPAGATION: Shape = {
  fields: {
    resourceSelectors: selector,
    placement: {
      fields: {
        clusterAffinity: { fields: affinity },
        clusterAffinities: { zero: { affinityName: '' }, fields: { ...affinity, overflowAffinities: named } },
        replicaScheduling: {
          fields: {
            weightPreference: {
              fields: {
                staticWeightList: {
                  zero: { targetCluster: {}, weight: 0 },
                  fields: { targetCluster: { fields: affinity } },
                },
              },
            },
          },
        },
        workloadAffinity: { fields: { affinity: group, antiAffinity: group } },
      },
    },
    failover: {
      fields: {
        application: { zero: { decisionConditions: {} }, fields: { statePreservation } },
        cluster: { fields: { statePreservation } },
      },
    },
    schedulePriority: { zero: { priorityClassSource: '', priorityClassName: '' } },
  },
};

const change: Shape = { zero: { subPath: '', operator: '' } };
const words: Shape = { zero: { containerName: '', operator: '' } };
const keys: Shape = { zero: { operator: '' } };
const overriders: Shape = {
  fields: {
    plaintext: { zero: { path: '', operator: '' } },
    imageOverrider: {
      zero: { component: '', operator: '' },
      fields: { predicate: { zero: { path: '' } } },
    },
    commandOverrider: words,
    argsOverrider: words,
    labelsOverrider: keys,
    annotationsOverrider: keys,
    fieldOverrider: { zero: { fieldPath: '' }, fields: { json: change, yaml: change } },
  },
};

/** Of the spec of override policies. */
const OVERRIDE: Shape = {
  zero: { overriders: {} },
  fields: {
    resourceSelectors: selector,
    overrideRules: {
      zero: { overriders: {} },
      fields: { targetCluster: { fields: affinity }, overriders },
    },
    targetCluster: { fields: affinity },
    overriders,
  },
};

/** The same for the spec of an override policy, whose deprecated overriders are always there. */
export function withRequiredOverrides<T extends object>(spec: T): T {
  return filled(spec, OVERRIDE) as T;
}

/** The spec of a propagation policy with its required fields there. The same object when they all are. */
export function withRequiredFields<T extends object>(spec: T): T {
  return filled(spec, PROPAGATION) as T;
}

function filled(value: unknown, shape: Shape): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => filled(item, shape));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  const given = value as Json;
  const changes: Record<string, unknown> = {};
  for (const [field, zero] of Object.entries(shape.zero ?? {}))
    if (given[field] === undefined) changes[field] = zero;
  for (const [field, child] of Object.entries(shape.fields ?? {})) {
    if (!Object.hasOwn(given, field)) continue;
    const part = filled(given[field], child);
    if (part !== given[field]) changes[field] = part;
  }
  return Object.keys(changes).length === 0 ? value : { ...given, ...changes };
}
