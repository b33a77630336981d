// What is plainly wrong with literals once the types are known: times and patterns that cannot be read, lists of this
// and that, format strings that do not fit what they are given.
import { childrenOf, type CallNode, type LiteralValue, type Node } from './ast.ts';
import type { Checked } from './checker.ts';
import type { Issue } from './issues.ts';
import { PatternError, linearExpression } from '../pattern.ts';
import { FormatIssue, checkFormat } from './string-format.ts';
import { Duration, Timestamp } from './times.ts';
import { sameType, unwrapOptional, type CelType } from './types.ts';
import { EvaluationError } from './values.ts';

/** Of functions, those whose literal argument is looked at, and whether it can be read. */
const READABLE: ReadonlyMap<string, (value: LiteralValue) => boolean> = new Map([
  ['duration', (value) => typeof value !== 'string' || Duration.parse(value) !== undefined],
  [
    'timestamp',
    (value) => (typeof value === 'string' ? Timestamp.parse(value) !== undefined : isSecond(value)),
  ],
  ['matches', (value) => typeof value !== 'string' || isPattern(value)],
]);

function isSecond(value: LiteralValue): boolean {
  if (typeof value !== 'bigint') return true;
  try {
    new Timestamp(value * 1_000_000_000n);
    return true;
  } catch (error) {
    if (error instanceof EvaluationError) return false;
    throw error;
  }
}

function isPattern(text: string): boolean {
  try {
    linearExpression(text);
    return true;
  } catch (error) {
    if (error instanceof PatternError) return false;
    throw error;
  }
}

export function checkLiterals(checked: Checked): readonly Issue[] {
  const issues: Issue[] = [];
  visit(checked.root, false, checked, issues);
  return issues;
}

/** @param mixed what a format string is given may be of any types */
function visit(node: Node, mixed: boolean, checked: Checked, issues: Issue[]): void {
  if (node.kind === 'call') checkCall(node, checked, issues);
  else if (!mixed && node.kind === 'list') {
    const typed = node.items.map((item, index): [Node, CelType] => [
      item,
      itemType(item, node.optionals.has(index), checked),
    ]);
    checkAlike(typed, issues);
  } else if (!mixed && node.kind === 'map') {
    checkAlike(
      node.entries.map(({ key }): [Node, CelType] => [key, checked.types.get(key)!]),
      issues,
    );
    checkAlike(
      node.entries.map(({ value, optional }): [Node, CelType] => [value, itemType(value, optional, checked)]),
      issues,
    );
  }
  const inside = mixed || (node.kind === 'call' && node.name === 'format');
  for (const child of childrenOf(node)) visit(child, inside, checked, issues);
}

function itemType(node: Node, optional: boolean, { types }: Checked): CelType {
  const type = types.get(node)!;
  return optional ? unwrapOptional(type) : type;
}

function checkAlike(items: readonly (readonly [node: Node, type: CelType])[], issues: Issue[]): void {
  const [first] = items;
  const odd = items.find(([, type]) => !sameType(first![1], type));
  if (first === undefined || odd === undefined) return;
  issues.push({ at: odd[0].at, message: `expected type '${first[1].text}' but found '${odd[1].text}'` });
}

function checkCall(node: CallNode, checked: Checked, issues: Issue[]): void {
  const argument = node.args.at(-1);
  const isReadable = READABLE.get(node.name);
  if (isReadable !== undefined && argument?.kind === 'literal') {
    if (!isReadable(argument.value))
      issues.push({ at: argument.at, message: `invalid ${node.name} argument` });
  }
  const { target } = node;
  if (node.name !== 'format' || target?.kind !== 'literal' || typeof target.value !== 'string') return;
  if (argument?.kind !== 'list') return;
  const types = argument.items.map((item) => checked.types.get(item)!);
  try {
    checkFormat(target.value, types);
  } catch (error) {
    if (!(error instanceof FormatIssue)) throw error;
    const item = error.argument === undefined ? undefined : argument.items[error.argument];
    issues.push({ at: (item ?? node).at, message: error.message });
  }
}
