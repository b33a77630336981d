// Volumes and claims in words.
import type { KubeObject } from '../../api/index.ts';
import { named, type Described } from './parts.ts';
import {
  annotations,
  at,
  labels,
  listAt,
  longTime,
  mapAt,
  textAt,
  type Description,
  type Fields,
} from './text.ts';

const SHORT_MODES: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

/** In kubectl's order, each once. */
function modesText(object: unknown, ...path: readonly string[]): string {
  const modes = (at(object, ...path) as readonly string[] | undefined) ?? [];
  return Object.entries(SHORT_MODES)
    .filter(([mode]) => modes.includes(mode))
    .map(([, short]) => short)
    .join(',');
}

function finalizers(out: Description, { metadata }: KubeObject): void {
  out.field(0, 'Finalizers', `[${(metadata.finalizers ?? []).join(' ')}]`);
}

function phase(out: Description, object: KubeObject): void {
  const deleted = object.metadata.deletionTimestamp;
  out.field(
    0,
    'Status',
    deleted === undefined ? textAt(object, 'status', 'phase') : `Terminating (since ${longTime(deleted)})`,
  );
}

export function describeVolume(out: Description, volume: KubeObject): void {
  const spec = mapAt(volume, 'spec');
  out.field(0, 'Name', volume.metadata.name ?? '');
  labels(out, volume);
  annotations(out, volume);
  finalizers(out, volume);
  out.field(0, 'StorageClass', textAt(spec, 'storageClassName'));
  phase(out, volume);
  const claim = [textAt(spec, 'claimRef', 'namespace'), textAt(spec, 'claimRef', 'name')];
  out.field(0, 'Claim', claim.every((part) => part === '') ? '' : claim.join('/'));
  out.field(0, 'Reclaim Policy', textAt(spec, 'persistentVolumeReclaimPolicy'));
  out.field(0, 'Access Modes', modesText(spec, 'accessModes'));
  if (textAt(spec, 'volumeMode') !== '') out.field(0, 'VolumeMode', textAt(spec, 'volumeMode'));
  out.field(0, 'Capacity', textAt(spec, 'capacity', 'storage'));
  nodeAffinity(out, spec);
  out.field(0, 'Message', textAt(volume, 'status', 'message'));
  out.line(0, 'Source:');
  for (const line of sourceLines(spec)) out.line(2, line);
}

function nodeAffinity(out: Description, spec: Fields): void {
  const required = at(spec, 'nodeAffinity', 'required');
  if (required === undefined) return out.field(0, 'Node Affinity', '<none>');
  out.field(0, 'Node Affinity', '');
  const terms = listAt(required, 'nodeSelectorTerms');
  out.field(1, 'Required Terms', terms.length === 0 ? '<none>' : '');
  terms.forEach((term, index) => {
    const texts = listAt(term, 'matchExpressions').map((one) => {
      const values = (at(one, 'values') as readonly string[] | undefined) ?? [];
      const text = `${textAt(one, 'key')} ${textAt(one, 'operator').toLowerCase()}`;
      return values.length === 0 ? text : `${text} [${values.join(', ')}]`;
    });
    const [first = '<none>', ...rest] = texts;
    out.line(2, `Term ${index}:\t${first}`);
    for (const text of rest) out.line(2, `\t${text}`);
  });
}

/** Type, and which fields tell of it, each as kubectl calls it. */
const SOURCES: Readonly<Record<string, { readonly type: string; readonly fields: readonly (readonly [string, string])[] }>> = {
  hostPath: { type: 'HostPath (bare host directory volume)', fields: [['Path', 'path'], ['HostPathType', 'type']] },
  nfs: { type: 'NFS (an NFS mount that lasts the lifetime of a pod)', fields: [['Server', 'server'], ['Path', 'path'], ['ReadOnly', 'readOnly']] },
  local: { type: 'LocalVolume (a persistent volume backed by local storage on a node)', fields: [['Path', 'path']] },
  csi: { type: 'CSI (a Container Storage Interface (CSI) volume source)', fields: [['Driver', 'driver'], ['FSType', 'fsType'], ['VolumeHandle', 'volumeHandle'], ['ReadOnly', 'readOnly']] },
  awsElasticBlockStore: { type: 'AWSElasticBlockStore (a Persistent Disk resource in AWS)', fields: [['VolumeID', 'volumeID'], ['FSType', 'fsType'], ['Partition', 'partition'], ['ReadOnly', 'readOnly']] },
  gcePersistentDisk: { type: 'GCEPersistentDisk (a Persistent Disk resource in Google Compute Engine)', fields: [['PDName', 'pdName'], ['FSType', 'fsType'], ['Partition', 'partition'], ['ReadOnly', 'readOnly']] },
}; // prettier-ignore

