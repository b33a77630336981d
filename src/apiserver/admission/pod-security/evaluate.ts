// Which checks a level has in which version of Kubernetes, and what they say of a pod.
import type { ObjectMeta } from '../../../api/index.ts';
import * as baseline from './baseline.ts';
import type { Check, Finding, PodSpec } from './findings.ts';
import type { LevelVersion } from './policy.ts';
import * as restricted from './restricted.ts';

/** The minor version from which on a check is as given here. */
type Since = readonly [minor: number, check: Check];

interface VersionedCheck {
  readonly name: string;
  readonly versions: readonly Since[];
  /** The check of the weaker level that this one takes the place of. */
  readonly instead?: string;
}

const SELINUX = ['container_t', 'container_init_t', 'container_kvm_t'];
const SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
];
const SYSCTLS_27 = [...SYSCTLS, 'net.ipv4.ip_local_reserved_ports'];
const SYSCTLS_29 = [
  ...SYSCTLS_27,
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
];
const SYSCTLS_32 = [...SYSCTLS_29, 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'];

/** COMPAT: in the order in which messages name them: those of the weaker level first, by their names in Go's order. */
const BASELINE: readonly VersionedCheck[] = [
  { name: 'appArmorProfile', versions: [[0, baseline.appArmorProfile]] },
  { name: 'capabilities_baseline', versions: [[0, baseline.capabilities]] },
  { name: 'hostNamespaces', versions: [[0, baseline.hostNamespaces]] },
  { name: 'hostPathVolumes', versions: [[0, baseline.hostPathVolumes]] },
  { name: 'hostPorts', versions: [[0, baseline.hostPorts]] },
  { name: 'hostProbesAndHostLifecycle', versions: [[34, baseline.hostsOfProbes]] },
  { name: 'privileged', versions: [[0, baseline.privileged]] },
  {
    name: 'procMount',
    versions: [
      [0, baseline.procMount],
      [35, baseline.procMountUnlessOwnUsers],
    ],
  },
  {
    name: 'seLinuxOptions',
    versions: [
      [0, baseline.seLinuxOptions(SELINUX)],
      [31, baseline.seLinuxOptions([...SELINUX, 'container_engine_t'])],
    ],
  },
  {
    name: 'seccompProfile_baseline',
    versions: [
      [0, baseline.seccompAnnotations],
      [19, baseline.seccompProfile],
    ],
  },
  {
    name: 'sysctls',
    versions: [
      [0, baseline.sysctls(SYSCTLS)],
      [27, baseline.sysctls(SYSCTLS_27)],
      [29, baseline.sysctls(SYSCTLS_29)],
      [32, baseline.sysctls(SYSCTLS_32)],
    ],
  },
  { name: 'windowsHostProcess', versions: [[0, baseline.windowsHostProcess]] },
];

const { unlessOnWindows, unlessOwnUsers } = restricted;

const RESTRICTED: readonly VersionedCheck[] = [
  {
    name: 'allowPrivilegeEscalation',
    versions: [
      [8, restricted.allowPrivilegeEscalation],
      [25, unlessOnWindows(restricted.allowPrivilegeEscalation)],
    ],
  },
  {
    name: 'capabilities_restricted',
    instead: 'capabilities_baseline',
    versions: [
      [22, restricted.capabilities],
      [25, unlessOnWindows(restricted.capabilities)],
    ],
  },
  { name: 'procMount_restricted', instead: 'procMount', versions: [[35, baseline.procMount]] },
  { name: 'restrictedVolumes', instead: 'hostPathVolumes', versions: [[0, restricted.volumes]] },
  {
    name: 'runAsNonRoot',
    versions: [
      [0, restricted.runAsNonRoot],
      [35, unlessOwnUsers(restricted.runAsNonRoot)],
    ],
  },
  {
    name: 'runAsUser',
    versions: [
      [23, restricted.runAsUser],
      [35, unlessOwnUsers(restricted.runAsUser)],
    ],
  },
  {
    name: 'seccompProfile_restricted',
    instead: 'seccompProfile_baseline',
    versions: [
      [19, restricted.seccompProfile],
      [25, unlessOnWindows(restricted.seccompProfile)],
    ],
  },
];

const asOf = ({ versions }: VersionedCheck, minor: number): Check | undefined =>
  versions.findLast(([since]) => since <= minor)?.[1];

function checksOf({ level, minor }: LevelVersion): readonly Check[] {
  if (level === 'privileged') return [];
  const stricter = level === 'restricted' ? RESTRICTED.filter((one) => asOf(one, minor) !== undefined) : [];
  const replaced = new Set(stricter.map(({ instead }) => instead));
  return [...BASELINE.filter(({ name }) => !replaced.has(name)), ...stricter].flatMap(
    (one) => asOf(one, minor) ?? [],
  );
}

export function findingsOf(level: LevelVersion, spec: PodSpec, metadata: ObjectMeta): readonly Finding[] {
  return checksOf(level).flatMap((check) => check(spec, metadata) ?? []);
}

/** `host namespaces (hostPID=true), privileged (container "a" …)`. */
export const detailsOf = (findings: readonly Finding[]): string =>
  findings.map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`)).join(', ');

export const reasonsOf = (findings: readonly Finding[]): string =>
  findings.map(({ reason }) => reason).join(', ');
