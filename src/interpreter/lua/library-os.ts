// `os.time` and `os.date`, over the clock that was handed in. Times are UTC: where a control plane runs must not change
// what a script says.
import { badArgument, numberArgument, textArgument } from './arguments.ts';
import type { Machine } from './machine.ts';
import { LuaTable } from './table.ts';
import { LuaFunction, luaToNumber, type LuaValue } from './value.ts';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December',
]; // prettier-ignore
/** The largest time that a Date holds. */
const SECONDS_MAX = 8.64e12;

const two = (value: number): string => String(value).padStart(2, '0');
const clockTime = (date: Date): string =>
  `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
const month = (date: Date): string => MONTHS[date.getUTCMonth()] ?? '';
const day = (date: Date): string => DAYS[date.getUTCDay()] ?? '';
const year = (date: Date): string => String(date.getUTCFullYear());
const shortYear = (date: Date): string => two(date.getUTCFullYear() % 100);

function dayOfYear(date: Date): number {
  return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000) + 1;
}

const DIRECTIVES: Readonly<Record<string, (date: Date) => string>> = {
  a: (date) => day(date).slice(0, 3),
  A: day,
  b: (date) => month(date).slice(0, 3),
  B: month,
  c: (date) =>
    `${two(date.getUTCDate())} ${month(date).slice(0, 3)} ${shortYear(date)} ${clockTime(date).slice(0, 5)} UTC`,
  d: (date) => two(date.getUTCDate()),
  F: (date) => `${year(date)}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`,
  H: (date) => two(date.getUTCHours()),
  I: (date) => two(((date.getUTCHours() + 11) % 12) + 1),
  j: (date) => String(dayOfYear(date)).padStart(3, '0'),
  M: (date) => two(date.getUTCMinutes()),
  m: (date) => two(date.getUTCMonth() + 1),
  p: (date) => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
  S: (date) => two(date.getUTCSeconds()),
  w: (date) => String(date.getUTCDay()),
  x: (date) => `${two(date.getUTCMonth() + 1)}/${two(date.getUTCDate())}/${shortYear(date)}`,
  X: clockTime,
  Y: year,
  y: shortYear,
  Z: () => 'UTC',
  z: () => '+0000',
  '%': () => '%',
};

function nowSeconds(machine: Machine): number {
  if (machine.now === undefined) throw machine.error('there is no clock here');
  return Math.floor(machine.now() / 1000);
}

function dateTable(date: Date): LuaTable {
  return new LuaTable(
    [],
    new Map<string, LuaValue>([
      ['year', date.getUTCFullYear()],
      ['month', date.getUTCMonth() + 1],
      ['day', date.getUTCDate()],
      ['hour', date.getUTCHours()],
      ['min', date.getUTCMinutes()],
      ['sec', date.getUTCSeconds()],
      ['wday', date.getUTCDay() + 1],
      ['yday', dayOfYear(date)],
      ['isdst', false],
    ]),
  );
}

function timeOf(machine: Machine, table: LuaTable): number {
  const field = (name: string, otherwise?: number): number => {
    const value = luaToNumber(table.get(name)) ?? otherwise;
    if (value === undefined) throw machine.error(`field '${name}' missing in date table`);
    return Math.trunc(value);
  };
  const ms = Date.UTC(
    field('year'),
    field('month') - 1,
    field('day'),
    field('hour', 12),
    field('min', 0),
    field('sec', 0),
  );
  return Math.floor(ms / 1000);
}

export const osLibrary: readonly LuaFunction[] = [
  new LuaFunction('time', (machine, [table]) => [
    table instanceof LuaTable ? timeOf(machine, table) : nowSeconds(machine),
  ]),
  new LuaFunction('date', (machine, args) => {
    const format = textArgument(machine, 'date', args, 1, '%c').replace(/^!/, '');
    machine.step(format.length);
    const seconds =
      args[1] === undefined ? nowSeconds(machine) : Math.trunc(numberArgument(machine, 'date', args, 2));
    if (!(Math.abs(seconds) <= SECONDS_MAX)) throw badArgument(machine, 'date', 2, 'time out of range');
    const date = new Date(seconds * 1000);
    if (format.startsWith('*t')) return [dateTable(date)];
    const text = format.replaceAll(/%(.)/g, (directive, letter: string) =>
      Object.hasOwn(DIRECTIVES, letter) ? (DIRECTIVES[letter]?.(date) ?? directive) : directive,
    );
    machine.allocate(text.length);
    return [text];
  }),
];
