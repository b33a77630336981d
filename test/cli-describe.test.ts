// `describe` of kinds with a form of their own, beside the real kubectl on the same objects.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  eventually,
  freePort,
  navarch,
  noKubectl,
  removeDirectory,
  run,
  startProduct,
  temporaryDirectory,
  type Product,
} from './product.ts';

const objects = `
apiVersion: v1
kind: Namespace
metadata: { name: shop }
---
apiVersion: v1
kind: PersistentVolume
metadata: { name: disk1, labels: { tier: gold }, annotations: { a: b } }
spec:
  capacity: { storage: 5Gi }
  accessModes: [ReadWriteOnce, ReadOnlyMany]
  persistentVolumeReclaimPolicy: Retain
  storageClassName: fast
  mountOptions: [hard, nfsvers=4.1]
  claimRef: { apiVersion: v1, kind: PersistentVolumeClaim, namespace: shop, name: data }
  nodeAffinity:
    required:
      nodeSelectorTerms:
        - matchExpressions: [{ key: kubernetes.io/hostname, operator: In, values: [n1, n2] }, { key: x, operator: Exists }]
  nfs: { server: nfs.example, path: /exports, readOnly: true }
---
apiVersion: v1
kind: PersistentVolume
metadata: { name: disk2 }
spec:
  capacity: { storage: 1Gi }
  accessModes: [ReadWriteMany]
  volumeMode: Block
  csi: { driver: csi.example, volumeHandle: vol-1, fsType: ext4, volumeAttributes: { b: '2', a: '1' } }
---
apiVersion: v1
kind: PersistentVolume
metadata: { name: disk3 }
spec:
  capacity: { storage: 1Gi }
  accessModes: [ReadWriteOnce]
  hostPath: { path: /data, type: DirectoryOrCreate }
---
apiVersion: v1
kind: PersistentVolume
metadata: { name: disk4 }
spec:
  capacity: { storage: 1Gi }
  accessModes: [ReadWriteOnce]
  local: { path: /mnt/x }
  nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: kubernetes.io/hostname, operator: In, values: [n1] }] }] } }
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data, namespace: shop, labels: { app: web } }
spec: { accessModes: [ReadWriteOnce], storageClassName: fast, volumeName: disk1, resources: { requests: { storage: 5Gi } } }
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data2, namespace: shop }
spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 5Gi } }, dataSource: { kind: PersistentVolumeClaim, name: data }}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web, namespace: shop, annotations: { note: 'yes', longer: text } }
spec:
  ingressClassName: nginx
  defaultBackend: { service: { name: fallback, port: { number: 80 } } }
  tls: [{ hosts: [a.example, b.example], secretName: cert }, { hosts: [c.example] }]
  rules:
    - host: a.example
      http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }, { path: /api, pathType: Exact, backend: { service: { name: api, port: { name: http } } } }] }
    - http: { paths: [{ path: /x, pathType: Prefix, backend: { resource: { apiGroup: k8s.example, kind: Bucket, name: static } } }] }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: bare, namespace: shop }
spec: { defaultBackend: { service: { name: web, port: { number: 80 } } } }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { selector: { app: web }, ports: [{ port: 80 }] }
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: web, namespace: shop }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: web }
  minReplicas: 2
  maxReplicas: 10
  metrics:
    - type: Resource
      resource: { name: cpu, target: { type: Utilization, averageUtilization: 70 } }
    - type: Resource
      resource: { name: memory, target: { type: AverageValue, averageValue: 500Mi } }
    - type: Pods
      pods: { metric: { name: rps }, target: { type: AverageValue, averageValue: 1k } }
    - type: Object
      object: { metric: { name: hits }, describedObject: { apiVersion: v1, kind: Service, name: web }, target: { type: Value, value: 2k } }
    - type: External
      external: { metric: { name: queue, selector: { matchLabels: { q: a } } }, target: { type: AverageValue, averageValue: 30 } }
    - type: ContainerResource
      containerResource: { name: cpu, container: app, target: { type: Utilization, averageUtilization: 60 } }
  behavior:
    scaleDown: { stabilizationWindowSeconds: 300, selectPolicy: Min, policies: [{ type: Percent, value: 10, periodSeconds: 60 }] }
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: plain, namespace: shop }
spec: { scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: web }, maxReplicas: 3 }
---
apiVersion: batch/v1
kind: Job
metadata: { name: once, namespace: shop }
spec:
  parallelism: 2
  completions: 4
  backoffLimit: 3
  activeDeadlineSeconds: 600
  ttlSecondsAfterFinished: 100
  template: { metadata: { labels: { app: once } }, spec: { restartPolicy: Never, containers: [{ name: c, image: registry.example/job:1, command: [sh, -c, 'echo x'] }] } }
---
apiVersion: batch/v1
kind: Job
metadata: { name: indexed, namespace: shop }
spec:
  completionMode: Indexed
  completions: 3
  parallelism: 1
  suspend: true
  template: { spec: { restartPolicy: OnFailure, containers: [{ name: c, image: registry.example/job:1 }] } }
---
apiVersion: batch/v1
kind: CronJob
metadata: { name: nightly, namespace: shop }
spec:
  schedule: "0 3 * * *"
  startingDeadlineSeconds: 30
  concurrencyPolicy: Forbid
  jobTemplate: { spec: { parallelism: 1, backoffLimit: 2, activeDeadlineSeconds: 50, template: { metadata: { labels: { app: nightly } }, spec: { restartPolicy: Never, containers: [{ name: c, image: registry.example/job:1, args: [a], env: [{ name: A, value: b }] }] } } } }
---
apiVersion: batch/v1
kind: CronJob
metadata: { name: hourly, namespace: shop }
spec: { schedule: "@hourly", suspend: true, timeZone: Europe/Rome, jobTemplate: { spec: { template: { spec: { restartPolicy: Never, containers: [{ name: c, image: registry.example/job:1 }] } } } } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      initContainers: [{ name: prepare, image: registry.example/prepare:1, resources: { requests: { cpu: 250m } } }]
      containers: [{ name: web, image: registry.example/web:1, resources: { requests: { cpu: 100m, memory: 64Mi }, limits: { cpu: 1 } } }]
      volumes: [{ name: d, persistentVolumeClaim: { claimName: data } }]
`;

