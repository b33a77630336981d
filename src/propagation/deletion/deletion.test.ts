import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  DELETION_RULES_ANNOTATION,
  REMOVAL_CAUSE_ANNOTATION,
  type ClusterDeletionPolicy,
  type DeletionPolicy,
  type KubeObject,
  type Work,
} from '../../api/index.ts';
import { decideUpdate, releasedManifest } from '../member-object.ts';
import { restoredOriginal } from '../migration/original.ts';
import { withManagedKeys } from '../managed-keys.ts';
import { arrived, originMarks, orphaned } from './origin.ts';
import { causeOfBindingEnd, decideRemoval } from './removal.ts';
import {
  carriedRules,
  chooseDeletionPolicy,
  deletionRules,
  kindClass,
  namespaceRules,
  preservesInside,
  rulesText,
  type DeletionRules,
  type Removal,
  type RemovalCause,
} from './rules.ts';

function object(apiVersion: string, kind: string, metadata: object = {}): KubeObject {
  return { apiVersion, kind, metadata: { name: 'web', namespace: 'shop', ...metadata } };
}
const deployment = object('apps/v1', 'Deployment', { labels: { app: 'web' } });

function policy(name: string, spec: DeletionPolicy['spec'], metadata: object = {}): DeletionPolicy {
  return {
    apiVersion: 'navarch.io/v1alpha1',
    kind: 'DeletionPolicy',
    metadata: { name, namespace: 'shop', ...metadata },
    spec,
  };
}
function clusterPolicy(name: string, spec: ClusterDeletionPolicy['spec']): ClusterDeletionPolicy {
  return { apiVersion: 'navarch.io/v1alpha1', kind: 'ClusterDeletionPolicy', metadata: { name }, spec };
}
const kind = { apiVersion: 'apps/v1', kind: 'Deployment' };

describe('the deletion policy of a template', () => {
  const byName = policy('z', { resourceSelectors: [{ ...kind, name: 'web' }] });
  const byLabel = policy('y', {
    resourceSelectors: [{ ...kind, labelSelector: { matchLabels: { app: 'web' } } }],
  });
  const byKind = policy('x', { resourceSelectors: [kind] });
  const all = policy('a', {});
  const going = policy(
    '0',
    { resourceSelectors: [{ ...kind, name: 'web' }] },
    { deletionTimestamp: '2026-01-01T00:00:00Z' },
  );
  const elsewhere = policy('1', { resourceSelectors: [{ ...kind, name: 'web' }] }, { namespace: 'other' });
  const ofFleet = clusterPolicy('c', { resourceSelectors: [{ ...kind, name: 'web' }] });
  const cases: readonly [string, readonly DeletionPolicy[], readonly ClusterDeletionPolicy[], string | undefined][] = [
    ['is none where there is none', [], [], undefined],
    ['is the one that names it', [all, byKind, byLabel, byName], [], 'z'],
    ['else the one that means its labels', [all, byKind, byLabel], [], 'y'],
    ['else the one that means its kind', [all, byKind], [], 'x'],
    ['else the one without selectors', [all], [], 'a'],
    ['is of its namespace before it is of the fleet', [all], [ofFleet], 'a'],
    ['may be of the fleet', [], [ofFleet], 'c'],
    ['is none of another namespace', [elsewhere], [], undefined],
    ['is none that is being deleted', [going], [], undefined],
    ['is none that means another kind', [policy('k', { resourceSelectors: [{ apiVersion: 'v1', kind: 'Secret' }] })], [], undefined],
    ['is the first by name among equals', [policy('q', {}), policy('p', {})], [], 'p'],
  ]; // prettier-ignore
  for (const [name, namespaced, cluster, expected] of cases)
    test(name, () =>
      assert.equal(chooseDeletionPolicy(deployment, namespaced, cluster)?.metadata.name, expected),
    );
});

