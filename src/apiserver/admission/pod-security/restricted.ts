// The checks of the level `restricted`: what is good practice has to be asked for.
import { isGoodSeccomp, seccompProfile as baselineSeccomp } from './baseline.ts';
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
  type PodSpec,
} from './findings.ts';

const onWindows = ({ os }: PodSpec): boolean => os?.name === 'windows';

/** What only Linux knows is not asked of pods that say they are for Windows. */
export const unlessOnWindows =
  (check: Check): Check =>
  (spec, metadata) =>
    onWindows(spec) ? undefined : check(spec, metadata);

export const unlessOwnUsers =
  (check: Check): Check =>
  (spec, metadata) =>
    hasOwnUsers(spec) ? undefined : check(spec, metadata);

export const allowPrivilegeEscalation: Check = (spec) => {
  const bad = namesWhere(spec, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false);
  return bad.length === 0
    ? undefined
    : {
        reason: 'allowPrivilegeEscalation != false',
        detail: `${named('container', bad)} must set securityContext.allowPrivilegeEscalation=false`,
      };
};

export const capabilities: Check = (spec) => {
  const capabilitiesOf = ({
    securityContext,
  }: Container): { add?: readonly string[]; drop?: readonly string[] } => securityContext?.capabilities ?? {};
  const added = (container: Container): readonly string[] =>
    (capabilitiesOf(container).add ?? []).filter((one) => one !== 'NET_BIND_SERVICE');
  const keeping = namesWhere(spec, (container) => !(capabilitiesOf(container).drop ?? []).includes('ALL'));
  const adding = namesWhere(spec, (container) => added(container).length > 0);
  const why = [
    ...(keeping.length === 0
      ? []
      : [`${named('container', keeping)} must set securityContext.capabilities.drop=["ALL"]`]),
    ...(adding.length === 0
      ? []
      : [
          `${named('container', adding)} must not include ${quoted(sorted(containersOf(spec).flatMap(added)))} in securityContext.capabilities.add`,
        ]),
  ];
  return why.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: why.join('; ') };
};

const VOLUME_TYPES = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);

export const volumes: Check = ({ volumes: given = [] }) => {
  const typesOf = (volume: object): readonly string[] => Object.keys(volume).filter((key) => key !== 'name');
  const bad = given.filter((volume) => !typesOf(volume).some((type) => VOLUME_TYPES.has(type)));
  if (bad.length === 0) return undefined;
  const names = bad.map(({ name }) => name);
  const types = sorted(bad.map((volume) => typesOf(volume)[0] ?? 'unknown'));
  const use = plural(bad.length, 'uses', 'use');
  return {
    reason: 'restricted volume types',
    detail: `${named('volume', names)} ${use} ${named('restricted volume type', types)}`,
  };
};

export const runAsNonRoot: Check = (spec) => {
  const reason = 'runAsNonRoot != true';
  const forPod = spec.securityContext?.runAsNonRoot;
  const setters = settersOf(
    spec,
    forPod === false,
    ({ securityContext }) => securityContext?.runAsNonRoot === false,
  );
  if (setters.length > 0) {
    return { reason, detail: `${setters.join(' and ')} must not set securityContext.runAsNonRoot=false` };
  }
  const open = namesWhere(spec, ({ securityContext }) => securityContext?.runAsNonRoot === undefined);
  if (forPod === true || open.length === 0) return undefined;
  return { reason, detail: `pod or ${named('container', open)} must set securityContext.runAsNonRoot=true` };
};

export const runAsUser: Check = (spec) => {
  const setters = settersOf(
    spec,
    spec.securityContext?.runAsUser === 0,
    ({ securityContext }) => securityContext?.runAsUser === 0,
  );
  return setters.length === 0
    ? undefined
    : { reason: 'runAsUser=0', detail: `${setters.join(' and ')} must not set runAsUser=0` };
};

export const seccompProfile: Check = (spec, metadata) => {
  const bad = baselineSeccomp(spec, metadata);
  if (bad !== undefined) return bad;
  const forPod = spec.securityContext?.seccompProfile;
  const open = namesWhere(spec, ({ securityContext }) => securityContext?.seccompProfile === undefined);
  if ((forPod !== undefined && isGoodSeccomp(forPod)) || open.length === 0) return undefined;
  return {
    reason: 'seccompProfile',
    detail: `pod or ${named('container', open)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
  };
};
