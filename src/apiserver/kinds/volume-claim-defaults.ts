// Defaults of volume claims, on their own and inside templates.
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../../api/index.ts';
import { change, fill } from '../typed/drafts.ts';

export function pvcSpecDefaults(spec: PersistentVolumeClaimSpec): PersistentVolumeClaimSpec {
  return fill(spec, { volumeMode: 'Filesystem' });
}

export function pvcDefaults(claim: PersistentVolumeClaim): PersistentVolumeClaim {
  const withSpec = change(claim, 'spec', pvcSpecDefaults);
  return change(withSpec, 'status', (status) => fill(status, { phase: 'Pending' }));
}