describe('the class of a kind', () => {
  const cases: readonly [string, KubeObject, object, string][] = [
    ['a workload is core', deployment, { placement: {} }, 'Core'],
    ['a custom resource is core', object('shop.example/v1', 'Widget'), { placement: {} }, 'Core'],
    ['a Job is temporary', object('batch/v1', 'Job'), { placement: {} }, 'Temporary'],
    ['a Pod is temporary', object('v1', 'Pod'), { placement: {} }, 'Temporary'],
    ["somebody else's Job is core", object('batch.volcano.sh/v1alpha1', 'Job'), { placement: {} }, 'Core'],
    ['what is there for others only is dependent', object('v1', 'ConfigMap'), { requiredBy: [{ name: 'b' }] }, 'Dependent'],
    ['what also has a policy of its own is not', object('v1', 'ConfigMap'), { placement: {}, requiredBy: [{ name: 'b' }] }, 'Core'],
  ]; // prettier-ignore
  for (const [name, template, spec, expected] of cases)
    test(name, () => assert.equal(kindClass(template, spec as never), expected));
});

function rules(
  said: DeletionPolicy['spec'] | undefined,
  template = deployment,
  spec: object = { placement: {} },
  dependents: readonly (DeletionRules | undefined)[] = [],
): DeletionRules | undefined {
  const chosen = said === undefined ? undefined : policy('p', said);
  return deletionRules({ template, spec, policy: chosen, dependents });
}

describe('what holds for copies', () => {
  const ways = (one: DeletionRules | undefined): string =>
    one === undefined ? 'nothing' : Object.values(one.removal).join(' ');
  const needed = { requiredBy: [{ namespace: 'shop', name: 'web-deployment' }] };
  const config = object('v1', 'ConfigMap');
  const stays = rules({ onTemplateDeletion: 'Preserve', onMove: 'DeleteImmediately' });
  const cases: readonly [string, DeletionRules | undefined, string][] = [
    ['is nothing without a policy', rules(undefined), 'nothing'],
    ['is deletion for a core kind of which nothing is said', rules({}), 'Delete Delete Delete Delete Delete Delete'],
    ['is deletion at once for a temporary one', rules({}, object('batch/v1', 'Job')), 'DeleteImmediately DeleteImmediately DeleteImmediately DeleteImmediately DeleteImmediately DeleteImmediately'],
    ['is what the propagation policy says, where the deletion policy says nothing', rules({ onMove: 'Delete' }, deployment, { placement: {}, preserveResourcesOnDeletion: true }), 'Preserve Preserve Preserve Preserve Delete Preserve'],
    ['is by cause', rules({ onTemplateDeletion: 'Preserve', onUnjoin: 'Preserve', onWorkDeletion: 'DeleteImmediately' }), 'Preserve Delete Delete DeleteImmediately Delete Preserve'],
    ['is that of its owners for a dependent one', rules(undefined, config, needed, [stays]), 'Preserve Delete Delete Delete DeleteImmediately Delete'],
    ['takes its time while one owner does', rules(undefined, config, needed, [stays, undefined]), 'Preserve Delete Delete Delete Delete Delete'],
    ['is nothing for a dependent one whose owners say nothing', rules(undefined, config, needed, [undefined]), 'nothing'],
    ['is what its own policy says for a dependent one', rules({ onTemplateDeletion: 'Delete' }, config, needed, [stays]), 'Delete Delete Delete Delete DeleteImmediately Delete'],
  ]; // prettier-ignore
  for (const [name, found, expected] of cases) test(name, () => assert.equal(ways(found), expected));

  test('goes on without its propagation policy unless it is said otherwise', () => {
    assert.equal(rules({})?.keepWithoutPolicy, true);
    assert.equal(rules({ onPolicyDeletion: 'Keep' })?.keepWithoutPolicy, true);
    assert.equal(rules({ onPolicyDeletion: 'Preserve' })?.keepWithoutPolicy, false);
  });
  test('is marked, but not when it is temporary or when that is not wanted', () => {
    assert.equal(rules({})?.marks, true);
    assert.equal(rules({ originMarks: false })?.marks, false);
    assert.equal(rules({}, object('v1', 'Pod'))?.marks, false);
  });
  test('is the same after a Work has carried it', () => {
    const sent = rules(undefined, config, needed, [stays]);
    assert(sent !== undefined);
    const annotations = { [DELETION_RULES_ANNOTATION]: rulesText(sent) };
    assert.deepEqual(carriedRules({ metadata: { annotations } }), sent);
    assert.deepEqual(sent.dependents, ['shop/web-deployment']);
  });
  test('that nobody can read is nothing', () =>
    assert.equal(
      carriedRules({ metadata: { annotations: { [DELETION_RULES_ANNOTATION]: '{' } } }),
      undefined,
    ));
});

