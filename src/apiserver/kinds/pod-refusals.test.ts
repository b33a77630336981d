// What kube-apiserver says of pods that are wrong, word for word.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Pod } from '../../api/index.ts';
import type { Status } from '../../machinery/index.ts';
import { serve, type Served } from '../testing/served.ts';

let served: Served;
before(async () => {
  served = await serve({ disabledAdmission: ['ServiceAccount'] });
});

const PODS = '/api/v1/namespaces/default/pods';
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const CONTAINERS = [{ name: 'c', image: 'i' }];

const CASES: readonly (readonly [what: string, spec: object, complaints: string])[] = [
  [
    'a container that restarts as no container does',
    { containers: [{ name: 'c', image: 'i', restartPolicy: 'Foo' }] },
    'spec.containers[0].restartPolicy: Unsupported value: "Foo": supported values: "Always", "Never", "OnFailure"',
  ],
  [
    'rules of restarting without a policy',
    {
      containers: [
        {
          name: 'c',
          image: 'i',
          restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [1] } }],
        },
      ],
    },
    'spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used',
  ],
  [
    'rules of restarting that say nothing',
    {
      containers: [
        {
          name: 'c',
          image: 'i',
          restartPolicy: 'Never',
          restartPolicyRules: [{ action: 'Foo', exitCodes: { operator: 'X' } }, { action: 'Restart' }],
        },
      ],
    },
    '[spec.containers[0].restartPolicyRules[0].action: Unsupported value: "Foo": supported values: "Restart", "RestartAllContainers", spec.containers[0].restartPolicyRules[0].exitCodes.operator: Unsupported value: "X": supported values: "In", "NotIn", spec.containers[0].restartPolicyRules[1].exitCodes: Required value: must be specified]',
  ],
  [
    'a field that pods do not have',
    {
      containers: [
        {
          name: 'c',
          image: 'i',
          env: [{ name: 'a', valueFrom: { fieldRef: { fieldPath: 'metadata.foo' } } }],
        },
      ],
    },
    'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.foo": error converting fieldPath: field label not supported: metadata.foo',
  ],
  [
    'a field of a later version',
    {
      containers: [
        {
          name: 'c',
          image: 'i',
          env: [{ name: 'a', valueFrom: { fieldRef: { apiVersion: 'v2', fieldPath: 'metadata.name' } } }],
        },
      ],
    },
    'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.name": error converting fieldPath: unsupported pod version: v2',
  ],
  [
    'a field that only files show',
    {
      containers: [
        {
          name: 'c',
          image: 'i',
          env: [{ name: 'a', valueFrom: { fieldRef: { fieldPath: 'metadata.labels' } } }],
        },
      ],
    },
    'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
  ],
  [
    'a label that cannot be',
    {
      containers: [
        {
          name: 'c',
          image: 'i',
          env: [{ name: 'a', valueFrom: { fieldRef: { fieldPath: "metadata.labels['x y']" } } }],
        },
      ],
    },
    "spec.containers[0].env[0].valueFrom.fieldRef: Invalid value: \"x y\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
  ],
  [
    'a part of what has no parts',
    {
      containers: [
        {
          name: 'c',
          image: 'i',
          env: [{ name: 'a', valueFrom: { fieldRef: { fieldPath: "spec.nodeName['x']" } } }],
        },
      ],
    },
    "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: \"spec.nodeName['x']\": error converting fieldPath: field label does not support subscript: spec.nodeName['x']",
  ],
  [
    'a resource that nobody limits',
    {
      containers: [
        {
          name: 'c',
          image: 'i',
          env: [{ name: 'a', valueFrom: { resourceFieldRef: { resource: 'limits.foo' } } }],
        },
      ],
    },
    'spec.containers[0].env[0].valueFrom.resourceFieldRef.resource: Unsupported value: "limits.foo": supported values: "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"',
  ],
  [
    'memory counted in threes',
    {
      containers: [
        {
          name: 'c',
          image: 'i',
          env: [
            { name: 'a', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '3Mi' } } },
          ],
        },
      ],
    },
    'spec.containers[0].env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.memory": only divisor\'s values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the memory resource',
  ],
  [
    'a key that cannot be',
    {
      containers: [
        {
          name: 'c',
          image: 'i',
          env: [{ name: 'a', valueFrom: { secretKeyRef: { name: 'x', key: 'a b' } } }],
        },
      ],
    },
    "spec.containers[0].env[0].valueFrom.secretKeyRef.key: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
  ],
  [
    'a file that leads out of its volume',
    {
      containers: [
        {
          name: 'c',
          image: 'i',
          env: [{ name: 'a', valueFrom: { fileKeyRef: { volumeName: 'x', path: '../a', key: 'b' } } }],
        },
      ],
    },
    'spec.containers[0].env[0].valueFrom.fileKeyRef.path: Invalid value: "../a": must not contain \'..\'',
  ],
  [
    'variables from nowhere, and from two places',
    {
      containers: [
        { name: 'c', image: 'i', envFrom: [{}, { secretRef: { name: '' }, configMapRef: { name: 'x' } }] },
      ],
    },
    '[spec.containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`, spec.containers[0].envFrom[1].secretRef.name: Required value, spec.containers[0].envFrom: Invalid value: "": may not have more than one field specified at a time]',
  ],
  [
    'half a device, and one without a limit',
    {
      containers: [
        {
          name: 'c',
          image: 'i',
          resources: {
            limits: { 'example.com/gpu': '1.5' },
            requests: { 'example.com/gpu': '1.5', 'example.com/fpga': '1' },
          },
        },
      ],
    },
    '[spec.containers[0].resources.limits[example.com/gpu]: Invalid value: "1500m": must be an integer, spec.containers[0].resources.requests[example.com/gpu]: Invalid value: "1500m": must be an integer, spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources]',
  ],
  [
    'pages that do not add up',
    {
      containers: [
        {
          name: 'c',
          image: 'i',
          resources: {
            limits: { 'hugepages-2Mi': '3Mi', cpu: '1' },
            requests: { 'hugepages-2Mi': '3Mi', cpu: '1' },
          },
        },
      ],
    },
    '[spec.containers[0].resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi, spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi]',
  ],
  [
    'a claim that the pod does not have',
    { containers: [{ name: 'c', image: 'i', resources: { claims: [{ name: 'x' }] } }] },
    'spec.containers[0].resources.claims[0]: Not found: "x": must be one of the names in pod.spec.resourceClaims which is empty',
  ],
  [
    'resizing that is never',
    {
      containers: [
        {
          name: 'c',
          image: 'i',
          resizePolicy: [
            { resourceName: 'cpu', restartPolicy: 'RestartContainer' },
            { resourceName: 'disk', restartPolicy: 'x' },
          ],
        },
      ],
      restartPolicy: 'Never',
    },
    '[spec.containers[0].resizePolicy: Invalid value: "RestartContainer": must be \'NotRequired\' when `restartPolicy` is \'Never\', spec.containers[0].resizePolicy: Unsupported value: "disk": supported values: "cpu", "memory", spec.containers[0].resizePolicy: Unsupported value: "x": supported values: "NotRequired", "RestartContainer", spec.containers[0].resizePolicy: Invalid value: "x": must be \'NotRequired\' when `restartPolicy` is \'Never\']',
  ],
  [
    'a mount that is shared both ways',
    {
      containers: [
        {
          name: 'c',
          image: 'i',
          volumeMounts: [{ name: 'x', mountPath: '/a', mountPropagation: 'Bidirectional' }],
        },
      ],
      volumes: [{ name: 'x', emptyDir: {} }],
    },
    'spec.containers[0].volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers',
  ],
  [
    'two kinds of parts',
    {
      containers: [
        {
          name: 'c',
          image: 'i',
          volumeMounts: [{ name: 'x', mountPath: '/a', subPath: '/b', subPathExpr: 'c' }],
        },
      ],
      volumes: [{ name: 'x', emptyDir: {} }],
    },
    '[spec.containers[0].volumeMounts.subPath: Invalid value: "/b": must be a relative path, spec.containers[0].volumeMounts[0].subPathExpr: Invalid value: "c": subPathExpr and subPath are mutually exclusive]',
  ],
  [
    'read-only all the way down, but writable',
    {
      containers: [
        {
          name: 'c',
          image: 'i',
          volumeMounts: [{ name: 'x', mountPath: '/a', recursiveReadOnly: 'Enabled' }],
        },
      ],
      volumes: [{ name: 'x', emptyDir: {} }],
    },
    'spec.containers[0].volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true',
  ],
  [
    'a mount of a volume that is wrong itself',
    {
      containers: [{ name: 'c', image: 'i', volumeMounts: [{ name: 'x', mountPath: '/a' }] }],
      volumes: [{ name: 'x', configMap: { name: '', defaultMode: 1000 } }],
    },
    '[spec.volumes[0].configMap.name: Required value, spec.volumes[0].configMap.defaultMode: Invalid value: 1000: must be a number between 0 and 0777 (octal), both inclusive, spec.containers[0].volumeMounts[0].name: Not found: "x"]',
  ],
  [
    'a directory as a device',
    {
      containers: [{ name: 'c', image: 'i', volumeDevices: [{ name: 'x', devicePath: '/dev/../a' }] }],
      volumes: [{ name: 'x', emptyDir: {} }],
    },
    '[spec.containers[0].volumeDevices[0].name: Invalid value: "x": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode, spec.containers[0].volumeDevices[0].devicePath: Invalid value: "/dev/../a": can not contain backsteps (\'..\')]',
  ],
  [
    'less than nothing',
    { containers: CONTAINERS, volumes: [{ name: 'x', emptyDir: { sizeLimit: '-1' } }] },
    'spec.volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity',
  ],
  [
    'keys without a place',
    {
      containers: CONTAINERS,
      volumes: [
        {
          name: 'x',
          configMap: {
            name: 'a',
            items: [
              { key: '', path: '/abs', mode: -1 },
              { key: 'k', path: '..x' },
            ],
          },
        },
      ],
    },
    '[spec.volumes[0].configMap.items[0].key: Required value, spec.volumes[0].configMap.items[0].path: Invalid value: "/abs": must be a relative path, spec.volumes[0].configMap.items[0].mode: Invalid value: -1: must be a number between 0 and 0777 (octal), both inclusive, spec.volumes[0].configMap.items[1].path: Invalid value: "..x": must not start with \'..\']',
  ],
  [
    'files of no field',
    {
      containers: CONTAINERS,
      volumes: [
        {
          name: 'x',
          downwardAPI: {
            items: [
              { path: 'a' },
              { path: 'b', fieldRef: { fieldPath: 'spec.nodeName' } },
              { path: 'c', resourceFieldRef: { resource: 'limits.cpu' } },
            ],
          },
        },
      ],
    },
    '[spec.volumes[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required, spec.volumes[0].downwardAPI.fieldRef.fieldPath: Unsupported value: "spec.nodeName": supported values: "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid", spec.volumes[0].downwardAPI.resourceFieldRef.containerName: Required value]',
  ],
  [
    'sources that are two, and a token that is short',
    {
      containers: CONTAINERS,
      volumes: [
        {
          name: 'x',
          projected: {
            sources: [
              { secret: { name: 'a' }, configMap: { name: 'b' } },
              { serviceAccountToken: { path: '', expirationSeconds: 1 } },
            ],
          },
        },
      ],
    },
    '[spec.volumes[0].projected.sources[0]: Forbidden: may not specify more than 1 volume type per source, spec.volumes[0].projected.sources[1].serviceAccountToken.expirationSeconds: Invalid value: 1: may not specify a duration less than 10 minutes, spec.volumes[0].projected.path: Required value]',
  ],
  [
    'a claim that asks for nothing',
    { containers: CONTAINERS, volumes: [{ name: 'x', ephemeral: { volumeClaimTemplate: { spec: {} } } }] },
    '[spec.volumes[0].ephemeral.volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode is required, spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value]',
  ],
  [
    'a driver without a name',
    { containers: CONTAINERS, volumes: [{ name: 'x', csi: { driver: '' } }] },
    "[spec.volumes[0].csi.driver: Required value, spec.volumes[0].csi.driver: Invalid value: \"\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')]",
  ],
  [
    'an image without a name',
    { containers: CONTAINERS, volumes: [{ name: 'x', image: {} }] },
    'spec.volumes[0].image.reference: Required value',
  ],
  [
    'probes that nobody can make',
    {
      containers: [
        {
          name: 'c',
          image: 'i',
          livenessProbe: {
            httpGet: { port: 0, scheme: 'FTP', httpHeaders: [{ name: 'a b' }] },
            successThreshold: 2,
          },
          readinessProbe: { exec: { command: ['x'] }, terminationGracePeriodSeconds: 0 },
        },
      ],
    },
    '[spec.containers[0].livenessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive, spec.containers[0].livenessProbe.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS", spec.containers[0].livenessProbe.httpGet.httpHeaders: Invalid value: "a b": a valid HTTP header must consist of alphanumeric characters or \'-\' (e.g. \'X-Header-Name\', regex used for validation is \'[-A-Za-z0-9]+\'), spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1, spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0, spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 0: must not be set for readinessProbes]',
  ],
  [
    'a hook that sleeps too long',
    { containers: [{ name: 'c', image: 'i', lifecycle: { preStop: { sleep: { seconds: 31 } } } }] },
    'spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)',
  ],
  [
    'profiles that are not there',
    {
      containers: [
        {
          name: 'c',
          image: 'i',
          securityContext: {
            seccompProfile: { type: 'Localhost' },
            appArmorProfile: { type: 'Own' },
            procMount: 'Unmasked',
          },
        },
      ],
    },
    '[spec.containers[0].securityContext.procMount: Invalid value: "Unmasked": `hostUsers` must be false to use `Unmasked`, spec.containers[0].securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost, spec.containers[0].securityContext.appArmorProfile.type: Unsupported value: "Own": supported values: "Localhost", "RuntimeDefault", "Unconfined"]',
  ],
  [
    'settings of the kernel',
    {
      containers: CONTAINERS,
      hostNetwork: true,
      securityContext: {
        sysctls: [
          { name: 'net.ipv4.tcp_syncookies', value: '1' },
          { name: 'A', value: '' },
          { name: 'kernel.x', value: '' },
          { name: 'kernel.x', value: '' },
        ],
      },
    },
    '[spec.securityContext.sysctls[0].name: Invalid value: "net.ipv4.tcp_syncookies": may not be specified when \'hostNetwork\' is true, spec.securityContext.sysctls[1].name: Invalid value: "A": must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$, spec.securityContext.sysctls[3].name: Duplicate value: "kernel.x"]',
  ],
  [
    'spreading twice the same way',
    {
      containers: CONTAINERS,
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'z',
          whenUnsatisfiable: 'ScheduleAnyway',
          minDomains: 2,
          matchLabelKeys: ['a'],
        },
        { maxSkew: 0, topologyKey: 'z', whenUnsatisfiable: 'ScheduleAnyway' },
      ],
    },
    '[spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{z, ScheduleAnyway}", spec.topologySpreadConstraints[0].minDomains: Invalid value: 2: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway, spec.topologySpreadConstraints[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set, spec.topologySpreadConstraints[1].maxSkew: Invalid value: 0: must be greater than zero]',
  ],
  [
    'a term of no topology',
    {
      containers: CONTAINERS,
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: '', namespaces: ['A'], matchLabelKeys: ['k'] },
          ],
        },
      },
    },
    "[spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].namespace: Invalid value: \"A\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?'), spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set, spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: can not be empty, spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: \"\": name part must be non-empty, spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')]",
  ],
  [
    'fields of nodes that cannot be chosen by',
    {
      containers: CONTAINERS,
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              {
                matchFields: [
                  { key: 'x', operator: 'Exists' },
                  { key: 'metadata.name', operator: 'In', values: ['A'] },
                ],
              },
            ],
          },
        },
      },
    },
    "[spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].operator: Invalid value: \"Exists\": not a valid selector operator, spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].key: Invalid value: \"x\": not a valid field selector key, spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[1].values[0]: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')]",
  ],
  [
    'a toleration of a value that no label has',
    { containers: CONTAINERS, tolerations: [{ key: 'a', value: 'x y' }] },
    "spec.tolerations[0].operator: Invalid value: \"x y\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
  ],
  [
    'names for what is no address',
    { containers: CONTAINERS, hostAliases: [{ ip: 'x', hostnames: ['A'] }] },
    "[spec.hostAliases[0].ip: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff), spec.hostAliases[0].hostnames[0]: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')]",
  ],
  [
    'what Windows does not have',
    {
      containers: [{ name: 'c', image: 'i', securityContext: { privileged: true } }],
      os: { name: 'windows' },
      hostPID: true,
      securityContext: { runAsUser: 1 },
    },
    '[spec.hostPID: Forbidden: cannot be set for a windows pod, spec.securityContext.runAsUser: Forbidden: cannot be set for a windows pod, spec.containers[0].securityContext.privileged: Forbidden: cannot be set for a windows pod]',
  ],
  [
    'an account that is none',
    {
      containers: [{ name: 'c', image: 'i', securityContext: { windowsOptions: { runAsUserName: '' } } }],
      securityContext: {
        windowsOptions: { gmsaCredentialSpecName: '', gmsaCredentialSpec: '', runAsUserName: 'a/b\\..' },
      },
    },
    `[spec.containers[0].securityContext.windowsOptions.runAsUserName: Invalid value: "": runAsUserName cannot be an empty string, spec.securityContext.windowsOptions.gmsaCredentialSpecName: Invalid value: "": ${SUBDOMAIN}, spec.securityContext.windowsOptions.gmsaCredentialSpec: Invalid value: "": gmsaCredentialSpec cannot be an empty string, spec.securityContext.windowsOptions.runAsUserName: Invalid value: "a/b\\\\..": runAsUserName's Domain doesn't match the NetBios nor the DNS format, spec.securityContext.windowsOptions.runAsUserName: Invalid value: "a/b\\\\..": runAsUserName's User cannot contain only periods or spaces]`,
  ],
  [
    'one container of two on the machine itself',
    {
      containers: [
        { name: 'c', image: 'i', securityContext: { windowsOptions: { hostProcess: false } } },
        { name: 'd', image: 'i' },
      ],
      securityContext: { windowsOptions: { hostProcess: true } },
    },
    '[spec.containers[0].securityContext.windowsOptions.hostProcess: Invalid value: false: pod hostProcess value must be identical if both are specified, was true, spec: Invalid value: "": If pod contains any hostProcess containers then all containers must be HostProcess containers, spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers]',
  ],
  [
    'users of its own in the network of the machine',
    { containers: CONTAINERS, hostUsers: false, hostNetwork: true },
    'spec.hostNetwork: Forbidden: when `pod.Spec.HostUsers` is false',
  ],
  [
    'what a whole pod does not ask for',
    { containers: CONTAINERS, resources: { claims: [], limits: { 'ephemeral-storage': '1Gi' } } },
    'spec.resources.limits[ephemeral-storage]: Unsupported value: "ephemeral-storage": supported values: "cpu", "hugepages-", "memory"',
  ],
  [
    'claims on devices by two names',
    {
      containers: CONTAINERS,
      resourceClaims: [{ name: 'a', resourceClaimName: 'x', resourceClaimTemplateName: 'y' }, { name: 'a' }],
    },
    '[spec.resourceClaims[0]: Invalid value: {"name":"a","resourceClaimName":"x","resourceClaimTemplateName":"y"}: at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified, spec.resourceClaims[1].name: Duplicate value: "a", spec.resourceClaims[1]: Invalid value: {"name":"a"}: must specify one of: `resourceClaimName`, `resourceClaimTemplateName`]',
  ],
];

