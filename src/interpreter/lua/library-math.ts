// The math library. Chance is not at hand in this room, and an interpretation that depends on it would be wrong at the
// next look, so `random` is a fixed sequence that `randomseed` restarts.
import { badArgument, numberArgument, integerArgument } from './arguments.ts';
import type { Machine } from './machine.ts';
import { LuaFunction, type LuaValue } from './value.ts';

function unary(name: string, apply: (value: number) => number): LuaFunction {
  return new LuaFunction(name, (machine, args) => [apply(numberArgument(machine, name, args, 1))]);
}

function binary(name: string, apply: (left: number, right: number) => number): LuaFunction {
  return new LuaFunction(name, (machine, args) => [
    apply(numberArgument(machine, name, args, 1), numberArgument(machine, name, args, 2)),
  ]);
}

function extreme(name: string, apply: (...values: number[]) => number): LuaFunction {
  return new LuaFunction(name, (machine, args) => [
    args
      .slice(1)
      .reduce<number>(
        (best, _value, index) => apply(best, numberArgument(machine, name, args, index + 2)),
        numberArgument(machine, name, args, 1),
      ),
  ]);
}

/** A fraction and an exponent of two that make `value`. */
function frexp(value: number): [number, number] {
  if (value === 0 || !Number.isFinite(value)) return [value, 0];
  let exponent = Math.max(-1023, Math.floor(Math.log2(Math.abs(value))) + 1);
  let fraction = value * 2 ** -exponent;
  while (Math.abs(fraction) < 0.5) {
    fraction *= 2;
    exponent--;
  }
  while (Math.abs(fraction) >= 1) {
    fraction /= 2;
    exponent++;
  }
  return [fraction, exponent];
}

/** Between 0 and 1. */
function nextRandom(machine: Machine): number {
  machine.randomState = (Math.imul(machine.randomState, 1_664_525) + 1_013_904_223) >>> 0;
  return machine.randomState / 2 ** 32;
}

function random(machine: Machine, args: readonly LuaValue[]): LuaValue[] {
  const fraction = nextRandom(machine);
  if (args.length === 0) return [fraction];
  const first = integerArgument(machine, 'random', args, 1);
  const [from, to] = args.length === 1 ? [1, first] : [first, integerArgument(machine, 'random', args, 2)];
  if (to < from) throw badArgument(machine, 'random', args.length, 'interval is empty');
  return [from + Math.floor(fraction * (to - from + 1))];
}

export const mathLibrary: readonly LuaFunction[] = [
  unary('abs', Math.abs),
  unary('acos', Math.acos),
  unary('asin', Math.asin),
  unary('atan', Math.atan),
  binary('atan2', Math.atan2),
  unary('ceil', Math.ceil),
  unary('cos', Math.cos),
  unary('cosh', Math.cosh),
  unary('deg', (value) => (value * 180) / Math.PI),
  unary('exp', Math.exp),
  unary('floor', Math.floor),
  binary('fmod', (left, right) => left % right),
  new LuaFunction('frexp', (machine, args) => frexp(numberArgument(machine, 'frexp', args, 1))),
  binary('ldexp', (fraction, exponent) => fraction * 2 ** exponent),
  unary('log', Math.log),
  unary('log10', Math.log10),
  extreme('max', Math.max),
  extreme('min', Math.min),
  binary('mod', (left, right) => left % right),
  new LuaFunction('modf', (machine, args) => {
    const value = numberArgument(machine, 'modf', args, 1);
    const whole = Math.trunc(value);
    return [whole, Number.isFinite(value) ? value - whole : 0];
  }),
  binary('pow', (left, right) => left ** right),
  unary('rad', (value) => (value * Math.PI) / 180),
  new LuaFunction('random', random),
  new LuaFunction('randomseed', (machine, args) => {
    machine.randomState = numberArgument(machine, 'randomseed', args, 1) >>> 0;
    return [];
  }),
  unary('sin', Math.sin),
  unary('sinh', Math.sinh),
  unary('sqrt', Math.sqrt),
  unary('tan', Math.tan),
  unary('tanh', Math.tanh),
];
