// What is said of events, through either of their groups.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Status } from '../../machinery/index.ts';
import { serve, type Served } from '../testing/served.ts';

const CORE = '/api/v1/namespaces/default/events';
const NEW = '/apis/events.k8s.io/v1/namespaces/default/events';
const QUALIFIED =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

const about = { namespace: 'default', kind: 'Pod', name: 'p' };
const eventTime = '2020-01-01T00:00:00.000000Z';
const told = { eventTime, reportingController: 'c', reportingInstance: 'i', action: 'a', reason: 'r' };
const event = { regarding: about, type: 'Normal', ...told };

let served: Served;
before(async () => {
  served = await serve();
});

function complaintsOf({ status, body }: { readonly status: number; readonly body: unknown }): string {
  assert.equal(status, 422);
  const { message = '' } = body as Status;
  return message.slice(message.indexOf(' is invalid: ') + ' is invalid: '.length);
}

const CASES: readonly (readonly [what: string, path: string, rest: object, complaints: string])[] = [
  [
    'of another namespace',
    CORE,
    { involvedObject: { ...about, namespace: 'x' } },
    'involvedObject.namespace: Invalid value: "x": does not match event.namespace',
  ],
  [
    'with a time and nobody who reports',
    CORE,
    { involvedObject: about, eventTime },
    `[reportingComponent: Required value, reportingComponent: Invalid value: "": name part must be non-empty, reportingComponent: Invalid value: "": ${QUALIFIED}, reportingInstance: Required value, action: Required value, reason: Required value]`,
  ],
  [
    'of no type at no time',
    NEW,
    { regarding: about, reason: 'r' },
    '[eventTime: Required value, type: Invalid value: "": has invalid value: ]',
  ],
  [
    'with a series of one, and what only old ones have',
    NEW,
    { ...event, series: { count: 1 }, deprecatedCount: 3, deprecatedSource: { host: 'h' } },
    '[series.count: Invalid value: "": should be at least 2, series.lastObservedTime: Required value, count: Invalid value: "": needs to be unset, source: Invalid value: "": needs to be unset]',
  ],
];

for (const [what, path, rest, complaints] of CASES) {
  test(`an event ${what}`, async () => {
    assert.equal(
      complaintsOf(await served.send('POST', path, { metadata: { name: 'a' }, ...rest })),
      complaints,
    );
  });
}

test('through the newer group only the series of an event goes on, through the older one anything', async () => {
  const merge = { contentType: 'application/merge-patch+json' };
  await served.must('POST', NEW, { metadata: { name: 'kept' }, ...event });
  const series = { count: 2, lastObservedTime: '2020-01-01T00:00:01.000000Z' };
  await served.must('PATCH', `${NEW}/kept`, { series }, merge);
  const changed = { note: 'n', regarding: { name: 'q' } };
  assert.equal(
    complaintsOf(await served.send('PATCH', `${NEW}/kept`, changed, merge)),
    '[involvedObject: Invalid value: {"Kind":"Pod","Namespace":"default","Name":"q","UID":"","APIVersion":"","ResourceVersion":"","FieldPath":""}: field is immutable, message: Invalid value: "n": field is immutable]',
  );
  await served.must('PATCH', `${CORE}/kept`, { message: 'n' }, merge);
});

test('an event of the core group may be called as any segment of a path', async () => {
  await served.must('POST', CORE, { metadata: { name: 'A_b' }, involvedObject: about });
  assert.equal((await served.send('POST', NEW, { metadata: { name: 'A_c' }, ...event })).status, 422);
});
