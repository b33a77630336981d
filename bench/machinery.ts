// What the building blocks cost that every request goes through: validation, patches, field ownership, selectors and
// the rest, on one Deployment as it is in real clusters. Run: node bench/machinery.ts [part of a name]
import {
  builtinSchema,
  deepFreeze,
  definitionFor,
  resolveRef,
  type JsonValue,
  type KubeObject,
  type Schema,
} from '../src/api/index.ts';
import {
  Quantity,
  applyDefaults,
  applyJsonPatch,
  applyMergePatch,
  applyStrategicMergePatch,
  compileFieldPath,
  compileJsonPath,
  compilePattern,
  decodeTyped,
  deepEqual,
  encodeJson,
  evaluateRules,
  fnv1a32,
  isQualifiedName,
  nameIsDnsSubdomain,
  parseFieldSelector,
  parseLabelSelector,
  pruneBySchema,
  serverSideApply,
  trackUpdate,
  validateObjectMeta,
  validateSchema,
  type FieldManagement,
} from '../src/machinery/index.ts';

const ROUND_MS = 300;
const ROUNDS = 5;
const NOW = Date.UTC(2026, 0, 1);
const wanted = process.argv[2] ?? '';

/** The best of some rounds, in microseconds a call: the least that the machine disturbed. */
function microsecondsOf(run: () => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  let calls = 1;
  for (let round = 0; round < ROUNDS; round += 1) {
    const from = performance.now();
    let done = 0;
    while (performance.now() - from < ROUND_MS) {
      for (let i = 0; i < calls; i += 1) kept = run();
      done += calls;
    }
    best = Math.min(best, ((performance.now() - from) * 1000) / done);
    calls = Math.max(1, Math.ceil(1000 / best));
  }
  return best;
}

/** Results go here, so that nothing is optimised away. */
let kept: unknown;

function measure(name: string, run: () => unknown): void {
  if (!name.includes(wanted)) return;
  run();
  console.log(`${name.padEnd(58)} ${microsecondsOf(run).toFixed(2).padStart(10)} µs`);
}

const labels = {
  'app.kubernetes.io/name': 'checkout',
  'app.kubernetes.io/part-of': 'shop',
  tier: 'backend',
  release: 'stable',
};

function container(name: string): Record<string, unknown> {
  return {
    name,
    image: `registry.example/${name}:1.2.3`,
    imagePullPolicy: 'IfNotPresent',
    args: ['--port=8080', '--metrics=:9090', '--verbose'],
    ports: [
      { name: 'http', containerPort: 8080, protocol: 'TCP' },
      { name: 'metrics', containerPort: 9090, protocol: 'TCP' },
    ],
    env: Array.from({ length: 8 }, (_, index) => ({ name: `SETTING_${index}`, value: `value ${index}` })),
    resources: { requests: { cpu: '250m', memory: '64Mi' }, limits: { cpu: '1', memory: '256Mi' } },
    readinessProbe: {
      httpGet: { path: '/ready', port: 'http', scheme: 'HTTP' },
      periodSeconds: 10,
      timeoutSeconds: 1,
      successThreshold: 1,
      failureThreshold: 3,
    },
    volumeMounts: [{ name: 'config', mountPath: '/etc/config' }],
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
  };
}

const deployment = deepFreeze({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'checkout',
    namespace: 'shop',
    uid: 'f3a1f5f2-1111-4444-8888-2b6bb1b4a001',
    resourceVersion: '1234',
    generation: 3,
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels,
    annotations: { 'deployment.kubernetes.io/revision': '3', 'example.org/owner': 'team-shop' },
  },
  spec: {
    replicas: 3,
    selector: { matchLabels: { 'app.kubernetes.io/name': 'checkout' } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
    template: {
      metadata: { labels },
      spec: {
        containers: [container('app'), container('sidecar')],
        volumes: [{ name: 'config', configMap: { name: 'checkout', defaultMode: 420 } }],
        restartPolicy: 'Always',
        dnsPolicy: 'ClusterFirst',
        terminationGracePeriodSeconds: 30,
        schedulerName: 'default-scheduler',
        securityContext: {},
      },
    },
  },
}) as KubeObject;
const again = deepFreeze(structuredClone(deployment));
const scaled = deepFreeze({ ...again, spec: { ...(again['spec'] as object), replicas: 5 } }) as KubeObject;

const json = deployment as unknown as JsonValue;
const scaledJson = scaled as unknown as JsonValue;

const definition = definitionFor({ group: 'apps', version: 'v1', kind: 'Deployment' });
const schema = definition === undefined ? undefined : builtinSchema(definition);
if (schema === undefined) throw new Error('there is no schema of Deployments');
const management: FieldManagement = { apiVersion: 'apps/v1', kind: 'Deployment', schema, resolveRef };

/** The schema without references, as that of a custom resource has it. */
function structural(from: Schema, depth = 0): Schema {
  if (from.$ref !== undefined) return structural(resolveRef(from.$ref), depth);
  if (from.allOf?.length === 1 && from.type === undefined) {
    return {
      ...structural(from.allOf[0]!, depth),
      ...(from.default === undefined ? {} : { default: from.default }),
    };
  }
  const own = { ...from };
  if (own.properties !== undefined) {
    own.properties = Object.fromEntries(
      Object.entries(own.properties).map(([name, inner]) => [name, structural(inner, depth + 1)]),
    );
  }
  if (own.items !== undefined) own.items = structural(own.items, depth + 1);
  if (typeof own.additionalProperties === 'object') {
    own.additionalProperties = structural(own.additionalProperties, depth + 1);
  }
  return own;
}
const customSchema = deepFreeze(structural(schema));
const customManagement: FieldManagement = { apiVersion: 'apps/v1', kind: 'Deployment', schema: customSchema };

