// FederatedResourceQuota: what one must satisfy, and what it lets bindings take (gate FederatedQuotaEnforcement).
// INVARIANT: a binding that is refused has changed no quota.
import type { FederatedResourceQuota, ResourceBinding } from '../api/index.ts';
import { validateClusterName } from '../fleet/index.ts';
import {
  byteLength,
  fieldError,
  internalError,
  isQualifiedName,
  Quantity,
  StatusError,
  tooLongComplaint,
  type AdmissionAttributes,
  type FieldError,
} from '../machinery/index.ts';
import { checkQuota, concernsQuota, quotaDelta, type Amounts } from '../propagation/index.ts';
import type { Refusal } from './rule.ts';

// ---- validation

const COUNTED: ReadonlySet<string> = new Set([
  'pods', 'services', 'replicationcontrollers', 'resourcequotas', 'secrets', 'configmaps', 'persistentvolumeclaims',
  'services.nodeports', 'services.loadbalancers',
]); // prettier-ignore
const STANDARD_FOR_QUOTA: ReadonlySet<string> = new Set([
  ...COUNTED, 'cpu', 'memory', 'ephemeral-storage', 'requests.cpu', 'requests.memory', 'requests.storage',
  'requests.ephemeral-storage', 'limits.cpu', 'limits.memory', 'limits.ephemeral-storage',
]); // prettier-ignore
/** Standard, but nothing that a quota counts. */
const STORAGE = 'storage';
const HUGE_PAGES = /^(?:requests\.)?hugepages-/;
const MAX_NAME_BYTES = 63;

export function validateFederatedResourceQuota({ metadata, spec }: FederatedResourceQuota): FieldError[] {
  const { name = '' } = metadata;
  const { overall, staticAssignments = [] } = spec;
  // The name becomes the value of a label.
  const tooLong = byteLength(name) > MAX_NAME_BYTES;
  return [
    ...(tooLong ? [fieldError.invalid('metadata.name', name, tooLongComplaint(MAX_NAME_BYTES))] : []),
    ...validateAmounts(overall, 'spec.overall'),
    ...staticAssignments.flatMap(({ clusterName, hard }, index) => {
      const path = `spec.staticAssignments[${index}]`;
      return [
        ...validateClusterName(clusterName).map((error) => ({ ...error, path: `${path}.clusterName` })),
        ...validateAmounts(hard, `${path}.hard`),
      ];
    }),
    ...validateShares(spec),
  ];
}

function validateShares({ overall, staticAssignments = [] }: FederatedResourceQuota['spec']): FieldError[] {
  const errors: FieldError[] = [];
  for (const [resource, text] of Object.entries(overall)) {
    const limit = Quantity.parse(text);
    let assigned = Quantity.zero;
    for (const { hard } of staticAssignments) {
      if (Object.hasOwn(hard, resource)) assigned = assigned.add(Quantity.parse(hard[resource] ?? 0));
    }
    if (limit.compare(assigned) >= 0) continue;
    const path = `spec.overall[${resource}]`;
    errors.push(fieldError.invalid(path, limit.toString(), 'overall is less than assignments'));
  }
  for (const [index, { hard }] of staticAssignments.entries()) {
    for (const resource of Object.keys(hard)) {
      if (Object.hasOwn(overall, resource)) continue;
      // COMPAT: the words are upstream's (case adm-frq).
      const why = 'assignment resourceName is not exist in overall';
      errors.push(fieldError.invalid(`spec.staticAssignments[${index}].hard[${resource}]`, resource, why));
    }
  }
  return errors;
}

function validateAmounts(amounts: Readonly<Record<string, string | number>>, path: string): FieldError[] {
  return Object.entries(amounts).flatMap(([resource, text]) => {
    const amount = Quantity.parse(text);
    const where = `${path}[${resource}]`;
    const refuse = (why: string): FieldError => fieldError.invalid(where, amount.toString(), why);
    return [
      ...validateResourceName(resource, where),
      ...(amount.sign < 0 ? [refuse('must be greater than or equal to 0')] : []),
      ...(isWhole(resource) && amount.milliValue() % 1000 !== 0 ? [refuse('must be an integer')] : []),
    ];
  });
}