describe('describe', { skip: noKubectl }, () => {
  const directory = temporaryDirectory();
  const kubeconfig = path.join(directory, 'members', 'member1.kubeconfig');
  let product: Product;
  const kubectl = (args: readonly string[], input?: string): ReturnType<typeof run> =>
    run('kubectl', ['--kubeconfig', kubeconfig, ...args], input);

  before(async () => {
    product = await startProduct(directory, freePort(), '--members', '1');
    const applied = kubectl(['apply', '-f', '-'], objects);
    assert.equal(applied.code, 0, applied.stderr);
    kubectl(['create', 'job', 'manual', '--from=cronjob/nightly', '-n', 'shop']);
    const [node = ''] = kubectl(['get', 'nodes', '-o', 'name']).stdout.split('\n');
    kubectl(['label', node, 'node-role.kubernetes.io/worker=']);
    kubectl(['taint', node, 'b=c:PreferNoSchedule', 'a:NoSchedule']);
    kubectl(['cordon', node]);
    const count = (...args: readonly string[]): string => kubectl(['get', ...args, '-n', 'shop']).stdout;
    await eventually('nothing moves any more', () =>
      count('jobs', 'once', 'manual', '-o', 'jsonpath={.items[*].status.succeeded}') === '4 1' &&
      count('deployment', 'web', '-o', 'jsonpath={.status.readyReplicas}') === '2'
        ? true
        : undefined,
    );
  });
  after(async () => {
    await product.stop('SIGTERM');
    removeDirectory(directory);
  });

  /** Ages and heartbeats differ from one call to the next, and with them the widths of columns. */
  const still = (text: string): string =>
    text
      .replaceAll(/(?<![\w.-])(\d+[dhms])+(?![\w.-])/g, '<age>')
      .replaceAll(/(RenewTime|LastHeartbeatTime):? .*/g, '$1')
      .replaceAll(/^( {2}(?:Ready|\w+Pressure) .*?\w{3}, ).*\+0000 /gm, '$1')
      .replaceAll(/ {2,}(?=\S)/g, '  ')
      // Kubernetes 1.34 mended this.
      .replaceAll('ConfigMapOptional:  <nil>', 'Optional:  false');

  for (const kind of [
    'nodes',
    'pv',
    'pvc',
    'ingress',
    'hpa',
    'jobs',
    'cronjobs',
    'pods',
    'deployments',
    'services',
  ]) {
    test(`${kind} are described as kubectl does`, () => {
      const expected = kubectl(['describe', kind, '-n', 'shop']);
      assert.equal(expected.code, 0, expected.stderr);
      const shown = navarch('describe', kind, '-n', 'shop', '--kubeconfig', kubeconfig);
      assert.equal(shown.code, 0, shown.stderr);
      assert.equal(still(shown.stdout), still(expected.stdout));
    });
  }
});
