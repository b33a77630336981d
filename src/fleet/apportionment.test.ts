import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { apportion, nameOrderFor, type NameOrder, type Party, type Share } from './apportionment.ts';

function parse(text: string): Party[] {
  return text.split(' ').map((part) => ({ name: part.slice(0, 1), votes: Number(part.slice(1)) }));
}

function print(shares: readonly Share[]): string {
  return shares.map(({ name, seats }) => `${name}${seats}`).join(' ');
}

const ODD = 'b4f7c1d2-0002-4a3e-9c55-1f2e3d4c5b6a';
const EVEN = 'b4f7c1d2-0001-4a3e-9c55-1f2e3d4c5b6a';

const cases: [sentence: string, seats: number, parties: string, uid: string, expected: string][] = [
  ['seven by 5:3:1', 7, 'a5 b3 c1', '', 'a4 b2 c1'],
  ['ten by 3:2:1', 10, 'a3 b2 c1', '', 'a5 b3 c2'],
  ['nine by 1:3', 9, 'a1 b3', '', 'a2 b7'],
  ['a party whose share is too small gets nothing and is left out', 2, 'a1 b5', '', 'b2'],
  ['a tie goes to the first name when there is no uid', 5, 'a1 b1', '', 'a3 b2'],
  ['a tie goes to the last name when the hash of the uid is odd', 5, 'a1 b1', ODD, 'a2 b3'],
  ['one of three equals with an odd uid', 1, 'a1 b1 c1', ODD, 'c1'],
  ['one of three equals with an even uid', 1, 'a1 b1 c1', EVEN, 'a1'],
  ['ten by the capacities 20, 10 and 5', 10, 'a20 b10 c5', '', 'a6 b3 c1'],
  ['nobody has votes: nothing is given', 10, 'a0 b0', '', ''],
  ['no seats: nothing is given', 0, 'a1 b2', '', ''],
];
for (const [sentence, seats, parties, uid, expected] of cases) {
  test(`apportion: ${sentence}`, () => {
    assert.equal(print(apportion(seats, parse(parties), nameOrderFor(uid))), expected);
  });
}

test('apportion: nobody stands for election: an empty result', () => {
  assert.deepEqual(apportion(3, [], 'ascending'), []);
});

/** The definition, one seat at a time. */
function naive(seats: number, parties: readonly Party[], order: NameOrder): Share[] {
  const given = new Map(parties.map(({ name }) => [name, 0]));
  const running = parties.filter(({ votes }) => votes > 0);
  for (let left = seats; left > 0 && running.length > 0; left--) {
    const worth = ({ name, votes }: Party): number => votes / (2 * given.get(name)! + 1);
    const [best] = running.toSorted((a, b) => {
      if (worth(a) !== worth(b)) return worth(b) - worth(a);
      if (given.get(a.name) !== given.get(b.name)) return given.get(a.name)! - given.get(b.name)!;
      return a.name < b.name === (order === 'ascending') ? -1 : 1;
    });
    given.set(best!.name, given.get(best!.name)! + 1);
  }
  return [...given]
    .filter(([, own]) => own > 0)
    .map(([name, own]) => ({ name, seats: own }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

const parties = fc.uniqueArray(
  fc.record({ name: fc.string({ minLength: 1, maxLength: 3 }), votes: fc.nat(40) }),
  {
    selector: ({ name }) => name,
    maxLength: 12,
  },
);
const order = fc.constantFrom<NameOrder>('ascending', 'descending');

test('apportion: agrees with the definition, one seat at a time', () => {
  fc.assert(
    fc.property(fc.nat(120), parties, order, (seats, list, names) => {
      assert.deepEqual(apportion(seats, list, names), naive(seats, list, names));
    }),
  );
});

test('apportion: the shares add up, and the order of the parties does not matter', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), parties, order, (seats, list, names) => {
      const shares = apportion(seats, list, names);
      const sum = shares.reduce((total, share) => total + share.seats, 0);
      assert.equal(sum, list.some(({ votes }) => votes > 0) ? seats : 0);
      assert.deepEqual(apportion(seats, list.toReversed(), names), shares);
    }),
  );
});

test('apportion: one seat more takes none away from anybody', () => {
  fc.assert(
    fc.property(fc.nat(500), parties, order, (seats, list, names) => {
      const before = new Map(apportion(seats, list, names).map((share) => [share.name, share.seats]));
      const after = new Map(apportion(seats + 1, list, names).map((share) => [share.name, share.seats]));
      for (const [name, own] of before) assert.ok((after.get(name) ?? 0) >= own);
    }),
  );
});