function validateResourceName(resource: string, path: string): FieldError[] {
  const errors = isQualifiedName(resource).map((why) => fieldError.invalid(path, resource, why));
  if (resource.includes('/')) return errors;
  const countable = STANDARD_FOR_QUOTA.has(resource) || HUGE_PAGES.test(resource);
  if (errors.length === 0 && !countable && resource !== STORAGE)
    errors.push(fieldError.invalid(path, resource, 'must be a standard resource type or fully qualified'));
  if (!countable) errors.push(fieldError.invalid(path, resource, 'must be a standard resource for quota'));
  return errors;
}

/** Counted things and extended resources come in whole pieces. */
function isWhole(resource: string): boolean {
  if (COUNTED.has(resource)) return true;
  const native = !resource.includes('/') || resource.includes('kubernetes.io/');
  return !native && !resource.startsWith('requests.');
}

// ---- enforcement

/** How admission reaches the quotas; reads must not be behind writes. */
export interface QuotaLedger {
  list(namespace: string): Promise<readonly FederatedResourceQuota[]>;
  /** @throws a StatusError of code 409 when `quota` is not the stored one any more */
  writeStatus(quota: FederatedResourceQuota, dryRun: boolean): Promise<void>;
}

// LIMIT: a quota that changes under the hand this often is refused for now; who asked tries again.
const TRIES = 10;

interface Reservation {
  readonly ledger: QuotaLedger;
  readonly namespace: string;
  readonly dryRun: boolean;
}

/** Counts what a write of a binding takes, or says why it may not take it. */
export async function enforceQuotas(
  attributes: AdmissionAttributes,
  ledger: QuotaLedger,
): Promise<Refusal | undefined> {
  const before = (attributes.oldObject as ResourceBinding | undefined)?.spec;
  const { spec: after } = attributes.object as ResourceBinding;
  if (!concernsQuota(before, after)) return undefined;
  const delta = quotaDelta(before, after);
  if (delta.size === 0) return undefined;
  const { namespace, dryRun } = attributes;
  const reservation = { ledger, namespace, dryRun };
  const quotas = await ledger.list(namespace);
  for (const quota of quotas) {
    const verdict = checkQuota(quota, delta);
    if (verdict.outcome === 'exceeded') return { reason: 'QuotaExceeded', message: verdict.message };
  }
  const taken: FederatedResourceQuota[] = [];
  for (const quota of quotas) {
    let refusal: Refusal | undefined;
    try {
      refusal = await take(reservation, quota, delta);
    } catch (error) {
      await giveBack(reservation, taken, delta);
      throw error;
    }
    if (refusal !== undefined) {
      await giveBack(reservation, taken, delta);
      return refusal;
    }
    taken.push(quota);
  }
  return undefined;
}

async function giveBack(
  reservation: Reservation,
  taken: readonly FederatedResourceQuota[],
  delta: Amounts,
): Promise<void> {
  if (reservation.dryRun) return;
  const negative = new Map([...delta].map(([resource, amount]) => [resource, amount.negate()]));
  for (const quota of taken) await take(reservation, quota, negative);
}

/** Judged anew whenever the quota changed in between. */
async function take(
  { ledger, namespace, dryRun }: Reservation,
  first: FederatedResourceQuota,
  delta: Amounts,
): Promise<Refusal | undefined> {
  let quota: FederatedResourceQuota | undefined = first;
  for (let tries = 0; tries < TRIES; tries++) {
    // The first look may be old by now when it was written to already.
    if (tries > 0) {
      const { uid } = first.metadata;
      quota = (await ledger.list(namespace)).find(({ metadata }) => metadata.uid === uid);
    }
    if (quota === undefined) return undefined;
    const verdict = checkQuota(quota, delta);
    if (verdict.outcome === 'not concerned') return undefined;
    if (verdict.outcome === 'exceeded') return { reason: 'QuotaExceeded', message: verdict.message };
    const { overallUsed } = verdict;
    try {
      await ledger.writeStatus({ ...quota, status: { ...quota.status, overallUsed } }, dryRun);
      return undefined;
    } catch (error) {
      if (error instanceof StatusError && error.status.code === 404) return undefined;
      if (!(error instanceof StatusError) || error.status.code !== 409)
        throw internalError(`cannot count against ${first.metadata.name}: ${String(error)}`);
    }
  }
  throw internalError(`${first.metadata.name} changed ${TRIES} times while it was being counted against`);
}
