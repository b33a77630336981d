import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodStatus } from '../../api/index.ts';
import type { Pod } from '../kinds.ts';
import { podCondition } from '../pods.ts';
import { NOW, ownedBy, pod } from '../testing/objects.ts';
import { behaviourOf, defaultKubeletSettings, type Behaviour, type PodFault } from './behaviour.ts';
import { canonicalImage } from './container-status.ts';
import { decidePod, stoppedStatus, type PodInput, type PodStep } from './lifecycle.ts';
import { stageName, stageOf } from './pod-stage.ts';

const plain: Behaviour = {
  startDelayMs: 300,
  readyDelayMs: 200,
  initRunMs: 100,
  runForMs: undefined,
  exitCode: 0,
  failImage: false,
  neverReady: false,
  stopDelayMs: 100,
};
const addresses = { hostIP: '172.18.0.1', podIP: '10.64.0.2' };
const assigned = (spec: Parameters<typeof pod>[1] = {}): Pod =>
  pod('web-1', { ...spec, spec: { nodeName: 'n1', ...spec.spec } });

/** Plays the kubelet: applies each step, and lets time pass to when it wants to be woken. */
class Life {
  pod: Pod;
  nowMs = NOW;
  sinceMs = NOW;
  behaviour: Behaviour;
  readonly shown: string[] = [];
  wakeAtMs: number | undefined;

  constructor(start: Pod, behaviour: Partial<Behaviour> = {}) {
    this.pod = start;
    this.behaviour = { ...plain, ...behaviour };
  }

  input(more: Partial<PodInput> = {}): PodInput {
    const { pod: one, behaviour, sinceMs, nowMs } = this;
    return { pod: one, behaviour, settings: defaultKubeletSettings, sinceMs, addresses, nowMs, ...more };
  }

  step(more: Partial<PodInput> = {}): PodStep {
    const before = stageName(stageOf(this.pod));
    const step = decidePod(this.input(more));
    if (step.status !== undefined) {
      this.pod = { ...this.pod, status: step.status };
      if (stageName(stageOf(this.pod)) !== before) this.sinceMs = this.nowMs;
      this.shown.push(shownAs(step.status));
    }
    this.wakeAtMs = step.wakeAtMs;
    return step;
  }

  /** Goes on until nothing is due any more, or for that many steps. */
  live(steps = 10): string[] {
    for (let i = 0; i < steps; i++) {
      this.step();
      if (this.wakeAtMs === undefined) break;
      this.nowMs = this.wakeAtMs;
    }
    return this.shown;
  }
}

function shownAs(status: PodStatus): string {
  const first = status.containerStatuses?.[0];
  const state = first?.state?.waiting?.reason ?? Object.keys(first?.state ?? {})[0];
  const ready = status.conditions?.find(({ type }) => type === 'Ready')?.status;
  return `${status.phase} ${state} ready=${ready} restarts=${first?.restartCount}`;
}

test('from assigned to ready, with the times in between', () => {
  const life = new Life(assigned());
  assert.deepEqual(life.live(), [
    'Pending ContainerCreating ready=False restarts=0',
    'Running running ready=False restarts=0',
    'Running running ready=True restarts=0',
  ]);
  assert.equal(life.nowMs, NOW + 500);
  const status = life.pod.status!;
  assert.equal(status.podIP, '10.64.0.2');
  assert.equal(status.hostIP, '172.18.0.1');
  assert.match(status.containerStatuses?.[0]?.containerID ?? '', /^containerd:\/\/[0-9a-f]{64}$/);
  assert.equal(podCondition(life.pod, 'ContainersReady')?.status, 'True');
  assert.equal(podCondition(life.pod, 'PodReadyToStartContainers')?.status, 'True');
});

test('without delays the pod is ready in one step, and then nothing more is written', () => {
  const life = new Life(assigned(), { startDelayMs: 0, readyDelayMs: 0 });
  assert.deepEqual(life.live(), ['Running running ready=True restarts=0']);
  assert.equal(life.step().status, undefined);
});

test('init containers run one after the other before the others start', () => {
  const initContainers = ['a', 'b'].map((name) => ({ name, image: 'busybox' }));
  const life = new Life(assigned({ spec: { initContainers } }));
  assert.deepEqual(life.live(), [
    'Pending PodInitializing ready=False restarts=0',
    'Pending PodInitializing ready=False restarts=0',
    'Pending PodInitializing ready=False restarts=0',
    'Running running ready=False restarts=0',
    'Running running ready=True restarts=0',
  ]);
  assert.equal(life.nowMs, NOW + 300 + 2 * 100 + 200);
  assert.equal(podCondition(life.pod, 'Initialized')?.status, 'True');
  const codes = life.pod.status?.initContainerStatuses?.map(({ state }) => state?.terminated?.exitCode);
  assert.deepEqual(codes, [0, 0]);
});