for (const [what, spec, complaints] of CASES) {
  test(`refused: ${what}`, async () => {
    const answer = await served.send('POST', PODS, { metadata: { name: 'a' }, spec });
    assert.equal((answer.body as Status).message, `Pod "a" is invalid: ${complaints}`);
    assert.equal(answer.status, 422);
  });
}

test('a template may leave open what a pod may not', async () => {
  const labels = { a: 'b' };
  const spec = {
    containers: [{ name: 'c', image: ' i ', volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
    volumes: [{ name: 'v', image: {} }],
  };
  await served.must('POST', '/apis/apps/v1/namespaces/default/deployments', {
    metadata: { name: 'open' },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  });
});

const UPDATES: readonly (readonly [
  what: string,
  before: object,
  after: (pod: Pod) => object,
  complaints: string | undefined,
])[] = [
  [
    'one container more',
    {},
    ({ spec }) => ({ containers: [...spec!.containers, { name: 'd', image: 'i' }] }),
    'spec.containers: Forbidden: pod updates may not add or remove containers',
  ],
  [
    'a deadline that moves away',
    { activeDeadlineSeconds: 10 },
    () => ({ activeDeadlineSeconds: 11 }),
    'spec.activeDeadlineSeconds: Invalid value: 11: must be less than or equal to previous value',
  ],
  [
    'a gate that was not there',
    { schedulingGates: [{ name: 'a/b' }] },
    () => ({ schedulingGates: [{ name: 'a/b' }, { name: 'c/d' }] }),
    "spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new scheduling gate 'c/d'",
  ],
  [
    'another machine while gates are closed',
    { schedulingGates: [{ name: 'a/b' }], nodeSelector: { x: 'y' } },
    () => ({ nodeSelector: { x: 'z' } }),
    'spec.nodeSelector: Invalid value: {"x":"z"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
  ],
  [
    'fewer machines while gates are closed',
    { schedulingGates: [{ name: 'a/b' }], nodeSelector: { x: 'y' } },
    () => ({ nodeSelector: { x: 'y', z: '1' } }),
    undefined,
  ],
  [
    'time to end where there was less than none',
    { terminationGracePeriodSeconds: -1 },
    () => ({ terminationGracePeriodSeconds: 1 }),
    undefined,
  ],
];

for (const [i, [what, before, after, complaints]] of UPDATES.entries()) {
  test(`${complaints === undefined ? 'taken' : 'refused'} later: ${what}`, async () => {
    const name = `u${i}`;
    const pod = await served.must('POST', PODS, {
      metadata: { name },
      spec: { containers: CONTAINERS, ...before },
    });
    const spec = { ...(pod['spec'] as object), ...after(pod as unknown as Pod) };
    const answer = await served.send('PUT', `${PODS}/${name}`, { ...pod, spec });
    if (complaints === undefined) assert.equal(answer.status, 200, JSON.stringify(answer.body));
    else assert.equal((answer.body as Status).message, `Pod "${name}" is invalid: ${complaints}`);
  });
}

test('a status does not raise the dead, nor change what follows from the spec', async () => {
  const spec = { containers: CONTAINERS, restartPolicy: 'Never' };
  await served.must('POST', PODS, { metadata: { name: 'dead' }, spec });
  const containerStatuses = [{ name: 'c', state: { terminated: { exitCode: 1 } } }];
  const path = `${PODS}/dead/status`;
  const patch = { contentType: 'application/merge-patch+json' } as const;
  await served.must('PATCH', path, { status: { containerStatuses } }, patch);
  const status = {
    containerStatuses: [{ name: 'c', state: { running: {} } }],
    qosClass: 'Guaranteed',
    podIP: '10.0.0.1',
    podIPs: [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }],
    conditions: [{ type: 'not so', status: 'True' }],
  };
  const answer = await served.send('PATCH', path, { status }, patch);
  assert.deepEqual(
    ((answer.body as Status).details?.causes ?? []).map(({ field }) => field),
    ['metadata.conditions[0].Type', 'status.qosClass', 'status.containerStatuses[0].state', 'status.podIPs'],
  );
});

const PLACES = '/apis/apps/v1/namespaces/default/deployments';

test('labels and annotations of a template are named without its metadata', async () => {
  const metadata = {
    labels: { a: 'b', 'x y': 'z' },
    annotations: { 'controller.kubernetes.io/pod-deletion-cost': 'much' },
  };
  const spec = {
    selector: { matchLabels: { a: 'b' } },
    template: { metadata, spec: { containers: [{ name: 'c', image: 'i' }] } },
  };
  const { status, body } = await served.send('POST', PLACES, { metadata: { name: 'a' }, spec });
  assert.equal(status, 422);
  const fields = (body as Status).details?.causes?.map(({ field }) => field);
  assert.deepEqual(fields, [
    'spec.template.labels',
    'spec.template.annotations[controller.kubernetes.io/pod-deletion-cost]',
  ]);
});

const container = (name: string, resources: object): object => ({ name, image: 'i', resources });

test('containers must fit into what their pod has', async () => {
  const spec = {
    resources: { requests: { cpu: '250m' }, limits: { cpu: '1' } },
    containers: [
      container('a', { requests: { cpu: '200m' } }),
      container('b', { requests: { cpu: '100m' }, limits: { cpu: '2' } }),
    ],
    initContainers: [container('i', { requests: { cpu: '50m' } })],
  };
  const { status, body } = await served.send('POST', PODS, { metadata: { name: 'fits-not' }, spec });
  assert.equal(status, 422);
  assert.equal(
    (body as Status).message,
    'Pod "fits-not" is invalid: [spec.resources.requests[cpu]: Invalid value: "250m": must be greater than or equal to aggregate container requests of 300m, spec.resources.containers[1][cpu].limits: Invalid value: "2": must be less than or equal to pod limits of 1]',
  );
});

test('a pod that is limited asks for what its containers ask for, or else for its limit, and is of that class', async () => {
  const made = await served.must('POST', PODS, {
    metadata: { name: 'limited' },
    spec: {
      resources: { limits: { cpu: '1', memory: '1Gi' } },
      containers: [
        container('a', { requests: { cpu: '200m' } }),
        container('b', { requests: { cpu: '100m' } }),
      ],
    },
  });
  const { resources } = made['spec'] as { resources: { requests: object } };
  assert.deepEqual(resources.requests, { cpu: '300m', memory: '1Gi' });
  const whole = await served.must('POST', PODS, {
    metadata: { name: 'whole' },
    spec: { resources: { limits: { cpu: '1', memory: '1Gi' } }, containers: [{ name: 'c', image: 'i' }] },
  });
  assert.equal((whole['status'] as { qosClass: string }).qosClass, 'Guaranteed');
});

test('a mirror of what a kubelet runs must be on a node', async () => {
  const annotations = { 'kubernetes.io/config.mirror': 'm' };
  const spec = { containers: [{ name: 'c', image: 'i' }] };
  const { status, body } = await served.send('POST', PODS, {
    metadata: { name: 'mirror', annotations },
    spec,
  });
  assert.equal(status, 422);
  assert.equal(
    (body as Status).message,
    'Pod "mirror" is invalid: metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "m": must set spec.nodeName if mirror pod annotation is set',
  );
});
