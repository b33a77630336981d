// The checks of the level `baseline`: known ways out of a container are shut.
import {
  containersOf,
  hasOwnUsers,
  named,
  namesWhere,
  plural,
  quoted,
  settersOf,
  sorted,
  type Check,
  type Container,
} from './findings.ts';

const APPARMOR = 'container.apparmor.security.beta.kubernetes.io/';

export const appArmorProfile: Check = (spec, { annotations = {} }) => {
  const values = new Set<string>();
  const isBad = (profile: { readonly type?: string } | undefined): boolean => {
    const type = profile?.type;
    if (type === undefined || type === 'RuntimeDefault' || type === 'Localhost') return false;
    values.add(type);
    return true;
  };
  const setters = settersOf(spec, isBad(spec.securityContext?.appArmorProfile), ({ securityContext }) =>
    isBad(securityContext?.appArmorProfile),
  );
  const forbidden = Object.entries(annotations)
    .filter(([key, value]) => key.startsWith(APPARMOR) && !/^(?:$|runtime\/default$|localhost\/)/.test(value))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .toSorted();
  if (forbidden.length === 0 && setters.length === 0) return undefined;
  const bad = [...sorted(values), ...forbidden];
  const by = [...setters, ...(forbidden.length > 0 ? [plural(forbidden.length, 'annotation')] : [])];
  return {
    reason: plural(bad.length, 'forbidden AppArmor profile'),
    detail: `${by.join(' and ')} must not set AppArmor profile type to ${quoted(bad)}`,
  };
};

const DEFAULT_CAPABILITIES = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);

export const capabilities: Check = (spec) => {
  const added = ({ securityContext }: Container): readonly string[] =>
    (securityContext?.capabilities?.add ?? []).filter((one) => !DEFAULT_CAPABILITIES.has(one));
  const bad = namesWhere(spec, (container) => added(container).length > 0);
  if (bad.length === 0) return undefined;
  return {
    reason: 'non-default capabilities',
    detail: `${named('container', bad)} must not include ${quoted(sorted(containersOf(spec).flatMap(added)))} in securityContext.capabilities.add`,
  };
};

export const hostNamespaces: Check = (spec) => {
  const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field] === true);
  return used.length === 0
    ? undefined
    : { reason: 'host namespaces', detail: used.map((field) => `${field}=true`).join(', ') };
};

export const hostPathVolumes: Check = ({ volumes = [] }) => {
  const bad = volumes.filter(({ hostPath }) => hostPath !== undefined).map(({ name }) => name);
  return bad.length === 0 ? undefined : { reason: 'hostPath volumes', detail: named('volume', bad) };
};

export const hostPorts: Check = (spec) => {
  const portsOf = ({ ports = [] }: Container): readonly string[] =>
    ports.filter(({ hostPort = 0 }) => hostPort !== 0).map(({ hostPort }) => String(hostPort));
  const bad = namesWhere(spec, (container) => portsOf(container).length > 0);
  if (bad.length === 0) return undefined;
  const ports = sorted(containersOf(spec).flatMap(portsOf));
  const use = plural(bad.length, 'uses', 'use');
  return {
    reason: 'hostPort',
    detail: `${named('container', bad)} ${use} ${plural(ports.length, 'hostPort')} ${ports.join(', ')}`,
  };
};

export const hostsOfProbes: Check = (spec) => {
  const hostsOf = (container: Container): readonly string[] => {
    const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
    return [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop]
      .flatMap((one) => [one?.httpGet?.host ?? '', one?.tcpSocket?.host ?? ''])
      .filter((host) => host !== '');
  };
  const bad = sorted(namesWhere(spec, (container) => hostsOf(container).length > 0));
  if (bad.length === 0) return undefined;
  const hosts = sorted(containersOf(spec).flatMap(hostsOf));
  const use = plural(bad.length, 'uses', 'use');
  return {
    reason: 'probe or lifecycle host',
    detail: `${named('container', bad)} ${use} ${named('probe or lifecycle host', hosts)}`,
  };
};

export const privileged: Check = (spec) => {
  const bad = namesWhere(spec, ({ securityContext }) => securityContext?.privileged === true);
  return bad.length === 0
    ? undefined
    : {
        reason: 'privileged',
        detail: `${named('container', bad)} must not set securityContext.privileged=true`,
      };
};

