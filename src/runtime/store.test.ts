import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/index.ts';
import { IndexedStore } from './store.ts';

function pod(namespace: string, name: string, node: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name }, spec: { nodeName: node } };
}

const byNode = (object: KubeObject): string[] => [(object['spec'] as { nodeName: string }).nodeName];

test('objects are found by key, by namespace and by index, and leave the index when they change or go', () => {
  const store = new IndexedStore();
  store.set('a/x', pod('a', 'x', 'n1'));
  store.addIndex('node', byNode);
  store.set('b/y', pod('b', 'y', 'n1'));
  assert.equal(store.get({ namespace: 'a', name: 'x' }), store.get('a/x'));
  assert.deepEqual(store.list('b'), [store.get('b/y')]);
  assert.equal(store.byIndex('node', 'n1').length, 2);
  store.set('a/x', pod('a', 'x', 'n2'));
  assert.deepEqual(store.byIndex('node', 'n1'), [store.get('b/y')]);
  store.delete('b/y');
  assert.deepEqual(store.byIndex('node', 'n1'), []);
  assert.deepEqual(store.indexKeys('node'), ['n2']);
  assert.deepEqual(store.list('b'), []);
  assert.equal(store.size, 1);
});

test('names and index keys like those of Object.prototype are ordinary', () => {
  const store = new IndexedStore();
  store.addIndex('node', byNode);
  store.set('__proto__/constructor', pod('__proto__', 'constructor', 'toString'));
  assert.equal(store.byIndex('node', 'toString').length, 1);
  assert.equal(store.byIndex('node', 'constructor').length, 0);
  assert.equal(store.list('__proto__').length, 1);
});

test('one name cannot stand for two index functions, and an unknown index is a bug', () => {
  const store = new IndexedStore();
  store.addIndex('node', byNode);
  store.addIndex('node', byNode);
  assert.throws(() => store.addIndex('node', () => []), /another function/);
  assert.throws(() => store.byIndex('owner', 'x'), /no index/);
});
