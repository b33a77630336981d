import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PersistentVolumeClaimSpec, PersistentVolumeSpec } from '../../api/index.ts';
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../kinds.ts';
import type { Plan } from '../plan.ts';
import { meta, secondsAgo } from '../testing/objects.ts';
import { outline, statusIn, writesOf } from '../testing/plans.ts';
import { decideClaim, decideVolume } from './volume-binding.ts';

const claim = (
  spec: Partial<PersistentVolumeClaimSpec> = {},
  more: Partial<PersistentVolumeClaim> = {},
): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: meta('data'),
  spec: {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
    storageClassName: 'fast',
    ...spec,
  },
  status: { phase: 'Pending' },
  ...more,
});

const volume = (
  name: string,
  storage: string,
  spec: Partial<PersistentVolumeSpec> = {},
): PersistentVolume => {
  const { namespace: _, ...metadata } = meta(name);
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata,
    spec: { capacity: { storage }, accessModes: ['ReadWriteOnce'], storageClassName: 'fast', ...spec },
  };
};

const storageClass = (name: string, more: Partial<StorageClass> = {}): StorageClass => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: meta(name),
  provisioner: 'p',
  ...more,
});

const decide = (
  of: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  more: Partial<Parameters<typeof decideClaim>[0]> = {},
): Plan => decideClaim({ claim: of, volumes, classes: [storageClass('fast')], isUsed: false, ...more });

test('a claim gets a volume made for it, then is bound to it, then says so', () => {
  const made = decide(claim(), []);
  const [created] = writesOf(made, 'create', 'PersistentVolume') as unknown as PersistentVolume[];
  assert.equal(created?.metadata.name, 'pvc-uid-data');
  assert.equal(created?.spec.claimRef?.uid, 'uid-data');
  assert.equal(created?.spec.persistentVolumeReclaimPolicy, 'Delete');
  const bound = decide(claim(), [created]);
  assert.deepEqual(outline(bound), ['update PersistentVolumeClaim data']);
  const [next] = writesOf(bound, 'update', 'PersistentVolumeClaim') as unknown as PersistentVolumeClaim[];
  assert.equal(next?.spec.volumeName, 'pvc-uid-data');
  const status = statusIn<PersistentVolumeClaim['status']>(decide(next, [created]), 'PersistentVolumeClaim');
  assert.deepEqual(status, { phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } });
  assert.deepEqual(decide({ ...next, status: status }, [created]).steps, []);
});

test('of free volumes the smallest that satisfies the claim is taken', () => {
  const volumes = [volume('big', '10Gi'), volume('small', '500Mi'), volume('fits', '2Gi')];
  const [reserved] = writesOf(decide(claim(), volumes), 'update', 'PersistentVolume');
  assert.equal(reserved?.metadata.name, 'fits');
  const shared = decide(claim({ accessModes: ['ReadWriteMany'] }), volumes);
  assert.equal(writesOf(shared, 'create', 'PersistentVolume').length, 1);
  const taken = volume('taken', '1Gi', { claimRef: { namespace: 'shop', name: 'other', uid: 'u' } });
  assert.equal(writesOf(decide(claim(), [taken]), 'create', 'PersistentVolume').length, 1);
});

test('a volume reserved for the claim is taken whatever else there is', () => {
  const reserved = volume('reserved', '5Gi', { claimRef: { namespace: 'shop', name: 'data' } });
  const plan = decide(claim(), [volume('fits', '1Gi'), reserved]);
  assert.equal(writesOf(plan, 'update', 'PersistentVolume')[0]?.metadata.name, 'reserved');
});

test('classes: the default one is filled in, an unknown one is reported, a late one waits for a pod', () => {
  const { storageClassName: _, ...open } = claim().spec;
  const standard = storageClass('standard', {
    metadata: meta('standard', { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } }),
  });
  const [filled] = writesOf(
    decide({ ...claim(), spec: open }, [], { classes: [standard] }),
    'update',
    'PersistentVolumeClaim',
  );
  assert.equal((filled as PersistentVolumeClaim | undefined)?.spec.storageClassName, 'standard');
  assert.equal(decide(claim(), [], { classes: [] }).events[0]?.reason, 'ProvisioningFailed');
  const late = [storageClass('fast', { volumeBindingMode: 'WaitForFirstConsumer' })];
  assert.deepEqual(decide(claim(), [], { classes: late }).steps, []);
  assert.equal(
    writesOf(decide(claim(), [], { classes: late, isUsed: true }), 'create', 'PersistentVolume').length,
    1,
  );
});

test('a claim that is being deleted goes when no pod uses it', () => {
  const metadata = meta('data', {
    deletionTimestamp: secondsAgo(1),
    finalizers: ['kubernetes.io/pvc-protection', 'example.com/mine'],
  });
  assert.deepEqual(decide(claim({}, { metadata }), [], { isUsed: true }).steps, []);
  const [freed] = writesOf(decide(claim({}, { metadata }), []), 'update', 'PersistentVolumeClaim');
  assert.deepEqual(freed?.metadata.finalizers, ['example.com/mine']);
});

test('a volume follows its claim', () => {
  const claimRef = { namespace: 'shop', name: 'data', uid: 'uid-data' };
  const phase = (of: PersistentVolume, its: PersistentVolumeClaim | undefined): unknown =>
    statusIn<{ phase: string }>(decideVolume({ volume: of, claim: its }), 'PersistentVolume')?.phase;
  assert.equal(phase(volume('v', '1Gi'), undefined), 'Available');
  assert.equal(phase(volume('v', '1Gi', { claimRef }), claim({ volumeName: 'v' })), 'Bound');
  assert.equal(
    phase(volume('v', '1Gi', { claimRef, persistentVolumeReclaimPolicy: 'Retain' }), undefined),
    'Released',
  );
  const disposable = volume('v', '1Gi', { claimRef, persistentVolumeReclaimPolicy: 'Delete' });
  assert.deepEqual(outline(decideVolume({ volume: disposable, claim: undefined })), [
    'delete PersistentVolume v',
  ]);
});