export const procMount: Check = (spec) => {
  const mountOf = ({ securityContext }: Container): string => securityContext?.procMount ?? 'Default';
  const bad = containersOf(spec).filter((container) => mountOf(container) !== 'Default');
  if (bad.length === 0) return undefined;
  const names = bad.map(({ name }) => name);
  return {
    reason: 'procMount',
    detail: `${named('container', names)} must not set securityContext.procMount to ${quoted(sorted(bad.map(mountOf)))}`,
  };
};

export const procMountUnlessOwnUsers: Check = (spec, metadata) =>
  hasOwnUsers(spec) ? undefined : procMount(spec, metadata);

interface SeLinux {
  readonly type?: string;
  readonly user?: string;
  readonly role?: string;
}

export function seLinuxOptions(allowed: readonly string[]): Check {
  return (spec) => {
    const given: SeLinux[] = [];
    const isBad = (options: SeLinux | undefined): boolean => {
      if (options === undefined) return false;
      const { type = '', user = '', role = '' } = options;
      if ((type === '' || allowed.includes(type)) && user === '' && role === '') return false;
      given.push(options);
      return true;
    };
    const setters = settersOf(spec, isBad(spec.securityContext?.seLinuxOptions), ({ securityContext }) =>
      isBad(securityContext?.seLinuxOptions),
    );
    if (setters.length === 0) return undefined;
    const types = sorted(
      given.map(({ type = '' }) => type).filter((type) => type !== '' && !allowed.includes(type)),
    );
    const why = [
      ...(types.length === 0 ? [] : [named('type', types)]),
      ...(given.some(({ user = '' }) => user !== '') ? ['user may not be set'] : []),
      ...(given.some(({ role = '' }) => role !== '') ? ['role may not be set'] : []),
    ];
    return {
      reason: 'seLinuxOptions',
      detail: `${setters.join(' and ')} set forbidden securityContext.seLinuxOptions: ${why.join('; ')}`,
    };
  };
}

const SECCOMP = [
  'seccomp.security.alpha.kubernetes.io/pod',
  'container.seccomp.security.alpha.kubernetes.io/',
];

/** How profiles were chosen before there was a field for it. */
export const seccompAnnotations: Check = (spec, { annotations = {} }) => {
  const keys = [SECCOMP[0]!, ...containersOf(spec).map(({ name }) => `${SECCOMP[1]}${name}`)];
  const bad = sorted(
    keys
      .filter((key) => Object.hasOwn(annotations, key))
      .filter((key) => !/^(?:(?:runtime|docker)\/default$|localhost\/)/.test(annotations[key]!))
      .map((key) => `${key}=${JSON.stringify(annotations[key])}`),
  );
  return bad.length === 0
    ? undefined
    : {
        reason: 'seccompProfile',
        detail: `forbidden ${plural(bad.length, 'annotation')} ${bad.join(', ')}`,
      };
};

export const isGoodSeccomp = ({ type }: { readonly type?: string }): boolean =>
  type === 'Localhost' || type === 'RuntimeDefault';

export const seccompProfile: Check = (spec) => {
  const values = new Set<string>();
  const isBad = (profile: { readonly type?: string } | undefined): boolean => {
    if (profile === undefined || isGoodSeccomp(profile)) return false;
    values.add(profile.type ?? '');
    return true;
  };
  const setters = settersOf(spec, isBad(spec.securityContext?.seccompProfile), ({ securityContext }) =>
    isBad(securityContext?.seccompProfile),
  );
  return setters.length === 0
    ? undefined
    : {
        reason: 'seccompProfile',
        detail: `${setters.join(' and ')} must not set securityContext.seccompProfile.type to ${quoted(sorted(values))}`,
      };
};

export function sysctls(allowed: readonly string[]): Check {
  return ({ securityContext }) => {
    const bad = (securityContext?.sysctls ?? [])
      .map(({ name }) => name)
      .filter((name) => !allowed.includes(name));
    return bad.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: bad.join(', ') };
  };
}

export const windowsHostProcess: Check = (spec) => {
  const setters = settersOf(
    spec,
    spec.securityContext?.windowsOptions?.hostProcess === true,
    ({ securityContext }) => securityContext?.windowsOptions?.hostProcess === true,
  );
  return setters.length === 0
    ? undefined
    : {
        reason: 'hostProcess',
        detail: `${setters.join(' and ')} must not set securityContext.windowsOptions.hostProcess=true`,
      };
};