const tracked = deepFreeze(
  trackUpdate({ live: undefined, next: deployment, manager: 'kubectl', now: NOW }, management),
);
const trackedScaled = deepFreeze({ ...scaled, metadata: tracked.metadata }) as KubeObject;
const configuration = deepFreeze({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'checkout', namespace: 'shop', labels },
  spec: deployment['spec'],
}) as KubeObject;
const applyOf = (live: KubeObject | undefined, over: FieldManagement): KubeObject =>
  serverSideApply({ live, applied: configuration, manager: 'applier', force: true, now: NOW }, over);
const applied = deepFreeze(applyOf(undefined, management));

measure('deepEqual: shared', () => deepEqual(deployment, { ...deployment }));
measure('deepEqual: equal copies', () => deepEqual(deployment, again));
measure('encodeJson: known object', () => encodeJson(deployment));
measure('encodeJson: new object', () => encodeJson(deepFreeze({ ...deployment })));
measure('JSON.stringify, for comparison', () => JSON.stringify(deployment));
measure('fnv1a32 of 40 characters', () => fnv1a32('namespace-of-some-length/name-of-an-object'));

const selector = parseLabelSelector('tier=backend,release in (stable,canary),!legacy');
measure('label selector: match', () => selector.matches(labels));
measure('label selector: parse', () => parseLabelSelector('tier=backend,release in (stable,canary),!legacy'));
measure('field selector: parse', () => parseFieldSelector('metadata.name=a,spec.nodeName!=b'));
measure('isQualifiedName', () => isQualifiedName('app.kubernetes.io/name'));
const metaRules = { namespaced: true, nameRule: nameIsDnsSubdomain, builtIn: true };
measure('validateObjectMeta', () => validateObjectMeta(deployment.metadata, metaRules));

measure('Quantity.parse', () => Quantity.parse('250m'));
const [memory, cpu] = [Quantity.parse('64Mi'), Quantity.parse('250m')];
measure('Quantity: add and print', () => memory.add(cpu).toString());

const pattern = compilePattern('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$');
measure('pattern: test', () => pattern.test('some-name-of-20-char'));
measure('validateSchema: Deployment, built-in schema', () => validateSchema(json, schema, resolveRef));
measure('validateSchema: Deployment, structural schema', () => validateSchema(json, customSchema));
measure('validateSchema: an update of one field', () =>
  validateSchema(scaledJson, customSchema, undefined, { old: json }),
);
measure('decodeTyped: Deployment', () => decodeTyped(json, schema, resolveRef));
measure('pruneBySchema: nothing to prune', () => pruneBySchema(json, customSchema));
measure('applyDefaults: nothing to fill in', () => applyDefaults(json, customSchema));

measure('JSON patch: one replace', () =>
  applyJsonPatch(json, [{ op: 'replace', path: '/spec/replicas', value: 5 }]),
);
measure('merge patch: one field', () => applyMergePatch(json, { spec: { replicas: 5 } }));
const imagePatch = { spec: { template: { spec: { containers: [{ name: 'app', image: 'app:2' }] } } } };
measure('strategic merge patch: one image', () =>
  applyStrategicMergePatch(json, imagePatch, schema, resolveRef),
);

measure('trackUpdate: create', () =>
  trackUpdate({ live: undefined, next: deployment, manager: 'kubectl', now: NOW }, management),
);
measure('trackUpdate: no change', () =>
  trackUpdate({ live: tracked, next: tracked, manager: 'kubectl', now: NOW }, management),
);
measure('trackUpdate: one field', () =>
  trackUpdate({ live: tracked, next: trackedScaled, manager: 'autoscaler', now: NOW }, management),
);
measure('trackUpdate: one field, structural schema', () =>
  trackUpdate({ live: tracked, next: trackedScaled, manager: 'autoscaler', now: NOW }, customManagement),
);
measure('serverSideApply: create', () => applyOf(undefined, management));
measure('serverSideApply: the same again', () => applyOf(applied, management));
measure('serverSideApply: over another manager', () => applyOf(trackedScaled, management));

const ruled: Schema = {
  ...customSchema,
  'x-kubernetes-validations': [
    { rule: 'self.spec.replicas <= 10 || self.metadata.name.startsWith("big-")' },
    { rule: 'self.spec.template.spec.containers.all(c, c.ports.all(p, p.containerPort > 1024))' },
  ],
};
const noWarning = (): void => {};
measure('rules: two, one with loops', () => evaluateRules(ruled, json, undefined, noWarning));

const column = compileFieldPath('.spec.template.spec.containers[*].image');
measure('JSONPath: a printer column', () => column(deployment));
const template = compileJsonPath('{range .spec.template.spec.containers[*]}{.name}={.image}{"\\n"}{end}');
measure('JSONPath: a template', () => template.print(deployment));
if (kept === undefined && wanted !== '') console.log(`nothing is called ${wanted}`);
