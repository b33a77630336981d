// The string library, over bytes, without what could blow a text up.
import { VALUES_MAX, badArgument, integerArgument, numberArgument, textArgument } from './arguments.ts';
import { formatText } from './format.ts';
import { forbidden } from './library-base.ts';
import type { Machine } from './machine.ts';
import { findMatch, matchValues } from './pattern.ts';
import { LuaFunction, toBytes, toText, type LuaValue } from './value.ts';

const SPECIALS = /[\^$*+?.([%-]/;

/** From a position as scripts give it, negative from the end, to one counted from 0 and not below it. */
function startOf(position: number, length: number): number {
  if (position > 0) return position - 1;
  return position === 0 ? 0 : Math.max(0, length + position);
}

/** Behind the last character that `position` includes. */
function endOf(position: number, length: number): number {
  return position < 0 ? Math.max(0, length + position + 1) : Math.min(position, length);
}

function onText(name: string, apply: (text: string) => LuaValue): LuaFunction {
  return new LuaFunction(name, (machine, args) => {
    const text = textArgument(machine, name, args, 1);
    machine.step(1 + text.length / 8);
    machine.allocate(text.length);
    return [apply(text)];
  });
}

/** As Go's: letters of all scripts, each as one character; what has no single counterpart stays. */
function changeCase(text: string, upper: boolean): string {
  const letters = toText(text);
  if (letters === text) return upper ? text.toUpperCase() : text.toLowerCase();
  let changed = '';
  for (const letter of letters) {
    const other = upper ? letter.toUpperCase() : letter.toLowerCase();
    changed += Array.from(other).length === 1 ? other : letter;
  }
  return toBytes(changed);
}

function find(machine: Machine, args: readonly LuaValue[]): LuaValue[] {
  const text = textArgument(machine, 'find', args, 1);
  const pattern = textArgument(machine, 'find', args, 2);
  const from = startOf(integerArgument(machine, 'find', args, 3, 1), text.length);
  if (from > text.length) return [undefined];
  const plain = args[3] !== undefined && args[3] !== false;
  if (plain || !SPECIALS.test(pattern)) {
    machine.step(1 + (text.length - from) / 16);
    const at = text.indexOf(pattern, from);
    return at < 0 ? [undefined] : [at + 1, at + pattern.length];
  }
  const match = findMatch(machine, text, pattern, from);
  return match === undefined ? [undefined] : [match.start + 1, match.end, ...match.captures];
}

function match(machine: Machine, args: readonly LuaValue[]): LuaValue[] {
  const text = textArgument(machine, 'match', args, 1);
  const pattern = textArgument(machine, 'match', args, 2);
  const from = startOf(integerArgument(machine, 'match', args, 3, 1), text.length);
  const found = from > text.length ? undefined : findMatch(machine, text, pattern, from);
  return found === undefined ? [undefined] : matchValues(text, found);
}

function gmatch(machine: Machine, args: readonly LuaValue[]): LuaValue[] {
  const text = textArgument(machine, 'gmatch', args, 1);
  const pattern = textArgument(machine, 'gmatch', args, 2);
  let from = 0;
  const next = new LuaFunction('gmatch', (running) => {
    const found = from > text.length ? undefined : findMatch(running, text, pattern, from);
    if (found === undefined) {
      from = text.length + 1;
      return [undefined];
    }
    from = found.end === found.start ? found.end + 1 : found.end;
    return matchValues(text, found);
  });
  return [next];
}

export const stringLibrary: readonly LuaFunction[] = [
  forbidden('dump'),
  forbidden('gsub'),
  forbidden('rep'),
  new LuaFunction('byte', (machine, args) => {
    const text = textArgument(machine, 'byte', args, 1);
    const first = integerArgument(machine, 'byte', args, 2, 1);
    const part = text.slice(
      startOf(first, text.length),
      endOf(integerArgument(machine, 'byte', args, 3, first), text.length),
    );
    if (part.length >= VALUES_MAX) throw machine.error('string slice too long');
    machine.step(1 + part.length);
    machine.allocate(part.length * 8);
    return Array.from(part, (character) => character.charCodeAt(0));
  }),
  new LuaFunction('char', (machine, args) => [
    args
      .map((_value, index) => {
        const code = integerArgument(machine, 'char', args, index + 1);
        if (code < 0 || code > 255) throw badArgument(machine, 'char', index + 1, 'invalid value');
        return String.fromCharCode(code);
      })
      .join(''),
  ]),
  new LuaFunction('find', find),
  new LuaFunction('format', (machine, args) => [
    formatText(machine, textArgument(machine, 'format', args, 1), {
      value: (position) => {
        if (position > args.length) throw badArgument(machine, 'format', position, 'no value');
        return args[position - 1];
      },
      number: (position) => numberArgument(machine, 'format', args, position),
    }),
  ]),
  new LuaFunction('gfind', gmatch),
  new LuaFunction('gmatch', gmatch),
  onText('len', (text) => text.length),
  onText('lower', (text) => changeCase(text, false)),
  new LuaFunction('match', match),
  onText('reverse', (text) => Array.from(text).reverse().join('')),
  new LuaFunction('sub', (machine, args) => {
    const text = textArgument(machine, 'sub', args, 1);
    const start = startOf(integerArgument(machine, 'sub', args, 2, 1), text.length);
    const end = endOf(integerArgument(machine, 'sub', args, 3, -1), text.length);
    machine.allocate(32);
    return [text.slice(start, Math.max(start, end))];
  }),
  onText('upper', (text) => changeCase(text, true)),
];
