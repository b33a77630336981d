// What it costs to keep why a binding is where it is: the decision alone, its trace, writing the trace beside a new binding, and
// a later look that finds nothing new. Processor time, on memory storage.
// Run: npm run bench -- decisions [--bindings 2000] [--clusters 100]
import { parseArgs } from 'node:util';
import { deepFreeze, type Cluster, type ResourceBinding } from '../src/api/index.ts';
import { defaultFeatureGates } from '../src/base/index.ts';
import { DecisionLog } from '../src/controllers/decisions.ts';
import { startControlPlane } from '../src/controllers/testing/control-plane.ts';
import {
  fleetSnapshot,
  schedule,
  traceEssence,
  traceOf,
  type ScheduleInput,
} from '../src/scheduling/index.ts';

const { values } = parseArgs({
  options: { bindings: { type: 'string', default: '2000' }, clusters: { type: 'string', default: '100' } },
});
const count = Number(values.bindings);

function cluster(index: number): Cluster {
  return deepFreeze({
    apiVersion: 'cluster.karmada.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name: `member${index}`, labels: { tier: index % 3 === 0 ? 'iron' : 'gold' } },
    spec: { syncMode: 'Push', ...(index % 5 === 0 ? { taints: [{ key: 'k', effect: 'NoSchedule' }] } : {}) },
    status: {
      apiEnablements: [{ groupVersion: 'apps/v1', resources: [{ name: 'deployments', kind: 'Deployment' }] }],
      resourceSummary: { allocatable: { pods: '100', cpu: '10' }, allocated: { pods: String(index % 50) } },
    },
  });
}

function binding(index: number): ResourceBinding {
  const name = `web${index}`;
  return deepFreeze({
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ResourceBinding',
    metadata: { name: `${name}-deployment`, namespace: 'shop', uid: `uid-${index}`, generation: 1 },
    spec: {
      resource: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name, uid: `uid-${index}` },
      replicas: 50,
      replicaRequirements: { resourceRequest: { cpu: '100m' } },
      placement: {
        clusterAffinity: { labelSelector: { matchLabels: { tier: 'gold' } } },
        replicaScheduling: {
          replicaSchedulingType: 'Divided',
          replicaDivisionPreference: 'Weighted',
          weightPreference: { dynamicWeight: 'AvailableReplicas' },
        },
      },
    },
  });
}

async function measure(what: string, run: (index: number) => unknown): Promise<void> {
  const before = process.cpuUsage();
  for (let index = 0; index < count; index++) await run(index);
  const { user, system } = process.cpuUsage(before);
  console.log(`${what.padEnd(36)} ${((user + system) / count).toFixed(1).padStart(8)} µs`);
}

const fleet = fleetSnapshot(Array.from({ length: Number(values.clusters) }, (_, index) => cluster(index)));
const inputs = Array.from({ length: count }, (_, index): ScheduleInput => ({
  binding: binding(index),
  fleet,
  gates: defaultFeatureGates,
  mode: 'Steady',
}));
await using plane = await startControlPlane();
plane.run({ name: 'bench', run: (context) => bench(DecisionLog.of(context)) });

async function bench(log: DecisionLog): Promise<void> {
  const results = inputs.map(schedule);
  console.log(`${count} bindings, ${values.clusters} clusters, each:`);
  await measure('the decision', (index) => schedule(inputs[index]!));
  await measure('its trace', (index) => traceEssence(traceOf(inputs[index]!, results[index]!)));
  await measure('keeping it, first', (index) =>
    log.scheduled(binding(index), inputs[index]!, results[index]!, 'x'),
  );
  await measure('a look that finds the same', (index) =>
    log.scheduled(binding(index), inputs[index]!, results[index]!, 'x'),
  );
  const bytes = JSON.stringify(traceOf(inputs[0]!, results[0]!)).length;
  console.log(`${bytes} bytes of JSON in each trace`);
}
