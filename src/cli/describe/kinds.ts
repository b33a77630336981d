// Kinds that have a description of their own; all others are described field by field, as kubectl does for kinds that it
// does not know.
import type { KubeObject } from '../../api/index.ts';
import { describeCronJob, describeJob } from './batch.ts';
import { describeNode } from './nodes.ts';
import {
  conditions,
  endpointsOf,
  header,
  named,
  owner,
  workload,
  type Described,
  type Describer,
} from './parts.ts';
import { describePod, podTemplate } from './pods.ts';
import { describeAutoscaler } from './scaling.ts';
import { describeClaim, describeVolume } from './storage.ts';
import { describeIngress } from './traffic.ts';
import {
  annotations,
  at,
  labels,
  listAt,
  mapAt,
  pairs,
  selectorText,
  textAt,
  unknownFields,
  type Description,
  type Fields,
} from './text.ts';

/** Writes everything but the events. Answers whether events belong to it. */
export async function describeObject(
  out: Description,
  object: KubeObject,
  group: string,
  around: Described,
): Promise<boolean> {
  const describer = DESCRIBERS[`${group}/${object.kind}`];
  if (describer === undefined) {
    header(out, object);
    unknownFields(out, object);
    return true;
  }
  await describer(out, object, around);
  return !WITHOUT_EVENTS.has(object.kind);
}

const WITHOUT_EVENTS = new Set([
  'Secret',
  'Namespace',
  'Role',
  'ClusterRole',
  'RoleBinding',
  'ClusterRoleBinding',
]);

