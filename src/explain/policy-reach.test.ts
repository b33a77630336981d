import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, PropagationPolicy } from '../api/index.ts';
import { policyText, whyPolicy } from './policy-reach.ts';
import { cluster, deployment, interpreter, policy, settled, world } from './testing/world.ts';
import { WorldView, type World } from './world.ts';

const served = [
  {
    group: 'apps',
    version: 'v1',
    kind: 'Deployment',
    namespaced: true,
    preferred: true,
    verbs: ['delete', 'list', 'watch'],
  },
];
const select = (...names: readonly string[]): PropagationPolicy['spec']['resourceSelectors'] =>
  names.map((name) => ({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name }));

function text(now: World, of: PropagationPolicy): string {
  const view = new WorldView(world({ ...now, served }), interpreter);
  const found = view.policy('PropagationPolicy', 'shop', of.metadata.name ?? '');
  return policyText(whyPolicy(view, found ?? of), { wide: false });
}

const templates: readonly KubeObject[] = [deployment(3, 'web'), deployment(2, 'api')];
const clusters = [cluster('one'), cluster('two')];

test('why of a policy: what it holds, and what others hold of what it selects', async () => {
  const web = policy('web', { priority: 5, resourceSelectors: select('web') });
  const all = policy('all');
  const now = await settled({ clusters, templates, policies: [web, all] });
  assert.equal(
    text(now, all),
    `PropagationPolicy shop/all holds 1 object and selects 1 more that it does not hold.

SELECTORS
  apps/v1 Deployment shop/*  2 objects

HOLDS
  Deployment shop/api  in one (2) and two (2)

DOES NOT HOLD
  Deployment shop/web  PropagationPolicy shop/web goes before: its priority is lower
`,
  );
});

test('why of a policy: one that selects nothing says what is wrong with each selector', async () => {
  const idle = policy('idle', {
    resourceSelectors: [
      { apiVersion: 'apps/v1', kind: 'Deploymnt', namespace: 'shop', name: 'web' },
      ...select('wbe'),
    ],
  });
  const now = await settled({ clusters, templates, policies: [idle] });
  assert.equal(
    text(now, idle),
    `PropagationPolicy shop/idle selects nothing.

SELECTORS
  apps/v1 Deploymnt shop/web   the control plane serves no apps/v1 Deploymnt; close is apps/v1 Deployment
  apps/v1 Deployment shop/wbe  no object now; one that comes will be found
`,
  );
});

const notHeld: readonly [sentence: string, parts: Partial<PropagationPolicy['spec']>, template: KubeObject, says: RegExp][] = [
  ['it came later, and a claim is kept', { priority: 9 }, deployment(3), /PropagationPolicy shop\/first had it first/],
  ['override policies are missing', { dependentOverrides: ['ov'] }, deployment(3), /waits for the override policies ov/],
]; // prettier-ignore
for (const [sentence, parts, template, says] of notHeld) {
  test(`why of a policy: ${sentence}`, async () => {
    const first = policy('first', { resourceSelectors: select('web') });
    const late = policy('late', { ...parts, resourceSelectors: select('web') });
    const before = await settled({
      clusters,
      templates: [template],
      policies: parts.dependentOverrides === undefined ? [first] : [],
    });
    const now = { ...before, policies: [...before.policies, late] };
    assert.match(text(now, late), says);
  });
}

test('why of a policy: one that lost sight of what it holds', async () => {
  const web = policy('web', { resourceSelectors: select('web') });
  const now = await settled({ clusters, templates: [deployment(3)], policies: [web] });
  const edited = { ...web, spec: { ...web.spec, resourceSelectors: select('other') } };
  assert.match(text({ ...now, policies: [edited] }, edited), /no longer selected, so edits do not reach/);
});