describe('a namespace', () => {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
  test('of which nothing is said is as upstream has it', () => {
    assert.equal(namespaceRules(namespace, [], [], false), undefined);
    assert.equal(namespaceRules(namespace, [policy('p', { onMove: 'Preserve' })], [], false), undefined);
  });
  test('stays with what is to stay in it', () => {
    const found = namespaceRules(namespace, [policy('p', { onTemplateDeletion: 'Preserve' })], [], false);
    assert.deepEqual([found?.removal.Template, found?.removal.Work, found?.removal.Unjoin], ['Preserve', 'Preserve', 'Delete']); // prettier-ignore
  });
  test('stays for a policy of the fleet that means something in it', () => {
    const spec = { resourceSelectors: [{ ...kind, namespace: 'shop' }], onUnjoin: 'Preserve' as const };
    assert.equal(
      namespaceRules(namespace, [], [clusterPolicy('c', spec)], false)?.removal.Unjoin,
      'Preserve',
    );
    const other = { ...spec, resourceSelectors: [{ ...kind, namespace: 'other' }] };
    assert.equal(namespaceRules(namespace, [], [clusterPolicy('c', other)], false), undefined);
  });
  test('stays with what a propagation policy preserves in it', () => {
    assert.equal(namespaceRules(namespace, [], [], true), undefined, 'that decides alone');
    const kept = namespaceRules(namespace, [policy('p', { onUnjoin: 'Preserve' })], [], true);
    assert.deepEqual([kept?.removal.Template, kept?.removal.Work, kept?.removal.Unjoin], ['Preserve', 'Preserve', 'Preserve']); // prettier-ignore
    const preserving = { metadata: {}, spec: { preserveResourcesOnDeletion: true } };
    const going = { ...preserving, metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } };
    assert.equal(preservesInside([{ metadata: {}, spec: {} }, preserving]), true);
    assert.equal(preservesInside([{ metadata: {}, spec: {} }, going]), false);
  });
});