test('a sidecar goes on beside the others', () => {
  const initContainers = [{ name: 'proxy', image: 'proxy', restartPolicy: 'Always' }];
  const life = new Life(assigned({ spec: { initContainers } }));
  life.live();
  assert.ok(life.pod.status?.initContainerStatuses?.[0]?.state?.running);
  assert.equal(podCondition(life.pod, 'Ready')?.status, 'True');
});

test('how a pod ends follows from its exit code and restart policy', () => {
  const end = (restartPolicy: 'Always' | 'OnFailure' | 'Never', exitCode: number): string => {
    const life = new Life(assigned({ spec: { restartPolicy } }), {
      runForMs: 5000,
      exitCode,
      readyDelayMs: 0,
    });
    return life.live(3).at(-1) ?? '';
  };
  assert.equal(end('Never', 0), 'Succeeded terminated ready=False restarts=0');
  assert.equal(end('Never', 3), 'Failed terminated ready=False restarts=0');
  assert.equal(end('OnFailure', 0), 'Succeeded terminated ready=False restarts=0');
  assert.equal(end('OnFailure', 3), 'Running running ready=True restarts=1');
  assert.equal(end('Always', 0), 'Running running ready=True restarts=1');
});

test('the first restart is at once, later ones wait twice as long each', () => {
  const life = new Life(assigned(), { startDelayMs: 0, readyDelayMs: 0, runForMs: 1000, exitCode: 1 });
  const waits: number[] = [];
  for (let i = 0; i < 8; i++) {
    const before = life.nowMs;
    life.step();
    life.nowMs = life.wakeAtMs ?? before;
    if (stageOf(life.pod).kind === 'backing-off') waits.push(life.nowMs - before);
  }
  assert.deepEqual(life.shown.slice(0, 4), [
    'Running running ready=True restarts=0',
    'Running running ready=True restarts=1',
    'Running CrashLoopBackOff ready=False restarts=1',
    'Running running ready=True restarts=2',
  ]);
  assert.deepEqual(waits, [10_000, 20_000, 40_000]);
  assert.equal(life.pod.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 1);
});

test('an image that cannot be pulled keeps the pod waiting until it can', () => {
  const life = new Life(assigned(), { failImage: true });
  assert.deepEqual(life.live(3), [
    'Pending ContainerCreating ready=False restarts=0',
    'Pending ErrImagePull ready=False restarts=0',
    'Pending ImagePullBackOff ready=False restarts=0',
  ]);
  assert.equal(life.step().status, undefined);
  life.behaviour = { ...life.behaviour, failImage: false };
  life.step();
  assert.equal(life.shown.at(-1), 'Running running ready=False restarts=0');
});

test('killed containers end at once', () => {
  const life = new Life(assigned(), { startDelayMs: 0, readyDelayMs: 0 });
  life.step();
  life.step({ killedWith: 137 });
  assert.equal(life.shown.at(-1), 'Running running ready=True restarts=1');
  assert.equal(life.pod.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 137);
});

test('readiness gates keep a pod unready until somebody opens them', () => {
  const gated = assigned({ spec: { readinessGates: [{ conditionType: 'example.com/ok' }] } });
  const life = new Life(gated, { startDelayMs: 0, readyDelayMs: 0 });
  life.step();
  assert.equal(podCondition(life.pod, 'Ready')?.reason, 'ReadinessGatesNotReady');
  const conditions = [...(life.pod.status?.conditions ?? []), { type: 'example.com/ok', status: 'True' }];
  life.pod = { ...life.pod, status: { ...life.pod.status, conditions } };
  life.step();
  assert.equal(podCondition(life.pod, 'Ready')?.status, 'True');
  assert.equal(podCondition(life.pod, 'example.com/ok')?.status, 'True');
});

test('readiness that somebody else took away comes back', () => {
  const life = new Life(assigned(), { startDelayMs: 0, readyDelayMs: 0 });
  life.step();
  const conditions = (life.pod.status?.conditions ?? []).map((condition) =>
    condition.type === 'Ready' ? { ...condition, status: 'False' } : condition,
  );
  life.pod = { ...life.pod, status: { ...life.pod.status, conditions } };
  life.step();
  assert.equal(podCondition(life.pod, 'Ready')?.status, 'True');
});

