import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ClusterFleetPackage, FleetPackage } from '../api/index.ts';
import { validateFleetPackage, verbsForFleetPackage } from './fleet-package.ts';

const template = { packageInfo: { name: 'web', version: 'v1' } };
const bad = { matchExpressions: [{ key: 'a', operator: 'Near' }] };
type Kind = 'FleetPackage' | 'ClusterFleetPackage';

describe('a FleetPackage that could not be rolled out is refused', () => {
  const cases: readonly [what: string, kind: Kind, name: string, spec: Partial<FleetPackage['spec']>, paths: readonly string[]][] = [
    ['a plain one', 'FleetPackage', 'mine', {}, []],
    ['one for the whole cluster under its package’s name', 'ClusterFleetPackage', 'web', {}, []],
    ['one for the whole cluster under another name', 'ClusterFleetPackage', 'mine', {}, ['metadata.name']],
    ['waves by labels', 'FleetPackage', 'mine', { rollout: { steps: [{ clusters: { labelSelector: { matchLabels: { a: 'b' } } } }] } }, []],
    ['a wave by labels that are none', 'FleetPackage', 'mine', { rollout: { steps: [{}, { clusters: { labelSelector: bad } }] } }, ['spec.rollout.steps[1].clusters.labelSelector.matchExpressions[0].operator']],
    ['a placement that selects nothing that can be', 'FleetPackage', 'mine', { placement: { clusterAffinity: { labelSelector: bad } } }, ['spec.placement.clusterAffinity.labelSelector.matchExpressions[0].operator']],
    ['an override for such', 'FleetPackage', 'mine', { overrides: [{ clusterAffinity: { labelSelector: bad } }] }, ['spec.overrides[0].clusterAffinity.labelSelector.matchExpressions[0].operator']],
  ]; // prettier-ignore
  for (const [what, kind, name, spec, paths] of cases)
    test(what, () => {
      const one = {
        apiVersion: 'navarch.io/v1alpha1',
        kind,
        metadata: { name },
        spec: { template, ...spec },
      } as FleetPackage | ClusterFleetPackage;
      assert.deepEqual(
        validateFleetPackage(one).map(({ path }) => path),
        paths,
      );
    });
});

describe('who suspends packages by it must be allowed to', () => {
  const one = (spec: Partial<FleetPackage['spec']> = {}): FleetPackage => ({
    apiVersion: 'navarch.io/v1alpha1',
    kind: 'FleetPackage',
    metadata: { name: 'web' },
    spec: { template, ...spec },
  });
  const suspended = { template: { ...template, suspend: true } };
  const override = { overrides: [{ clusterAffinity: { clusterNames: ['a'] }, suspend: true }] };
  const cases: readonly [what: string, next: FleetPackage, old: FleetPackage | undefined, verbs: readonly string[]][] = [
    ['a plain one', one(), undefined, []],
    ['one that comes suspended', one(suspended), undefined, ['suspend']],
    ['suspending all of them', one(suspended), one(), ['suspend']],
    ['resuming all of them', one(), one(suspended), ['resume']],
    ['suspending them in some clusters', one(override), one(), ['suspend']],
    ['resuming them there', one(), one(override), ['resume']],
    ['holding the roll-out', one({ suspend: true }), one(), ['suspend']],
    ['letting it go on', one(), one({ suspend: true }), ['resume']],
    ['holding it for less long', one({ suspend: true, suspension: { until: '2030-01-01T00:00:00Z' } }), one({ suspend: true }), ['resume']],
    ['another version', one({ template: { packageInfo: { name: 'web', version: 'v2' } } }), one(), []],
  ]; // prettier-ignore
  for (const [what, next, old, verbs] of cases)
    test(what, () => assert.deepEqual(verbsForFleetPackage(next, old), verbs));
});