describe('the end of a Work', () => {
  const work = (more: { cause?: string; rules?: string; preserve?: boolean; bound?: boolean }): Work => ({
    apiVersion: 'work.karmada.io/v1alpha1',
    kind: 'Work',
    metadata: {
      name: 'w',
      labels: more.bound === false ? {} : { 'resourcebinding.karmada.io/permanent-id': 'b' },
      annotations: {
        ...(more.rules === undefined ? {} : { [DELETION_RULES_ANNOTATION]: more.rules }),
        ...(more.cause === undefined ? {} : { [REMOVAL_CAUSE_ANNOTATION]: more.cause }),
      },
    },
    spec: {
      workload: { manifests: [] },
      ...(more.preserve === true ? { preserveResourcesOnDeletion: true } : {}),
    },
  });
  const said = '{"Template":"Preserve","Work":"DeleteImmediately","Unjoin":"Preserve","marks":true}';
  const all =
    '{"Template":"Preserve","Policy":"Preserve","Binding":"Preserve","Work":"Preserve","Move":"Preserve","Unjoin":"Preserve"}';
  const at = '{"Template":"DeleteImmediately","Move":"DeleteImmediately"}';
  const locked = object('apps/v1', 'Deployment', {
    labels: { 'resourcetemplate.karmada.io/deletion-protected': 'Always' },
  });
  const once = object('apps/v1', 'Deployment', { annotations: { 'navarch.io/at-most-once': 'true' } });
  const cases: readonly [string, Work, KubeObject, boolean, Removal | 'Leave', RemovalCause][] = [
    ['deletes, as upstream', work({}), deployment, false, 'Delete', 'Work'],
    ['preserves where the policy says so, as upstream', work({ preserve: true }), deployment, false, 'Preserve', 'Work'],
    ['is as is said for a template that went', work({ cause: 'Template', rules: said }), deployment, false, 'Preserve', 'Template'],
    ['is as is said for a move', work({ cause: 'Move', rules: said }), deployment, false, 'Delete', 'Move'],
    ['is as is said for a Work that somebody deleted', work({ rules: said }), deployment, false, 'DeleteImmediately', 'Work'],
    ['is as is said for a cluster that leaves', work({ rules: said }), deployment, true, 'Preserve', 'Unjoin'],
    ['counts a move off a cluster that leaves as that', work({ cause: 'Move', rules: said }), deployment, true, 'Preserve', 'Unjoin'],
    ['counts the end of the template before that of the cluster', work({ cause: 'Template', rules: at }), deployment, true, 'DeleteImmediately', 'Template'],
    ['overrules what the propagation policy says', work({ cause: 'Move', rules: said, preserve: true }), deployment, false, 'Delete', 'Move'],
    ['never leaves running what runs at most once when it moves', work({ cause: 'Move', rules: all }), once, false, 'Delete', 'Move'],
    ['nor when its cluster leaves', work({ rules: all }), once, true, 'Delete', 'Unjoin'],
    ['nor as upstream would', work({ cause: 'Move', preserve: true }), once, false, 'Delete', 'Move'],
    ['preserves it when nothing starts elsewhere', work({ cause: 'Template', rules: all }), once, false, 'Preserve', 'Template'],
    ['gives it its grace', work({ cause: 'Template', rules: at }), once, false, 'Delete', 'Template'],
    ['leaves what is protected when its binding goes', work({ cause: 'Binding' }), locked, false, 'Leave', 'Binding'],
    ['leaves what is protected when its Work goes', work({}), locked, false, 'Leave', 'Work'],
    ['preserves what is protected when nobody would write its Work again', work({ bound: false }), locked, false, 'Preserve', 'Work'],
    ['preserves what is protected in a cluster that leaves', work({}), locked, true, 'Preserve', 'Unjoin'],
    ['moves what is protected', work({ cause: 'Move' }), locked, false, 'Delete', 'Move'],
    ['lets what was protected go with its template', work({ cause: 'Template' }), locked, false, 'Delete', 'Template'],
  ]; // prettier-ignore
  for (const [name, one, manifest, leaving, how, cause] of cases)
    test(name, () => {
      const decided = decideRemoval(one, manifest, leaving);
      assert.deepEqual([decided.how, decided.cause], [how, cause]);
    });

  const ends: readonly [string, KubeObject | undefined, string | undefined, RemovalCause][] = [
    ['of a binding whose template is gone is that of the template', undefined, undefined, 'Template'],
    ['of one whose template goes', object('v1', 'ConfigMap', { uid: 'u', deletionTimestamp: 'x' }), undefined, 'Template'],
    ['of one whose template is another by now', object('v1', 'ConfigMap', { uid: 'v' }), undefined, 'Template'],
    ['of one that somebody deleted is its own', object('v1', 'ConfigMap', { uid: 'u' }), undefined, 'Binding'],
    ['of one that its policy took along', object('v1', 'ConfigMap', { uid: 'u' }), 'Policy', 'Policy'],
    ['of one whose template went after its policy', undefined, 'Policy', 'Template'],
  ]; // prettier-ignore
  for (const [name, template, recorded, cause] of ends)
    test(`the end ${name}`, () => assert.equal(causeOfBindingEnd(template, 'u', recorded), cause));
});

