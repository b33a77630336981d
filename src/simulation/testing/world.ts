// A world for tests of this room: two members, and as many of the hub's controllers as a test wants.
import assert from 'node:assert/strict';
import type { JsonObject } from '../../api/index.ts';
import type { CreateChecker } from '../checkers/checker.ts';
import type { Endpoint } from '../link.ts';
import { Performer } from '../perform.ts';
import type { Step } from '../step.ts';
import { Watch } from '../watch.ts';
import { World, type WorldOptions } from '../world.ts';

export interface HubRequest {
  readonly method: 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
}

export interface TestWorld {
  readonly world: World;
  readonly watch: Watch;
  /** Carries out steps in their order, and lets time pass until what users asked for is answered. */
  readonly perform: (...steps: readonly Omit<Step, 'at'>[]) => Promise<void>;
  /** Sends to a member what the hub could send. */
  readonly sendAsHub: (member: string, request: HubRequest) => Promise<void>;
  /** What the checkers have found so far. */
  readonly found: () => readonly string[];
}

export const NO_CONTROLLERS = { controllers: ['cluster', 'clusterStatus'] };

export async function startTestWorld(
  checkers: readonly CreateChecker[] = [],
  options: Partial<WorldOptions> = {},
): Promise<TestWorld> {
  let watch: Watch | undefined;
  const world = await World.build({
    seed: 'test',
    fleet: ['member1', 'member2'].map((name) => ({ name, nodes: [{ count: 1 }] })),
    prepare: (prepared) => {
      watch = new Watch(prepared, checkers);
    },
    ...options,
  });
  assert.ok(watch !== undefined);
  const { violations } = watch;
  const performer = new Performer(world, { forgiving: false });
  const endpoint: Endpoint = { clock: world.clock, dead: new AbortController().signal };
  return {
    world,
    watch,
    async perform(...steps) {
      for (const step of steps) performer.perform({ at: '0s', ...step });
      await world.until(() => performer.isIdle, 60_000);
      assert.deepEqual(performer.takeErrors(), []);
    },
    async sendAsHub(member, request) {
      const transport = world.member(member).link.transportFor(endpoint);
      const { status, body } = await world.settle('the request', transport.send(request));
      assert.ok(status < 300, `${status} ${JSON.stringify(body)}`);
    },
    found: () => violations.map(({ what }) => what),
  };
}

export const shop: JsonObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };

export function deployment(name: string, replicas: number): JsonObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'shop' },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'main', image: 'registry.example/main:1' }] },
      },
    },
  };
}

export function policy(name: string, placement: JsonObject): JsonObject {
  return {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: 'PropagationPolicy',
    metadata: { name, namespace: 'shop' },
    spec: { resourceSelectors: [{ apiVersion: 'apps/v1', kind: 'Deployment', name }], placement },
  };
}
