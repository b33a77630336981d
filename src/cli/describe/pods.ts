// Pods and pod templates in words.
import type { KubeObject } from '../../api/index.ts';
import {
  annotations,
  at,
  labels,
  listAt,
  longTime,
  mapAt,
  pairs,
  textAt,
  type Description,
  type Fields,
} from './text.ts';

export function describePod(out: Description, pod: KubeObject): void {
  const spec = pod['spec'] as Fields;
  const status = mapAt(pod, 'status');
  out.field(0, 'Name', pod.metadata.name ?? '');
  out.field(0, 'Namespace', pod.metadata.namespace ?? '');
  out.field(0, 'Priority', textAt(spec, 'priority') || '0');
  if (textAt(spec, 'priorityClassName') !== '')
    out.field(0, 'Priority Class Name', textAt(spec, 'priorityClassName'));
  if (textAt(spec, 'runtimeClassName') !== '')
    out.field(0, 'Runtime Class Name', textAt(spec, 'runtimeClassName'));
  out.field(0, 'Service Account', textAt(spec, 'serviceAccountName'));
  const node = textAt(spec, 'nodeName');
  out.field(0, 'Node', node === '' ? '<none>' : `${node}/${textAt(status, 'hostIP')}`);
  const start = textAt(status, 'startTime');
  if (start !== '') out.field(0, 'Start Time', longTime(start));
  labels(out, pod);
  annotations(out, pod);
  const deleted = pod.metadata.deletionTimestamp;
  if (deleted === undefined) out.field(0, 'Status', textAt(status, 'phase'));
  else out.field(0, 'Status', `Terminating (since ${longTime(deleted)})`);
  for (const name of ['reason', 'message'])
    if (textAt(status, name) !== '')
      out.field(0, name === 'reason' ? 'Reason' : 'Message', textAt(status, name));
  out.field(0, 'IP', textAt(status, 'podIP'));
  const ips = listAt(status, 'podIPs');
  out.line(0, ips.length === 0 ? 'IPs:\t<none>' : 'IPs:');
  for (const one of ips) out.field(1, 'IP', textAt(one, 'ip'));
  const owner = (pod.metadata.ownerReferences ?? []).find(({ controller }) => controller === true);
  if (owner !== undefined) out.field(0, 'Controlled By', `${owner.kind}/${owner.name}`);
  if (listAt(spec, 'initContainers').length > 0)
    containers(
      out,
      'Init Containers',
      listAt(spec, 'initContainers'),
      listAt(status, 'initContainerStatuses'),
      0,
    );
  containers(out, 'Containers', listAt(spec, 'containers'), listAt(status, 'containerStatuses'), 0);
  const conditions = listAt(status, 'conditions');
  if (conditions.length > 0) {
    out.line(0, 'Conditions:\n  Type\tStatus');
    for (const one of conditions) out.line(1, `${textAt(one, 'type')} \t${textAt(one, 'status')} `);
  }
  volumes(out, listAt(spec, 'volumes'), 0);
  out.field(0, 'QoS Class', textAt(status, 'qosClass') || 'BestEffort');
  out.block('Node-Selectors', pairs(mapAt(spec, 'nodeSelector')));
  out.block('Tolerations', tolerations(spec));
}

export function podTemplate(out: Description, template: Fields): void {
  out.line(0, 'Pod Template:');
  out.block('Labels', pairs(mapAt(template, 'metadata', 'labels')), 1);
  const notes = pairs(mapAt(template, 'metadata', 'annotations'), ': ');
  if (notes.length > 0) out.block('Annotations', notes, 1);
  const spec = mapAt(template, 'spec');
  if (textAt(spec, 'serviceAccountName') !== '')
    out.field(1, 'Service Account', textAt(spec, 'serviceAccountName'));
  if (listAt(spec, 'initContainers').length > 0)
    containers(out, 'Init Containers', listAt(spec, 'initContainers'), undefined, 1);
  containers(out, 'Containers', listAt(spec, 'containers'), undefined, 1);
  volumes(out, listAt(spec, 'volumes'), 1);
  if (textAt(spec, 'priorityClassName') !== '')
    out.field(1, 'Priority Class Name', textAt(spec, 'priorityClassName'));
  out.block('Node-Selectors', pairs(mapAt(spec, 'nodeSelector')), 1);
  out.block('Tolerations', tolerations(spec), 1);
}

