import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Quantity, QuantityError, type QuantityFormat } from './index.ts';

const canonical: [text: string, canonical: string, milli: number, format: QuantityFormat][] = [
  ['0', '0', 0, 'DecimalSI'],
  ['0Gi', '0', 0, 'BinarySI'],
  ['-0', '0', 0, 'DecimalSI'],
  ['1', '1', 1000, 'DecimalSI'],
  ['100m', '100m', 100, 'DecimalSI'],
  ['1000m', '1', 1000, 'DecimalSI'],
  ['1500m', '1500m', 1500, 'DecimalSI'],
  ['0.5', '500m', 500, 'DecimalSI'],
  ['.5', '500m', 500, 'DecimalSI'],
  ['1.5', '1500m', 1500, 'DecimalSI'],
  ['1.500', '1.500', 1500, 'DecimalSI'],
  ['5.', '5.', 5000, 'DecimalSI'],
  ['05', '05', 5000, 'DecimalSI'],
  ['+5', '+5', 5000, 'DecimalSI'],
  ['-5', '-5', -5000, 'DecimalSI'],
  ['1000', '1k', 1e6, 'DecimalSI'],
  ['1234567', '1234567', 1_234_567_000, 'DecimalSI'],
  ['1000000', '1M', 1e9, 'DecimalSI'],
  ['1000E', '1000E', 1e24, 'DecimalSI'],
  ['0.1n', '1n', 1, 'DecimalSI'],
  ['1.1u', '1100n', 1, 'DecimalSI'],
  ['0.000000001', '1n', 1, 'DecimalSI'],
  ['0.0000000001', '1n', 1, 'DecimalSI'],
  ['128Mi', '128Mi', 134_217_728_000, 'BinarySI'],
  ['1024Mi', '1Gi', 1_073_741_824_000, 'BinarySI'],
  ['12Mi', '12Mi', 12_582_912_000, 'BinarySI'],
  ['0.5Gi', '512Mi', 536_870_912_000, 'BinarySI'],
  ['1.5Ki', '1536', 1_536_000, 'BinarySI'],
  ['0.5Ki', '512', 512_000, 'BinarySI'],
  ['1023', '1023', 1_023_000, 'DecimalSI'],
  ['0.0001Ki', '102400u', 103, 'DecimalSI'],
  ['100Pi', '100Pi', 112_589_990_684_262_400_000, 'BinarySI'],
  ['1000000Ei', '9223372036854775807', 2 ** 63 * 1000, 'BinarySI'],
  ['1e3', '1e3', 1e6, 'DecimalExponent'],
  ['1E3', '1E3', 1e6, 'DecimalExponent'],
  ['10e2', '1e3', 1e6, 'DecimalExponent'],
  ['1e-3', '1e-3', 1, 'DecimalExponent'],
  ['1e0', '1e0', 1000, 'DecimalExponent'],
  ['1E', '1E', 1e21, 'DecimalSI'],
  [' 5Gi ', '5Gi', 5_368_709_120_000, 'BinarySI'],
  ['.', '0', 0, 'DecimalSI'],
];
for (const [text, expected, milli, format] of canonical) {
  test(`quantity "${text}" is ${expected}`, () => {
    const quantity = Quantity.parse(text);
    assert.equal(quantity.toString(), expected);
    assert.equal(quantity.milliValue(), milli);
    assert.equal(quantity.format, format);
  });
}

const refused: [text: string, message: RegExp][] = [
  ['', /^quantities must match the regular expression/],
  ['abc', /^quantities must match the regular expression/],
  ['1.2.3', /^quantities must match the regular expression/],
  ['5 Gi', /^quantities must match the regular expression/],
  ['5GiB', /^quantities must match the regular expression/],
  ['--5', /^unable to parse quantity's suffix$/],
  ['5mm', /^unable to parse quantity's suffix$/],
  ['5K', /^unable to parse quantity's suffix$/],
  ['5e', /^unable to parse quantity's suffix$/],
  ['5constructor', /^quantities must match the regular expression/],
  ['1e999999999', /^unable to parse quantity's suffix$/],
];
for (const [text, message] of refused) {
  test(`"${text}" is no quantity`, () => {
    assert.throws(
      () => Quantity.parse(text),
      (error) => error instanceof QuantityError && message.test(error.message),
    );
    assert.equal(Quantity.tryParse(text), undefined);
  });
}

test('numbers are read as JSON writes them', () => {
  assert.equal(Quantity.parse(0.5).toString(), '500m');
  assert.equal(Quantity.parse(1e21).toString(), '1e+21');
});

test('a sum takes the format of the first that is not zero', () => {
  const sum = Quantity.zero.add(Quantity.parse('512Mi')).add(Quantity.parse('512Mi'));
  assert.equal(sum.toString(), '1Gi');
  assert.equal(Quantity.parse('100m').add(Quantity.parse('900m')).toString(), '1');
  assert.equal(Quantity.parse('1').sub(Quantity.parse('1500m')).toString(), '-500m');
  assert.equal(Quantity.parse('1Gi').add(Quantity.parse('100m')).toString(), '1073741824100m');
});

test('whole values are rounded away from zero', () => {
  assert.equal(Quantity.parse('1100m').value(), 2);
  assert.equal(Quantity.parse('-1100m').value(), -2);
  assert.equal(Quantity.parse('1').value(), 1);
  assert.equal(Quantity.fromMilli(250).toString(), '250m');
  assert.equal(Quantity.of(2048, 'BinarySI').toString(), '2Ki');
  assert.equal(Quantity.parse('250m').toNumber(), 0.25);
});

test('adding is exact, commutes and can be undone', () => {
  const text = fc
    .tuple(
      fc.integer({ min: -1e6, max: 1e6 }),
      fc.constantFrom('n', 'u', 'm', '', 'k', 'M', 'Ki', 'Mi', 'Gi', 'e3'),
    )
    .map(([value, suffix]) => `${value}${suffix}`);
  fc.assert(
    fc.property(text, text, (a, b) => {
      const left = Quantity.parse(a);
      const right = Quantity.parse(b);
      assert.equal(left.add(right).equals(right.add(left)), true);
      assert.equal(left.add(right).sub(right).equals(left), true);
      assert.equal(left.compare(right), -right.compare(left) + 0);
      assert.equal(left.sub(right).sign, left.compare(right));
    }),
  );
});

test('the canonical text means the same quantity and is its own canonical text', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(10n ** 27n), max: 10n ** 27n }),
      fc.constantFrom<QuantityFormat>('DecimalSI', 'BinarySI', 'DecimalExponent'),
      (nanos, format) => {
        const quantity = Quantity.fromNanos(nanos, format);
        const again = Quantity.parse(quantity.toString());
        assert.equal(again.nanos, nanos);
        assert.equal(again.toString(), quantity.toString());
      },
    ),
  );
});

test('a number of more digits than anybody means is refused before it is read', () => {
  assert.equal(Quantity.parse('9'.repeat(900)).sign, 1);
  assert.throws(() => Quantity.parse('9'.repeat(1_000_000)), QuantityError);
});