const DESCRIBERS: Readonly<Record<string, Describer>> = {
  '/Pod': describePod,
  '/Node': describeNode,
  '/PersistentVolume': describeVolume,
  '/PersistentVolumeClaim': describeClaim,
  'batch/Job': describeJob,
  'batch/CronJob': describeCronJob,
  'networking.k8s.io/Ingress': describeIngress,
  'autoscaling/HorizontalPodAutoscaler': describeAutoscaler,
  '/ConfigMap': (out, object) => {
    header(out, object);
    out.line(0, '\nData\n====');
    for (const [key, value] of Object.entries(mapAt(object, 'data')).sort(([a], [b]) => (a < b ? -1 : 1))) {
      out.line(0, `${key}:\n----`);
      out.line(0, `${String(value)}\n`);
    }
    out.line(0, '\nBinaryData\n====');
    for (const [key, value] of Object.entries(mapAt(object, 'binaryData')))
      out.line(0, `${key}: ${Buffer.from(String(value), 'base64').length} bytes`);
    out.line(0, '');
  },
  '/Secret': (out, object) => {
    header(out, object);
    out.line(0, `\nType:\t${textAt(object, 'type')}`);
    out.line(0, '\nData\n====');
    for (const [key, value] of Object.entries(mapAt(object, 'data')).sort(([a], [b]) => (a < b ? -1 : 1)))
      out.line(0, `${key}:\t${Buffer.from(String(value), 'base64').length} bytes`);
  },
  '/ServiceAccount': async (out, object, { others }) => {
    named(out, object);
    labels(out, object);
    annotations(out, object);
    out.block(
      'Image pull secrets',
      listAt(object, 'imagePullSecrets').map((one) => textAt(one, 'name')),
    );
    out.block(
      'Mountable secrets',
      listAt(object, 'secrets').map((one) => textAt(one, 'name')),
    );
    const tokens = (await others('', 'v1', 'secrets')).filter(
      (secret) =>
        textAt(secret, 'type') === 'kubernetes.io/service-account-token' &&
        secret.metadata.annotations?.['kubernetes.io/service-account.name'] === object.metadata.name,
    );
    out.block(
      'Tokens',
      tokens.map(({ metadata }) => metadata.name ?? ''),
    );
  },
  '/Namespace': async (out, object, around) => {
    out.field(0, 'Name', object.metadata.name ?? '');
    labels(out, object);
    annotations(out, object);
    out.field(0, 'Status', textAt(object, 'status', 'phase'));
    for (const condition of listAt(object, 'status', 'conditions'))
      out.line(
        1,
        `${textAt(condition, 'type')}\t${textAt(condition, 'status')}\t${textAt(condition, 'message')}`,
      );
    await quotas(out, object, around);
  },
  '/Service': async (out, object, { others }) => {
    const slices = (await others('discovery.k8s.io', 'v1', 'endpointslices')).filter(
      ({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === object.metadata.name,
    );
    header(out, object);
    out.block('Selector', [pairs(mapAt(object, 'spec', 'selector')).join(',') || '<none>']);
    out.field(0, 'Type', textAt(object, 'spec', 'type'));
    out.field(0, 'IP Family Policy', textAt(object, 'spec', 'ipFamilyPolicy') || '<none>');
    out.field(
      0,
      'IP Families',
      (at(object, 'spec', 'ipFamilies') as readonly string[] | undefined)?.join(',') ?? '<none>',
    );
    out.field(0, 'IP', textAt(object, 'spec', 'clusterIP'));
    out.field(
      0,
      'IPs',
      (at(object, 'spec', 'clusterIPs') as readonly string[] | undefined)?.join(',') ?? '<none>',
    );
    for (const port of listAt(object, 'spec', 'ports')) {
      const name = textAt(port, 'name') || '<unset>';
      const protocol = textAt(port, 'protocol');
      out.line(0, `Port:\t${name}\t${textAt(port, 'port')}/${protocol}`);
      out.line(0, `TargetPort:\t${textAt(port, 'targetPort')}/${protocol}`);
      if (textAt(port, 'nodePort') !== '')
        out.line(0, `NodePort:\t${name}\t${textAt(port, 'nodePort')}/${protocol}`);
      out.field(0, 'Endpoints', endpointsOf(slices, textAt(port, 'name')));
    }
    out.field(0, 'Session Affinity', textAt(object, 'spec', 'sessionAffinity'));
    if (textAt(object, 'spec', 'internalTrafficPolicy') !== '')
      out.field(0, 'Internal Traffic Policy', textAt(object, 'spec', 'internalTrafficPolicy'));
  },
  'apps/Deployment': async (out, object, around) => {
    const status = mapAt(object, 'status');
    const count = (name: string): string => textAt(status, name) || '0';
    workload(out, object, true);
    labels(out, object);
    annotations(out, object);
    out.field(0, 'Selector', selectorText(at(object, 'spec', 'selector')));
    out.field(
      0,
      'Replicas',
      `${textAt(object, 'spec', 'replicas')} desired | ${count('updatedReplicas')} updated | ${count('replicas')} total | ${count('availableReplicas')} available | ${count('unavailableReplicas')} unavailable`,
    );
    out.field(0, 'StrategyType', textAt(object, 'spec', 'strategy', 'type'));
    out.field(0, 'MinReadySeconds', textAt(object, 'spec', 'minReadySeconds') || '0');
    const rolling = at(object, 'spec', 'strategy', 'rollingUpdate');
    if (rolling !== undefined)
      out.field(
        0,
        'RollingUpdateStrategy',
        `${textAt(rolling, 'maxUnavailable')} max unavailable, ${textAt(rolling, 'maxSurge')} max surge`,
      );
    podTemplate(out, mapAt(object, 'spec', 'template'));
    conditions(out, object);
    await replicaSets(out, object, around);
  },
  'apps/ReplicaSet': async (out, object, around) => {
    workload(out, object, false);
    out.field(0, 'Selector', selectorText(at(object, 'spec', 'selector')));
    labels(out, object);
    annotations(out, object);
    owner(out, object);
    out.field(
      0,
      'Replicas',
      `${textAt(object, 'status', 'replicas') || '0'} current / ${textAt(object, 'spec', 'replicas')} desired`,
    );
    await podsStatus(out, object, around);
    podTemplate(out, mapAt(object, 'spec', 'template'));
    conditions(out, object);
  },
  'apps/StatefulSet': async (out, object, around) => {
    workload(out, object, true);
    out.field(0, 'Selector', selectorText(at(object, 'spec', 'selector')));
    labels(out, object);
    annotations(out, object);
    out.field(
      0,
      'Replicas',
      `${textAt(object, 'spec', 'replicas')} desired | ${textAt(object, 'status', 'replicas') || '0'} total`,
    );
    out.field(0, 'Update Strategy', textAt(object, 'spec', 'updateStrategy', 'type'));
    const partition = textAt(object, 'spec', 'updateStrategy', 'rollingUpdate', 'partition');
    if (partition !== '') out.field(1, 'Partition', partition);
    await podsStatus(out, object, around);
    podTemplate(out, mapAt(object, 'spec', 'template'));
    const claims = listAt(object, 'spec', 'volumeClaimTemplates');
    out.line(0, `Volume Claims:${claims.length === 0 ? '\t<none>' : ''}`);
    for (const claim of claims) {
      out.line(1, `Name:\t${textAt(claim, 'metadata', 'name')}`);
      out.line(1, `StorageClass:\t${textAt(claim, 'spec', 'storageClassName')}`);
      out.line(1, `Capacity:\t${textAt(claim, 'spec', 'resources', 'requests', 'storage')}`);
      out.line(1, `Access Modes:\t${textAt(claim, 'spec', 'accessModes')}`);
    }
  },
  'apps/DaemonSet': async (out, object, around) => {
    const status = mapAt(object, 'status');
    const count = (name: string): string => textAt(status, name) || '0';
    workload(out, object, false);
    out.field(0, 'Selector', selectorText(at(object, 'spec', 'selector')));
    out.field(
      0,
      'Node-Selector',
      pairs(mapAt(object, 'spec', 'template', 'spec', 'nodeSelector')).join(',') || '<none>',
    );
    labels(out, object);
    annotations(out, object);
    for (const [name, field] of [
      ['Desired Number of Nodes Scheduled', 'desiredNumberScheduled'],
      ['Current Number of Nodes Scheduled', 'currentNumberScheduled'],
      ['Number of Nodes Scheduled with Up-to-date Pods', 'updatedNumberScheduled'],
      ['Number of Nodes Scheduled with Available Pods', 'numberAvailable'],
      ['Number of Nodes Misscheduled', 'numberMisscheduled'],
    ] as const)
      out.line(0, `${name}: ${count(field)}`);
    await podsStatus(out, object, around);
    podTemplate(out, mapAt(object, 'spec', 'template'));
  },
  'rbac.authorization.k8s.io/Role': describeRole,
  'rbac.authorization.k8s.io/ClusterRole': describeRole,
  'rbac.authorization.k8s.io/RoleBinding': describeBinding,
  'rbac.authorization.k8s.io/ClusterRoleBinding': describeBinding,
};

async function quotas(out: Description, { metadata }: KubeObject, { others }: Described): Promise<void> {
  const all = await others('', 'v1', 'resourcequotas', metadata.name);
  if (all.length === 0) out.line(0, '\nNo resource quota.');
  else out.line(0, '\nResource Quotas');
  for (const quota of all) {
    out.line(1, `Name:\t${quota.metadata.name ?? ''}`);
    out.line(1, 'Resource\tUsed\tHard\n  --------\t---\t---');
    for (const [name, hard] of Object.entries(mapAt(quota, 'status', 'hard')).sort(([a], [b]) =>
      a < b ? -1 : 1,
    ))
      out.line(1, `${name}\t${textAt(quota, 'status', 'used', name) || '0'}\t${String(hard)}`);
  }
  const ranges = await others('', 'v1', 'limitranges', metadata.name);
  if (ranges.length === 0) return out.line(0, '\nNo LimitRange resource.');
  out.line(0, '\nResource Limits');
  out.line(0, ' Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio');
  out.line(0, ' ----\t--------\t---\t---\t---------------\t-------------\t-----------------------');
  for (const limit of ranges.flatMap((range) => listAt(range, 'spec', 'limits'))) {
    const fields = ['min', 'max', 'defaultRequest', 'default', 'maxLimitRequestRatio'];
    const names = [...new Set(fields.flatMap((field) => Object.keys(mapAt(limit, field))))].sort();
    for (const name of names)
      out.line(
        0,
        ` ${[textAt(limit, 'type'), name, ...fields.map((field) => textAt(limit, field, name) || '-')].join('\t')}`,
      );
  }
}

async function replicaSets(out: Description, object: KubeObject, { others }: Described): Promise<void> {
  const revision = (set: KubeObject): number =>
    Number(set.metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0);
  const own = (await others('apps', 'v1', 'replicasets'))
    .filter((set) => set.metadata.ownerReferences?.some(({ uid }) => uid === object.metadata.uid) === true)
    .sort((a, b) => revision(b) - revision(a));
  const [newest, ...old] = own;
  if (newest === undefined) return;
  const text = (set: KubeObject): string =>
    `${set.metadata.name ?? ''} (${textAt(set, 'status', 'replicas') || '0'}/${textAt(set, 'spec', 'replicas') || '0'} replicas created)`;
  out.field(0, 'OldReplicaSets', old.map(text).join(', ') || '<none>');
  out.field(0, 'NewReplicaSet', text(newest));
}

/** How the pods of a controller fare. */
async function podsStatus(out: Description, object: KubeObject, { others }: Described): Promise<void> {
  const counts: Record<string, number> = { Running: 0, Pending: 0, Succeeded: 0, Failed: 0 };
  for (const pod of await others('', 'v1', 'pods')) {
    const phase = textAt(pod, 'status', 'phase');
    const owned = pod.metadata.ownerReferences?.some(
      ({ uid, controller }) => controller === true && uid === object.metadata.uid,
    );
    if (owned === true && Object.hasOwn(counts, phase)) counts[phase] = (counts[phase] ?? 0) + 1;
  }
  const { Running, Pending, Succeeded, Failed } = counts;
  out.field(
    0,
    'Pods Status',
    `${Running} Running / ${Pending} Waiting / ${Succeeded} Succeeded / ${Failed} Failed`,
  );
}

function describeRole(out: Description, object: KubeObject): void {
  out.field(0, 'Name', object.metadata.name ?? '');
  labels(out, object);
  annotations(out, object);
  out.line(0, 'PolicyRule:\n  Resources\tNon-Resource URLs\tResource Names\tVerbs');
  out.line(1, '---------\t-----------------\t--------------\t-----');
  const words = (rule: Fields, field: string): readonly string[] =>
    (at(rule, field) as readonly string[] | undefined) ?? [];
  const lines = listAt(object, 'rules').flatMap((rule) => {
    const [urls, names, verbs] = ['nonResourceURLs', 'resourceNames', 'verbs'].map((field) =>
      words(rule, field).join(' '),
    );
    const groups = words(rule, 'apiGroups');
    const pairs = (groups.length === 0 ? [''] : groups).flatMap((group) =>
      (words(rule, 'resources').length === 0 ? [''] : words(rule, 'resources')).map((resource) => ({
        group,
        resource,
      })),
    );
    return pairs.map(({ group, resource }) => ({
      // COMPAT: the order of Go's text of such a rule.
      order: `[${verbs}],[${group}],[${resource}],[${names}],[${urls}]`,
      text: `${group === '' ? resource : resource.replace(/^[^/]*/, `$&.${group}`)}\t[${urls}]\t[${names}]\t[${verbs}]`,
    }));
  });
  for (const { text } of lines.sort((a, b) => (a.order < b.order ? -1 : 1))) out.line(1, text);
}

function describeBinding(out: Description, object: KubeObject): void {
  out.field(0, 'Name', object.metadata.name ?? '');
  labels(out, object);
  annotations(out, object);
  out.line(
    0,
    `Role:\n  Kind:\t${textAt(object, 'roleRef', 'kind')}\n  Name:\t${textAt(object, 'roleRef', 'name')}`,
  );
  out.line(0, 'Subjects:\n  Kind\tName\tNamespace');
  out.line(1, '----\t----\t---------');
  for (const one of listAt(object, 'subjects'))
    out.line(1, `${textAt(one, 'kind')}\t${textAt(one, 'name')}\t${textAt(one, 'namespace')}`);
}