/** COMPAT: what Go prints for a field that is not set. */
const ZEROES: Readonly<Record<string, string>> = { readOnly: 'false', partition: '0' };

function sourceLines(spec: Fields): readonly string[] {
  const [name = '', source] = Object.entries(SOURCES).find(([one]) => at(spec, one) !== undefined) ?? [];
  if (source === undefined) return ['<unknown>'];
  const lines = source.fields.map(
    ([called, field]) => `${called}:\t${textAt(spec, name, field) || (ZEROES[field] ?? '')}`,
  );
  return [
    `Type:\t${source.type}`,
    ...lines,
    ...(name === 'csi' ? attributeLines(mapAt(spec, 'csi', 'volumeAttributes')) : []),
  ];
}

/** COMPAT: kubectl indents these twice. */
function attributeLines(attributes: Fields): readonly string[] {
  const [first, ...rest] = Object.keys(attributes).sort().map((key) => `    ${key}=${textAt(attributes, key)}`); // prettier-ignore
  return [`VolumeAttributes:\t${first ?? '<none>'}`, ...rest.map((text) => `    \t${text}`)];
}

export async function describeClaim(
  out: Description,
  claim: KubeObject,
  { others }: Described,
): Promise<void> {
  const spec = mapAt(claim, 'spec');
  named(out, claim);
  out.field(0, 'StorageClass', textAt(spec, 'storageClassName'));
  phase(out, claim);
  const volume = textAt(spec, 'volumeName');
  out.field(0, 'Volume', volume);
  labels(out, claim);
  annotations(out, claim);
  finalizers(out, claim);
  out.field(0, 'Capacity', volume === '' ? '' : textAt(claim, 'status', 'capacity', 'storage'));
  out.field(0, 'Access Modes', volume === '' ? '' : modesText(claim, 'status', 'accessModes'));
  if (textAt(spec, 'volumeMode') !== '') out.field(0, 'VolumeMode', textAt(spec, 'volumeMode'));
  const source = at(spec, 'dataSource');
  if (source !== undefined) {
    out.line(0, 'DataSource:');
    if (at(source, 'apiGroup') !== undefined) out.field(1, 'APIGroup', textAt(source, 'apiGroup'));
    out.field(1, 'Kind', textAt(source, 'kind'));
    out.field(1, 'Name', textAt(source, 'name'));
  }
  const users = (await others('', 'v1', 'pods')).filter((pod) =>
    listAt(pod, 'spec', 'volumes').some(
      (one) => textAt(one, 'persistentVolumeClaim', 'claimName') === claim.metadata.name,
    ),
  );
  out.block('Used By', users.map(({ metadata }) => metadata.name ?? '')); // prettier-ignore
  const conditions = listAt(claim, 'status', 'conditions');
  if (conditions.length === 0) return;
  out.line(0, 'Conditions:\n  Type\tStatus\tLastProbeTime\tLastTransitionTime\tReason\tMessage');
  out.line(1, '----\t------\t-----------------\t------------------\t------\t-------');
  for (const one of conditions)
    out.line(
      1,
      `${textAt(one, 'type')} \t${textAt(one, 'status')} \t${timeText(one, 'lastProbeTime')} \t${timeText(one, 'lastTransitionTime')} \t${textAt(one, 'reason')} \t${textAt(one, 'message')}`,
    );
}

/** COMPAT: Go's zero time. */
function timeText(object: Fields, field: string): string {
  return longTime(textAt(object, field)).replace('<unset>', 'Mon, 01 Jan 0001 00:00:00 +0000');
}
