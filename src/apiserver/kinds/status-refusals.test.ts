// What kube-apiserver says of statuses that cannot be, word for word.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Status } from '../../machinery/index.ts';
import { serve, type Served } from '../testing/served.ts';

let served: Served;
before(async () => {
  served = await serve();
});

const APPS = '/apis/apps/v1/namespaces/default';
const merge = { headers: { 'content-type': 'application/merge-patch+json' } };
const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'a', image: 'a' }] } };
const spec = { selector: { matchLabels: { a: 'b' } }, template };

for (const kind of ['deployments', 'statefulsets', 'daemonsets']) {
  test(`${kind} count collisions upwards`, async () => {
    const path = `${APPS}/${kind}`;
    const given = kind === 'statefulsets' ? { ...spec, serviceName: 's' } : spec;
    await served.must('POST', path, { metadata: { name: 'a' }, spec: given });
    const count = async (collisionCount: number): Promise<string> => {
      const patch = { status: { collisionCount } };
      const { body } = await served.send('PATCH', `${path}/a/status`, patch, merge);
      const { message = '' } = body as Status;
      return message.slice(message.indexOf('status.'));
    };
    const negative = 'status.collisionCount: Invalid value: -1: must be greater than or equal to 0';
    const fewer = 'status.collisionCount: Invalid value: -1: cannot be decremented';
    assert.equal(await count(-1), `${negative}, ${fewer}]`);
    assert.equal(await count(2), '');
    assert.equal(await count(1), 'status.collisionCount: Invalid value: 1: cannot be decremented');
  });
}

test('a claim has no negative room', async () => {
  const path = '/api/v1/namespaces/default/persistentvolumeclaims';
  const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
  await served.must('POST', path, { metadata: { name: 'c' }, spec: claim });
  const patch = { status: { capacity: { storage: '-1' } } };
  const { body } = await served.send('PATCH', `${path}/c/status`, patch, merge);
  assert.equal(
    (body as Status).message,
    'PersistentVolumeClaim "c" is invalid: status.capacity[storage]: Invalid value: -1: must be a valid resource quantity',
  );
});
