// What an admission rule of ours is. Each rule stands for one webhook of upstream, under its name and paths: the
// embedded API server runs it in its own chain, and beside an existing kube-apiserver the same rule answers
// AdmissionReviews. Rules are pure but for the ids they draw from Random and the quotas they count against.
import type { KubeObject } from '../api/index.ts';
import {
  StatusError,
  goAggregate,
  type AdmissionAttributes,
  type AdmissionOperation,
  type AdmissionPlugin,
  type FieldError,
} from '../machinery/index.ts';

/** A refusal with a reason of its own. */
export interface Refusal {
  readonly reason: string;
  readonly message: string;
}

type Objection = string | readonly FieldError[] | Refusal;

export interface Rule {
  /** The webhook's name, e.g. `propagationpolicy.karmada.io`; refusals carry it. */
  readonly webhook: string;
  /** Groups and resources it looks at; `*` for all. */
  readonly group: string;
  readonly resource: string;
  readonly mutateOn?: readonly AdmissionOperation[];
  readonly validateOn?: readonly AdmissionOperation[];
  mutate?(object: KubeObject, attributes: AdmissionAttributes, warn: (message: string) => void): KubeObject;
  /** Why not; undefined or no errors: yes. */
  validate?(attributes: AdmissionAttributes): Objection | undefined | Promise<Objection | undefined>;
}

/** A refusal in the words in which kube-apiserver passes on a webhook's. */
export function denial(webhook: string, why: Objection): StatusError {
  const [reason, text] =
    typeof why === 'string'
      ? ['Forbidden', why]
      : 'reason' in why
        ? [why.reason, why.message]
        : ['Forbidden', describe(why)];
  return new StatusError(403, reason, `admission webhook "${webhook}" denied the request: ${text}`);
}

function describe(errors: readonly FieldError[]): string {
  return goAggregate(errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)));
}

export function asPlugin(rule: Rule): AdmissionPlugin {
  const concerns = (attributes: AdmissionAttributes): boolean =>
    (rule.group === '*' || rule.group === attributes.group) &&
    (rule.resource === '*' || rule.resource === attributes.resource) &&
    attributes.subresource === '';
  const mutate = rule.mutate?.bind(rule);
  const validate = rule.validate?.bind(rule);
  const judge = (why: Objection | undefined): void => {
    if (why === undefined || ((typeof why === 'string' || Array.isArray(why)) && why.length === 0)) return;
    throw denial(rule.webhook, why);
  };
  return {
    name: rule.webhook,
    handles: concerns,
    ...(mutate === undefined
      ? {}
      : {
          mutate: (attributes: AdmissionAttributes, warn: (message: string) => void): KubeObject => {
            const { object, operation } = attributes;
            if (object === undefined) throw new TypeError(`${rule.webhook} asked to mutate nothing`);
            return rule.mutateOn?.includes(operation) === true ? mutate(object, attributes, warn) : object;
          },
        }),
    ...(validate === undefined
      ? {}
      : {
          validate: (attributes: AdmissionAttributes): void | Promise<void> => {
            if (rule.validateOn?.includes(attributes.operation) !== true) return undefined;
            const why = validate(attributes);
            return why instanceof Promise ? why.then(judge) : judge(why);
          },
        }),
  };
}

// COMPAT: messages print offending values as Go marshals the typed struct, that is in the struct's field order
// (case adm-pp-spread). One order over all our kinds is enough, since no two of them disagree.
const FIELD_ORDER = [
  'affinityName', 'clusterAffinity', 'clusterAffinities', 'clusterTolerations', 'spreadConstraints', 'replicaScheduling',
  'workloadAffinity', 'affinity', 'antiAffinity', 'groupByLabelKey', 'labelSelector', 'fieldSelector', 'clusterNames', 'exclude', 'overflowAffinities', 'matchLabels',
  'matchExpressions', 'spreadByField', 'spreadByLabel', 'maxGroups', 'minGroups', 'dispatching', 'dispatchingOnClusters',
  'plaintext', 'imageOverrider', 'commandOverrider', 'argsOverrider', 'labelsOverrider', 'annotationsOverrider',
  'fieldOverrider', 'predicate', 'component', 'containerName', 'fieldPath', 'json', 'yaml', 'key', 'subPath', 'path',
  'operator', 'value', 'values', 'effect', 'tolerationSeconds', 'timeAdded',
]; // prettier-ignore
const RANK = new Map(FIELD_ORDER.map((field, index) => [field, index]));

/** `value` with its keys in the order in which Go would print them: fields as above, then those of maps by the alphabet. */
export function inGoOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inGoOrder);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, child]): [string, unknown] => [key, inGoOrder(child)]);
  const rank = (key: string): number => RANK.get(key) ?? FIELD_ORDER.length;
  return Object.fromEntries(entries.sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1)));
}
