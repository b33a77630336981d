import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Status } from '../../../machinery/index.ts';
import { serve, type Served } from '../../testing/served.ts';
import { detailsOf, findingsOf } from './evaluate.ts';
import type { PodSpec } from './findings.ts';
import { policyOf, type Level } from './policy.ts';

const LATEST = Number.POSITIVE_INFINITY;
const pod = (spec: object = {}, securityContext?: object): PodSpec => ({
  containers: [
    { name: 'main', image: 'nginx', ...(securityContext === undefined ? {} : { securityContext }) },
  ],
  ...spec,
});

const GOOD = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
};

const said = (level: Level, spec: PodSpec, minor = LATEST, annotations = {}): string =>
  detailsOf(findingsOf({ level, minor }, spec, { annotations }));

const CASES: readonly (readonly [what: string, level: Level, spec: PodSpec, message: string])[] = [
  ['nothing is asked of the privileged', 'privileged', pod({ hostNetwork: true }), ''],
  ['a plain pod is good enough for baseline', 'baseline', pod(), ''],
  ['a careful pod is good enough for restricted', 'restricted', pod({}, GOOD), ''],
  [
    'a plain pod is not',
    'restricted',
    pod(),
    'allowPrivilegeEscalation != false (container "main" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "main" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "main" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "main" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  ],
  [
    'several containers are named in their order',
    'baseline',
    pod({
      initContainers: [{ name: 'init', securityContext: { privileged: true } }],
      containers: [{ name: 'main', securityContext: { privileged: true } }],
    }),
    'privileged (containers "init", "main" must not set securityContext.privileged=true)',
  ],
  [
    'namespaces of the host',
    'baseline',
    pod({ hostIPC: true, hostNetwork: true }),
    'host namespaces (hostNetwork=true, hostIPC=true)',
  ],
  [
    'ports of the host',
    'baseline',
    pod({
      containers: [
        {
          name: 'a',
          ports: [
            { containerPort: 1, hostPort: 90 },
            { containerPort: 2, hostPort: 8080 },
          ],
        },
      ],
    }),
    'hostPort (container "a" uses hostPorts 8080, 90)',
  ],
  [
    'a path of the host',
    'baseline',
    pod({ volumes: [{ name: 'v', hostPath: { path: '/' } }] }),
    'hostPath volumes (volume "v")',
  ],
  [
    'a path of the host, where only some kinds of volume may be',
    'restricted',
    pod(
      {
        volumes: [
          { name: 'v', hostPath: { path: '/' } },
          { name: 'c', configMap: {} },
        ],
      },
      GOOD,
    ),
    'restricted volume types (volume "v" uses restricted volume type "hostPath")',
  ],
  [
    'capabilities that are added',
    'baseline',
    pod({}, { capabilities: { add: ['SYS_ADMIN', 'CHOWN', 'NET_ADMIN'] } }),
    'non-default capabilities (container "main" must not include "NET_ADMIN", "SYS_ADMIN" in securityContext.capabilities.add)',
  ],
  [
    'an explicit root',
    'restricted',
    pod({ securityContext: { runAsUser: 0, runAsNonRoot: false } }, GOOD),
    'runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false), runAsUser=0 (pod must not set runAsUser=0)',
  ],
  [
    'no seccomp',
    'restricted',
    pod({ securityContext: { seccompProfile: { type: 'Unconfined' } } }, GOOD),
    'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
  ],
  [
    'sysctls that are not safe',
    'baseline',
    pod({ securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }),
    'forbidden sysctls (kernel.msgmax)',
  ],
  [
    'an SELinux type',
    'baseline',
    pod({ securityContext: { seLinuxOptions: { type: 'spc_t', user: 'u' } } }),
    'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set)',
  ],
  [
    'a process of a Windows host',
    'baseline',
    pod({ securityContext: { windowsOptions: { hostProcess: true } } }),
    'hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)',
  ],
  [
    'a probe of another host',
    'baseline',
    pod({ containers: [{ name: 'a', livenessProbe: { httpGet: { host: 'h', port: 1 } } }] }),
    'probe or lifecycle host (container "a" uses probe or lifecycle host "h")',
  ],
  [
    "a raw /proc, but not where users are the pod's own",
    'baseline',
    pod({}, { procMount: 'Unmasked' }),
    'procMount (container "main" must not set securityContext.procMount to "Unmasked")',
  ],
  ['a raw /proc with users of its own', 'baseline', pod({ hostUsers: false }, { procMount: 'Unmasked' }), ''],
  [
    'an AppArmor profile',
    'baseline',
    pod({}, { appArmorProfile: { type: 'Unconfined' } }),
    'forbidden AppArmor profile (container "main" must not set AppArmor profile type to "Unconfined")',
  ],
];

for (const [what, level, spec, message] of CASES) {
  test(`${level}: ${what}`, () => assert.equal(said(level, spec), message));
}

test('a level is as it was in the version that is asked for', () => {
  const probing = pod({ containers: [{ name: 'a', livenessProbe: { tcpSocket: { host: 'h', port: 1 } } }] });
  assert.equal(said('baseline', probing, 33), '');
  assert.notEqual(said('baseline', probing, 34), '');
  assert.equal(said('restricted', pod({}, { runAsNonRoot: true }), 7), '');
  const old = { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' };
  assert.equal(
    said('baseline', pod(), 18, old),
    'seccompProfile (forbidden annotation seccomp.security.alpha.kubernetes.io/pod="unconfined")',
  );
  assert.equal(said('baseline', pod(), LATEST, old), '');
  const windows = pod({ os: { name: 'windows' }, securityContext: { runAsNonRoot: true } });
  assert.equal(said('restricted', windows), '');
});

test('labels that cannot be read hold pods to the strictest level, and only those', () => {
  const { policy, errors } = policyOf({
    'pod-security.kubernetes.io/enforce': 'tight',
    'pod-security.kubernetes.io/warn-version': '1.30',
  });
  assert.equal(policy.enforce.level, 'restricted');
  assert.equal(policy.audit.level, 'privileged');
  assert.deepEqual(
    errors.map(({ message }) => message),
    [
      'Invalid value: "tight": must be one of privileged, baseline, restricted',
      'Invalid value: "1.30": must be "latest" or "v1.x"',
    ],
  );
  assert.deepEqual(policyOf(undefined).errors, []);
});

async function namespaceWith(labels: object): Promise<Served> {
  const served = await serve({ disabledAdmission: ['ServiceAccount'] });
  await served.must('POST', '/api/v1/namespaces', { metadata: { name: 'shop', labels } });
  return served;
}

const template = { metadata: { labels: { app: 'a' } }, spec: pod() };

test('a pod is refused where its workload is only warned of', async () => {
  const served = await namespaceWith({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  const refused = await served.send('POST', '/api/v1/namespaces/shop/pods', {
    metadata: { name: 'web' },
    spec: pod(),
  });
  assert.equal(refused.status, 403);
  assert.match(
    (refused.body as Status).message ?? '',
    /^pods "web" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false \(container "main"/,
  );
  const warnings = await served.warnings('POST', '/apis/apps/v1/namespaces/shop/deployments', {
    metadata: { name: 'web' },
    spec: { selector: { matchLabels: { app: 'a' } }, template },
  });
  assert.match(
    warnings.join(),
    /would violate PodSecurity \\"restricted:latest\\": allowPrivilegeEscalation/,
  );
});

test('labels of a namespace are checked, and pods that are there already are named', async () => {
  const served = await namespaceWith({});
  await served.must('POST', '/api/v1/namespaces/shop/pods', {
    metadata: { name: 'web' },
    spec: pod({ hostNetwork: true }),
  });
  const patch = (value: string): object => ({
    metadata: { labels: { 'pod-security.kubernetes.io/enforce': value } },
  });
  const merge = { contentType: 'application/merge-patch+json' };
  const refused = await served.send('PATCH', '/api/v1/namespaces/shop', patch('bad'), merge);
  assert.equal(refused.status, 422);
  const warnings = await served.warnings('PATCH', '/api/v1/namespaces/shop', patch('baseline'), merge);
  assert.deepEqual(
    warnings.map((warning) => warning.replaceAll('\\', '')),
    [
      '299 - "existing pods in namespace "shop" violate the new PodSecurity enforce level "baseline:latest""',
      '299 - "web: host namespaces"',
    ],
  );
});