describe('where an object is from', () => {
  const now = '2026-01-02T03:04:05Z';
  const claims = {
    labels: { 'propagationpolicy.karmada.io/permanent-id': 'id' },
    annotations: {
      'propagationpolicy.karmada.io/namespace': 'shop',
      'propagationpolicy.karmada.io/name': 'all',
    },
  };
  const template = object('apps/v1', 'Deployment', claims);
  const wanted = (hub = 'h1', conflict = 'abort'): KubeObject => {
    const marks = originMarks(template, hub);
    return withManagedKeys(
      object('apps/v1', 'Deployment', {
        labels: { ...marks.labels, ...claims.labels, 'karmada.io/managed': 'true' },
        annotations: {
          ...marks.annotations,
          ...claims.annotations,
          'work.karmada.io/conflict-resolution': conflict,
        },
      }),
      'w',
    );
  };
  const none = (): Promise<undefined> => Promise.resolve(undefined);
  const written = async (desired: KubeObject, observed: KubeObject): Promise<KubeObject> => {
    const decision = await decideUpdate(arrived(desired, observed, now), observed, none, 'm1');
    assert.equal(decision.action, 'update');
    return (decision as { readonly object: KubeObject }).object;
  };
  const marksOf = ({ metadata }: KubeObject): Record<string, string> =>
    Object.fromEntries(
      Object.entries({ ...metadata.labels, ...metadata.annotations })
        .filter(([key]) => key.startsWith('navarch.io/'))
        .map(([key, value]) => [key.slice('navarch.io/'.length), value]),
    );
  const origin = {
    'origin-hub': 'h1',
    'origin-template': 'apps/v1/Deployment/shop/web',
    'origin-policy': 'PropagationPolicy/shop/all',
    'origin-time': now,
  };
  const foreign = { ...object('apps/v1', 'Deployment', { labels: { mine: '1' }, managedFields: [{ manager: 'helm', operation: 'Update' }] }) }; // prettier-ignore

  test('is said when it is made', () => assert.deepEqual(marksOf(arrived(wanted(), undefined, now)), origin));
  test('and whose it was, when it is taken over', async () =>
    assert.deepEqual(marksOf(await written(wanted('h1', 'overwrite'), foreign)), {
      ...origin,
      'previous-owner': 'manager/helm',
    }));
  test('is not said again', async () => {
    const there = await written(wanted('h1', 'overwrite'), foreign);
    const again = await decideUpdate(arrived(wanted('h1', 'overwrite'), there, 'later'), there, none, 'm1');
    assert.equal(again.action, 'none');
  });
  test('is not said without a policy that wants it', () => {
    const plain = object('v1', 'ConfigMap');
    assert.equal(arrived(plain, undefined, now), plain);
  });
  test('goes when it is no longer wanted', async () => {
    const there = arrived(wanted(), undefined, now);
    const { labels, annotations } = wanted().metadata;
    const without = (keys: Readonly<Record<string, string>> | undefined): Record<string, string> =>
      Object.fromEntries(Object.entries(keys ?? {}).filter(([key]) => !key.startsWith('navarch.io/')));
    const plain = withManagedKeys(object('apps/v1', 'Deployment', { labels: without(labels), annotations: without(annotations) }), 'w'); // prettier-ignore
    assert.deepEqual(marksOf(await written(plain, there)), {});
  });

  const left = async (): Promise<KubeObject> => {
    const there = arrived(wanted(), undefined, now);
    return written(orphaned(releasedManifest(wanted(), true), 'Template', now), there);
  };
  test('stays with an object that is left, and nothing else of ours does', async () => {
    const object = await left();
    assert.deepEqual(marksOf(object), { ...origin, orphaned: 'Template', 'orphaned-at': now });
    const keys = [
      ...Object.keys(object.metadata.labels ?? {}),
      ...Object.keys(object.metadata.annotations ?? {}),
    ];
    assert.deepEqual(keys.filter((key) => key.includes('karmada.io')), []); // prettier-ignore
  });
  test('makes an object that was left known again, without asking for more', async () =>
    assert.deepEqual(marksOf(await written(wanted(), await left())), origin));
  test('does not make it known to another hub', async () => {
    const decision = await decideUpdate(wanted('h2'), await left(), none, 'm1');
    assert.equal(decision.action, 'refuse');
  });
  test('is the former owner, when another hub takes it over', async () =>
    assert.equal(
      marksOf(await written(wanted('h2', 'overwrite'), await left()))['previous-owner'],
      'hub/h1',
    ));
  test('is no reason to take over what was not left', async () => {
    const object = await left();
    const { 'navarch.io/orphaned': _left, ...labels } = object.metadata.labels ?? {};
    const held = { ...object, metadata: { ...object.metadata, labels } };
    assert.equal((await decideUpdate(wanted(), held, none, 'm1')).action, 'refuse');
  });
  test('is taken back with everything else when a promotion is', async () => {
    const taken = await written(wanted('h1', 'overwrite'), foreign);
    assert.deepEqual(restoredOriginal(foreign, taken)?.metadata.labels, { mine: '1' });
    assert.equal(restoredOriginal(foreign, taken)?.metadata.annotations, undefined);
  });
});
