// What mutating admission makes of an object, and what every write sees to besides: owners named once, and records of
// managed fields that can be read.
import type { KubeObject } from '../../api/index.ts';
import { distinctOwners, managedFieldsFault, type AdmissionAttributes } from '../../machinery/index.ts';
import { mutateAdmission } from '../admission-chain.ts';
import type { ResourceCall } from '../call.ts';
import { withMetadata } from '../object-codec.ts';

type Stage = 'as sent' | 'after admission';

/** The object with equal owner references named once; says so to the client. */
export function nameOwnersOnce({ warnings }: ResourceCall, object: KubeObject, stage: Stage): KubeObject {
  const { ownerReferences } = object.metadata;
  if (ownerReferences === undefined || ownerReferences.length < 2) return object;
  const { distinct, repeated } = distinctOwners(ownerReferences);
  if (repeated.length === 0) return object;
  const when = stage === 'as sent' ? '' : ' after mutating admission happens';
  warnings.add(
    `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, ` +
      `and may reject such requests as early as 1.24; please fix your requests; ` +
      `duplicate UID(s) observed: ${repeated.map(({ uid }) => uid).join(', ')}`,
  );
  return withMetadata(object, { ...object.metadata, ownerReferences: distinct });
}

/** What the server stores of what `attributes` ask for. */
export async function admit(
  call: ResourceCall,
  attributes: AdmissionAttributes & { readonly object: KubeObject },
): Promise<KubeObject> {
  const { core, warnings } = call;
  const { object } = attributes;
  const admitted = await mutateAdmission(core.admission, attributes, (message) => void warnings.add(message));
  return nameOwnersOnce(call, withReadableOwnership(call, admitted, object), 'after admission');
}

function withReadableOwnership(call: ResourceCall, admitted: KubeObject, given: KubeObject): KubeObject {
  const { managedFields } = admitted.metadata;
  if (managedFields === given.metadata.managedFields) return admitted;
  const fault = managedFieldsFault(managedFields);
  if (fault === undefined) return admitted;
  call.warnings.add(
    '.metadata.managedFields was in an invalid state after admission; this could be caused by an outdated ' +
      `mutating admission controller; please fix your requests: ${fault}`,
  );
  const { managedFields: _, ...metadata } = admitted.metadata;
  const before = given.metadata.managedFields;
  return withMetadata(admitted, before === undefined ? metadata : { ...metadata, managedFields: before });
}