test('a container added for debugging runs', () => {
  const life = new Life(
    { ...assigned(), metadata: { ...assigned().metadata, generation: 1 } },
    { startDelayMs: 0 },
  );
  life.live();
  const ephemeralContainers = [{ name: 'look', image: 'busybox' }];
  life.pod = {
    ...life.pod,
    metadata: { ...life.pod.metadata, generation: 2 },
    spec: { ...life.pod.spec, ephemeralContainers },
  };
  life.step();
  assert.ok(life.pod.status?.ephemeralContainerStatuses?.[0]?.state?.running);
  assert.equal(life.step().status, undefined);
});

test('a pod that is active too long fails', () => {
  const life = new Life(assigned({ spec: { activeDeadlineSeconds: 2 } }));
  life.live(4);
  assert.equal(life.shown.at(-1), 'Failed terminated ready=False restarts=0');
  assert.equal(life.pod.status?.reason, 'DeadlineExceeded');
  assert.equal(life.nowMs, NOW + 2000);
});

test('a finished pod never changes, and stopping it says nothing new', () => {
  const life = new Life(assigned({ spec: { restartPolicy: 'Never' } }), { runForMs: 1000, readyDelayMs: 0 });
  life.live();
  assert.deepEqual(life.step({ killedWith: 1 }), { notes: [] });
  assert.equal(stoppedStatus(life.input()), undefined);
});

test('a stopped pod that somebody waits for has failed', () => {
  const life = new Life(assigned(), { startDelayMs: 0 });
  life.step();
  assert.equal(stoppedStatus(life.input())?.phase, 'Failed');
});

test('how a pod behaves: settings, annotations over them, faults over both', () => {
  const settings = { ...defaultKubeletSettings, jitter: 0.5 };
  const of = (annotations: Record<string, string>, fault?: PodFault, chance = 0.5): Behaviour => {
    const prefixed = Object.fromEntries(
      Object.entries(annotations).map(([key, value]) => [`simulation.navarch.io/${key}`, value]),
    );
    return behaviourOf(pod('p', { metadata: { annotations: prefixed } }), settings, fault, chance);
  };
  assert.equal(of({}).startDelayMs, 300);
  assert.equal(of({}, undefined, 0).startDelayMs, 150);
  assert.equal(of({ 'start-delay': '2s' }, undefined, 0).startDelayMs, 2000);
  assert.equal(of({ 'start-delay': 'soon' }).startDelayMs, 300);
  assert.equal(of({ 'start-delay': '2s' }, { slowdown: 3 }).startDelayMs, 6000);
  assert.equal(of({ ready: 'false' }).neverReady, true);
  assert.equal(of({}).runForMs, undefined);
  assert.deepEqual(
    [of({ 'run-for': '1m', 'exit-code': '3' })].map((b) => [b.runForMs, b.exitCode]),
    [[60_000, 3]],
  );
  assert.equal(of({ crash: 'true' }).exitCode, 1);
  assert.equal(of({ 'exit-code': '0' }, { crashExitCode: 9 }).exitCode, 9);
  assert.equal(of({}, { failImage: true }).failImage, true);
  const worker = pod('p', { metadata: ownedBy('Job', 'sums') });
  assert.equal(behaviourOf(worker, settings, undefined, 0.5).runForMs, 1000);
});

test('images are called as the container runtime calls them', () => {
  const cases: Readonly<Record<string, string>> = {
    nginx: 'docker.io/library/nginx:latest',
    'nginx:1.25': 'docker.io/library/nginx:1.25',
    'bitnami/redis:7': 'docker.io/bitnami/redis:7',
    'reg.example/a/b': 'reg.example/a/b:latest',
    'localhost:5000/a:1': 'localhost:5000/a:1',
    'nginx@sha256:abc': 'docker.io/library/nginx@sha256:abc',
  };
  for (const [image, expected] of Object.entries(cases)) assert.equal(canonicalImage(image), expected);
});

test('what is told of a container names it', () => {
  const told = (behaviour: Partial<Behaviour>): string[] => {
    const life = new Life(assigned(), behaviour);
    const seen: string[] = [];
    for (let i = 0; i < 4; i++) {
      seen.push(...life.step().notes.map(({ reason, fieldPath }) => `${reason} ${fieldPath}`));
      life.nowMs = life.wakeAtMs ?? life.nowMs;
    }
    return seen;
  };
  const [container] = assigned().spec.containers;
  assert.ok(told({}).includes(`Started spec.containers{${container?.name}}`));
  assert.ok(told({ failImage: true }).includes(`Failed spec.containers{${container?.name}}`));
});
