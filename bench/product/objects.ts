// Objects as people have them, for measurements of what storing them takes.
import type { KubeObject } from '../../src/api/index.ts';

export const OBJECT_KINDS = ['deployments', 'configmaps', 'works'] as const;
export type ObjectKind = (typeof OBJECT_KINDS)[number];

const PREFIXES: Readonly<Record<ObjectKind, string>> = {
  deployments: '/apis/apps/v1',
  configmaps: '/api/v1',
  works: '/apis/work.karmada.io/v1alpha1',
};

/** The collection of a kind in a namespace. */
export function pathOf(kind: ObjectKind, namespace: string): string {
  return `${PREFIXES[kind]}/namespaces/${namespace}/${kind}`;
}

const makers: Readonly<Record<ObjectKind, (name: string, namespace: string) => KubeObject>> = {
  deployments: deployment,
  configmaps: configMap,
  works: work,
};

export function objectOf(kind: ObjectKind, name: string, namespace: string): KubeObject {
  return makers[kind](name, namespace);
}

function deployment(name: string, namespace: string): KubeObject {
  const labels = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/part-of': 'shop', team: 'checkout' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name,
      namespace,
      labels,
      annotations: { 'shop.example/contact': `owners-of-${name}@shop.example` },
    },
    spec: {
      replicas: 3,
      selector: { matchLabels: { 'app.kubernetes.io/name': name } },
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName: name,
          containers: [
            {
              name: 'web',
              image: `registry.shop.example/checkout/${name}:1.24.3`,
              args: ['--listen=:8080', `--name=${name}`, '--log-format=json'],
              env: [
                { name: 'DATABASE_URL', value: `postgres://${name}.databases.svc:5432/shop` },
                { name: 'REGION', value: 'eu-central-1' },
                { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
              ],
              ports: [{ name: 'http', containerPort: 8080 }],
              resources: { requests: { cpu: '250m', memory: '256Mi' }, limits: { memory: '512Mi' } },
              readinessProbe: { httpGet: { path: '/ready', port: 'http' }, periodSeconds: 5 },
              volumeMounts: [{ name: 'config', mountPath: '/etc/shop' }],
            },
          ],
          volumes: [{ name: 'config', configMap: { name } }],
        },
      },
    },
  };
}

function configMap(name: string, namespace: string): KubeObject {
  const settings = Array.from({ length: 40 }, (_, i) => `${name}.setting-${i}=value-${(i * 7919) % 1000}`);
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, labels: { 'app.kubernetes.io/name': name, team: 'checkout' } },
    data: {
      'application.properties': settings.join('\n'),
      'log-level': 'info',
      endpoint: `https://${name}.shop.example/`,
    },
  };
}

function work(name: string, namespace: string): KubeObject {
  return {
    apiVersion: 'work.karmada.io/v1alpha1',
    kind: 'Work',
    metadata: {
      name,
      namespace,
      labels: { 'resourcebinding.karmada.io/permanent-id': '3f1c4f9c-6f5e-4f04-a9a0-0d0d2f2c8a11' },
      annotations: {
        'resourcebinding.karmada.io/name': name,
        'resourcebinding.karmada.io/namespace': 'shop',
      },
      finalizers: ['karmada.io/execution-controller'],
    },
    spec: { workload: { manifests: [deployment(name, 'shop')] } },
  };
}