/** COMPAT: kubectl puts the containers of templates one space in, those of pods two. */
function containers(
  out: Description,
  label: string,
  specs: readonly Fields[],
  statuses: readonly Fields[] | undefined,
  level: number,
): void {
  const space = level === 0 ? '' : ' ';
  out.line(level, `${label}:${specs.length === 0 ? ' <none>' : ''}`);
  for (const one of specs) {
    const status = statuses?.find((other) => textAt(other, 'name') === textAt(one, 'name'));
    const line = (text: string): void => out.line(0, `    ${text}`);
    out.line(0, `${space}  ${textAt(one, 'name')}:`);
    if (status !== undefined) line(`Container ID:\t${textAt(status, 'containerID')}`);
    line(`Image:\t${textAt(one, 'image')}`);
    if (status !== undefined) line(`Image ID:\t${textAt(status, 'imageID')}`);
    const ports = listAt(one, 'ports');
    const portText = (field: string): string =>
      ports.map((port) => `${textAt(port, field) || '0'}/${textAt(port, 'protocol') || 'TCP'}`).join(', ') ||
      '<none>';
    line(`${ports.length > 1 ? 'Ports' : 'Port'}:\t${portText('containerPort')}`);
    line(`${ports.length > 1 ? 'Host Ports' : 'Host Port'}:\t${portText('hostPort')}`);
    commandLines(line, 'Command', one, 'command');
    commandLines(line, 'Args', one, 'args');
    if (status !== undefined) containerState(line, status);
    for (const [name, field] of [
      ['Limits', 'limits'],
      ['Requests', 'requests'],
    ] as const) {
      const amounts = mapAt(one, 'resources', field);
      if (Object.keys(amounts).length === 0) continue;
      line(`${name}:`);
      for (const key of Object.keys(amounts).sort()) line(`  ${key}:\t${textAt(amounts, key)}`);
    }
    for (const [name, field] of [
      ['Liveness', 'livenessProbe'],
      ['Readiness', 'readinessProbe'],
      ['Startup', 'startupProbe'],
    ] as const) {
      const probe = at(one, field);
      if (probe !== undefined) line(`${name}:\t${probeText(probe as Fields)}`);
    }
    environment(line, one);
    mounts(line, one);
  }
}

function commandLines(line: (text: string) => void, name: string, container: Fields, field: string): void {
  const words = at(container, field) as readonly string[] | undefined;
  if (words === undefined || words.length === 0) return;
  line(`${name}:`);
  for (const word of words) for (const one of word.split('\n')) line(`  ${one}`);
}

function containerState(line: (text: string) => void, status: Fields): void {
  const state = (name: string, value: Fields): void => {
    const [[kind, detail] = ['waiting', {}]] = Object.entries(value);
    line(`${name}:\t${kind.charAt(0).toUpperCase()}${kind.slice(1)}`);
    for (const field of ['reason', 'message'])
      if (textAt(detail, field) !== '')
        line(`  ${field === 'reason' ? 'Reason' : 'Message'}:\t${textAt(detail, field)}`);
    if (kind === 'terminated') line(`  Exit Code:\t${textAt(detail, 'exitCode')}`);
    if (textAt(detail, 'startedAt') !== '') line(`  Started:\t${longTime(textAt(detail, 'startedAt'))}`);
    if (textAt(detail, 'finishedAt') !== '') line(`  Finished:\t${longTime(textAt(detail, 'finishedAt'))}`);
  };
  state('State', mapAt(status, 'state'));
  const last = mapAt(status, 'lastState');
  if (Object.keys(last).length > 0) state('Last State', last);
  line(`Ready:\t${at(status, 'ready') === true ? 'True' : 'False'}`);
  line(`Restart Count:\t${textAt(status, 'restartCount') || '0'}`);
}

function probeText(probe: Fields): string {
  const attributes = `delay=${textAt(probe, 'initialDelaySeconds') || '0'}s timeout=${textAt(probe, 'timeoutSeconds') || '1'}s period=${textAt(probe, 'periodSeconds') || '10'}s #success=${textAt(probe, 'successThreshold') || '1'} #failure=${textAt(probe, 'failureThreshold') || '3'}`;
  const get = at(probe, 'httpGet') as Fields | undefined;
  if (get !== undefined) {
    const scheme = (textAt(get, 'scheme') || 'HTTP').toLowerCase();
    return `http-get ${scheme}://${textAt(get, 'host')}:${textAt(get, 'port')}${textAt(get, 'path')} ${attributes}`;
  }
  if (at(probe, 'exec') !== undefined) return `exec ${textAt(probe, 'exec', 'command')} ${attributes}`;
  if (at(probe, 'tcpSocket') !== undefined)
    return `tcp-socket ${textAt(probe, 'tcpSocket', 'host')}:${textAt(probe, 'tcpSocket', 'port')} ${attributes}`;
  if (at(probe, 'grpc') !== undefined)
    return `grpc <pod>:${textAt(probe, 'grpc', 'port')} ${textAt(probe, 'grpc', 'service')} ${attributes}`;
  return `unknown ${attributes}`;
}

function environment(line: (text: string) => void, container: Fields): void {
  const from = listAt(container, 'envFrom');
  if (from.length > 0) line('Environment Variables from:');
  for (const one of from) {
    const kind = at(one, 'configMapRef') === undefined ? 'Secret' : 'ConfigMap';
    const reference = mapAt(one, kind === 'Secret' ? 'secretRef' : 'configMapRef');
    line(`  ${textAt(reference, 'name')}\t${kind}\tOptional: ${at(reference, 'optional') === true}`);
  }
  const variables = listAt(container, 'env');
  line(`Environment:${variables.length === 0 ? '\t<none>' : ''}`);
  for (const one of variables) {
    const source = mapAt(one, 'valueFrom');
    line(
      `  ${textAt(one, 'name')}:\t${Object.keys(source).length === 0 ? textAt(one, 'value') : sourceText(source)}`,
    );
  }
}

