// Questions as people type them after `--if`, read into changes.
import type { Taint } from '../api/index.ts';
import { OperatingError } from '../base/index.ts';
import { Quantity, isLabelValue, isQualifiedName } from '../machinery/index.ts';
import type { Change, ClusterChange } from './change.ts';

/** What can be asked, as help shows it. */
export const QUESTIONS: readonly { readonly form: string; readonly example: string }[] = [
  { form: 'cluster NAME untainted [KEY[=VALUE][:EFFECT]]', example: 'cluster member2 untainted' },
  {
    form: 'cluster NAME tainted KEY[=VALUE]:EFFECT',
    example: 'cluster member2 tainted key=value:NoSchedule',
  },
  {
    form: 'cluster NAME label KEY=VALUE, or KEY- to take it off',
    example: 'cluster member2 label tier=gold',
  },
  { form: 'cluster NAME gone', example: 'cluster member2 gone' },
  { form: 'cluster NAME RESOURCE +AMOUNT', example: 'cluster member2 cpu +20' },
  { form: 'cluster NAME api APIVERSION KIND', example: 'cluster member2 api example.io/v1 Database' },
  { form: 'cluster NAME region|provider|zone VALUE', example: 'cluster member2 region north' },
  { form: 'replicas N', example: 'replicas 12' },
  { form: 'placed afresh', example: 'placed afresh' },
];

const EFFECTS: readonly Taint['effect'][] = ['NoSchedule', 'NoExecute', 'PreferNoSchedule'];
const TAINT = /^([^=:]+)(?:=([^:]*))?(?::([A-Za-z]+))?$/;

function misunderstood(text: string, why: string): OperatingError {
  const forms = QUESTIONS.map(({ example }) => `"${example}"`).join(', ');
  return new OperatingError('BAD_QUESTION', `"${text}" cannot be asked: ${why}`, `ask like ${forms}`);
}

/** Throws OperatingError BAD_QUESTION. */
export function parseQuestion(text: string): Change {
  const words = text.trim().split(/\s+/);
  const [first = '', second = '', third = '', ...rest] = words;
  if (first === 'replicas') {
    if (words.length !== 2 || !/^\d{1,7}$/.test(second)) throw misunderstood(text, 'replicas is a number');
    return { kind: 'replicas', replicas: Number(second) };
  }
  if (text.trim() === 'placed afresh' || text.trim() === 'afresh') return { kind: 'afresh' };
  if (first !== 'cluster') throw misunderstood(text, `it begins with "${first}"`);
  if (second === '' || third === '') throw misunderstood(text, 'it does not say what happens to the cluster');
  return { cluster: second, ...clusterChange(text, third, rest) };
}

type OfCluster =
  Extract<Change, { readonly cluster: string }> extends infer C
    ? C extends { readonly cluster: string }
      ? Omit<C, 'cluster'>
      : never
    : never;

function clusterChange(text: string, verb: string, rest: readonly string[]): OfCluster {
  const [argument = '', more = '', ...tooMany] = rest;
  if (tooMany.length > 0 || (more !== '' && verb !== 'api') || (argument !== '' && verb === 'gone'))
    throw misunderstood(text, 'it says too much');
  switch (verb) {
    case 'gone':
      return { kind: 'gone' };
    case 'untainted':
      return { kind: 'untaint', ...untaint(text, argument) };
    case 'tainted':
      return { kind: 'taint', ...taint(text, argument) };
    case 'label':
    case 'labelled':
      return { kind: 'label', ...label(text, argument) };
    case 'api':
      if (argument === '' || more === '') throw misunderstood(text, 'an API has a version and a kind');
      return { kind: 'api', apiVersion: argument, apiKind: more };
    case 'region':
    case 'provider':
    case 'zone':
      if (argument === '') throw misunderstood(text, `the ${verb} is missing`);
      return { kind: 'place', field: verb, value: argument };
    default:
      if (!argument.startsWith('+') || Quantity.tryParse(argument.slice(1)) === undefined)
        throw misunderstood(text, `"${verb}" is neither a change nor a resource with +AMOUNT`);
      return { kind: 'room', resource: verb, amount: argument.slice(1) };
  }
}

function untaint(
  text: string,
  argument: string,
): { readonly key?: string; readonly value?: string; readonly effect?: string } {
  if (argument === '') return {};
  const [, key, value, effect] = TAINT.exec(argument) ?? [];
  if (key === undefined) throw misunderstood(text, `"${argument}" is no taint`);
  return { key, ...(value === undefined ? {} : { value }), ...(effect === undefined ? {} : { effect }) };
}

/** As `kubectl taint` has it: with `-` at the end it goes. Throws OperatingError BAD_QUESTION. */
export function parseTaintChange(
  text: string,
): Extract<ClusterChange, { kind: 'taint' | 'untaint' }> & { readonly key: string } {
  if (!text.endsWith('-')) return { kind: 'taint', ...taint(text, text) };
  const { key = '', ...rest } = untaint(text, text.slice(0, -1));
  return { kind: 'untaint', key, ...rest };
}

/** As `kubectl label` has it: with `-` at the end it goes. Throws OperatingError BAD_QUESTION. */
export function parseLabelChange(text: string): Extract<ClusterChange, { kind: 'label' }> {
  return { kind: 'label', ...label(text, text) };
}

/** `key=value:Effect` or `key:Effect`, as kubectl has it. */
function taint(
  text: string,
  argument: string,
): { readonly key: string; readonly value: string; readonly effect: Taint['effect'] } {
  const [, key = '', value = '', word = ''] = TAINT.exec(argument) ?? [];
  const effect = EFFECTS.find((one) => one === word);
  if (effect === undefined || isQualifiedName(key).length > 0)
    throw misunderstood(text, `"${argument}" is no taint KEY=VALUE:EFFECT with one of ${EFFECTS.join(', ')}`);
  return { key, value, effect };
}

/** `key=value`, or `key-` to take it off. */
function label(text: string, argument: string): { readonly key: string; readonly value?: string } {
  const off = /^([^=]+)-$/.exec(argument);
  if (off !== null) return { key: off[1] ?? '' };
  const at = argument.indexOf('=');
  const key = argument.slice(0, Math.max(at, 0));
  const value = argument.slice(at + 1);
  if (at < 1 || isQualifiedName(key).length > 0 || isLabelValue(value).length > 0)
    throw misunderstood(text, `"${argument}" is no label KEY=VALUE`);
  return { key, value };
}