function sourceText(source: Fields): string {
  if (at(source, 'fieldRef') !== undefined)
    return ` (${textAt(source, 'fieldRef', 'apiVersion') || 'v1'}:${textAt(source, 'fieldRef', 'fieldPath')})`;
  if (at(source, 'resourceFieldRef') !== undefined)
    return `resource ${textAt(source, 'resourceFieldRef', 'resource')}`;
  const kind = at(source, 'secretKeyRef') === undefined ? 'configMapKeyRef' : 'secretKeyRef';
  const text = kind === 'secretKeyRef' ? 'in secret' : 'of config map';
  return `<set to the key '${textAt(source, kind, 'key')}' ${text} '${textAt(source, kind, 'name')}'>\tOptional: ${at(source, kind, 'optional') === true}`;
}

function mounts(line: (text: string) => void, container: Fields): void {
  const all = [...listAt(container, 'volumeMounts')].sort((a, b) =>
    textAt(a, 'mountPath') < textAt(b, 'mountPath') ? -1 : 1,
  );
  line(`Mounts:${all.length === 0 ? '\t<none>' : ''}`);
  for (const one of all) {
    const flags = [
      at(one, 'readOnly') === true ? 'ro' : 'rw',
      ...(textAt(one, 'subPath') === '' ? [] : [`path="${textAt(one, 'subPath')}"`]),
    ];
    line(`  ${textAt(one, 'mountPath')} from ${textAt(one, 'name')} (${flags.join(',')})`);
  }
}

function volumes(out: Description, all: readonly Fields[], level: number): void {
  out.line(level, `Volumes:${all.length === 0 ? '\t<none>' : ''}`);
  const space = level === 0 ? '' : ' ';
  for (const volume of all) {
    out.line(0, `${space}  ${textAt(volume, 'name')}:`);
    for (const line of volumeLines(volume)) out.line(0, `    ${line}`);
  }
}

function volumeLines(volume: Fields): readonly string[] {
  const optional = (source: Fields): string => `Optional:\t${at(source, 'optional') === true}`;
  const [kind = '', source = {}] = Object.entries(volume).find(([key]) => key !== 'name') ?? [];
  const fields = source as Fields;
  switch (kind) {
    case 'configMap':
      return [
        'Type:\tConfigMap (a volume populated by a ConfigMap)',
        `Name:\t${textAt(fields, 'name')}`,
        optional(fields),
      ];
    case 'secret':
      return [
        'Type:\tSecret (a volume populated by a Secret)',
        `SecretName:\t${textAt(fields, 'secretName')}`,
        optional(fields),
      ];
    case 'emptyDir':
      return [
        "Type:\tEmptyDir (a temporary directory that shares a pod's lifetime)",
        `Medium:\t${textAt(fields, 'medium')}`,
        `SizeLimit:\t${textAt(fields, 'sizeLimit') || '<unset>'}`,
      ];
    case 'hostPath':
      return [
        'Type:\tHostPath (bare host directory volume)',
        `Path:\t${textAt(fields, 'path')}`,
        `HostPathType:\t${textAt(fields, 'type')}`,
      ];
    case 'persistentVolumeClaim':
      return [
        'Type:\tPersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)',
        `ClaimName:\t${textAt(fields, 'claimName')}`,
        `ReadOnly:\t${at(fields, 'readOnly') === true}`,
      ];
    case 'projected':
      return [
        'Type:\tProjected (a volume that contains injected data from multiple sources)',
        ...listAt(fields, 'sources').flatMap(projectedLines),
      ];
    default:
      return [`Type:\t${kind.charAt(0).toUpperCase()}${kind.slice(1)}`];
  }
}

function projectedLines(source: Fields): readonly string[] {
  if (at(source, 'secret') !== undefined)
    return [
      `SecretName:\t${textAt(source, 'secret', 'name')}`,
      `Optional:\t${at(source, 'secret', 'optional') === true}`,
    ];
  if (at(source, 'downwardAPI') !== undefined) return ['DownwardAPI:\ttrue'];
  if (at(source, 'configMap') !== undefined)
    return [
      `ConfigMapName:\t${textAt(source, 'configMap', 'name')}`,
      `Optional:\t${at(source, 'configMap', 'optional') === true}`,
    ];
  if (at(source, 'serviceAccountToken') !== undefined)
    return [`TokenExpirationSeconds:\t${textAt(source, 'serviceAccountToken', 'expirationSeconds')}`];
  return [];
}

function tolerations(spec: Fields): readonly string[] {
  return listAt(spec, 'tolerations')
    .map((one) => {
      const [key, value, effect, seconds] = ['key', 'value', 'effect', 'tolerationSeconds'].map((field) =>
        textAt(one, field),
      );
      const exists =
        textAt(one, 'operator') === 'Exists' ? `${effect === '' && key === '' ? '' : ' '}op=Exists` : '';
      return `${key}${value === '' ? '' : `=${value}`}${effect === '' ? '' : `:${effect}`}${exists}${seconds === '' ? '' : ` for ${seconds}s`}`;
    })
    .sort();
}
