// One rule of `x-kubernetes-validations`, compiled for the values of its schema.
import type { Schema, ValidationRule } from '../../api/index.ts';
import { checkExpression, type Checked } from './checker.ts';
import { kubernetesFunctions } from './environment.ts';
import { estimateCost } from './estimate.ts';
import { CompileError } from './issues.ts';
import { parseExpression } from './parser.ts';
import { ProgramError } from './invocation.ts';
import { Program, type Outcome } from './program.ts';
import { RulePathError, parseRulePath } from './rule-path.ts';
import { maxSizeAt, type Shape } from './shapes.ts';
import { optionalOf, type CelType } from './types.ts';
import { Optional, type Value } from './values.ts';

const VARIABLES = ['self', 'oldSelf'];

interface Expression {
  readonly program: Program;
  readonly maxCost: number;
  readonly usesOldSelf: boolean;
}

/** A rule or message that cannot be used; `message` as kube-apiserver words it. */
export class RuleError extends Error {
  override name = 'RuleError';
}

interface Use {
  readonly result: 'bool' | 'string';
  /** What kube-apiserver puts in front of what is wrong. */
  readonly compilation: string;
  readonly instantiation: string;
  readonly mismatch: string;
}

const RULE: Use = {
  result: 'bool',
  compilation: 'compilation failed: ',
  instantiation: 'program instantiation failed: ',
  mismatch: 'cel expression must evaluate to a bool',
};

const MESSAGE: Use = {
  result: 'string',
  compilation: 'messageExpression compilation failed: ',
  instantiation: 'messageExpression instantiation failed: ',
  mismatch: 'messageExpression must evaluate to a string',
};

function check(source: string, variables: ReadonlyMap<string, CelType>, { compilation }: Use): Checked {
  try {
    return checkExpression(source, parseExpression(source), { functions: kubernetesFunctions(), variables });
  } catch (error) {
    if (error instanceof CompileError) throw new RuleError(compilation + error.message, { cause: error });
    throw error;
  }
}

/** Throws a RuleError. */
function compile(source: string, shape: Shape, optionalOldSelf: boolean, use: Use): Expression {
  const { type } = shape;
  const variables = new Map([
    ['self', type],
    ['oldSelf', optionalOldSelf ? optionalOf(type) : type],
  ]);
  const checked = check(source, variables, use);
  if (checked.types.get(checked.root)?.kind !== use.result) throw new RuleError(use.mismatch);
  try {
    const program = new Program(checked, VARIABLES);
    const { max } = estimateCost(checked, { maxSizeAt: ([, ...path]) => maxSizeAt(shape, path) });
    return { program, maxCost: max, usesOldSelf: checked.used.has('oldSelf') };
  } catch (error) {
    if (error instanceof ProgramError)
      throw new RuleError(use.instantiation + error.message, { cause: error });
    throw error;
  }
}

/** The values that a rule is about. */
export interface Subject {
  readonly self: Value;
  /** Undefined: there is nothing to compare with. */
  readonly oldSelf: Value | undefined;
}

export class RuleProgram {
  readonly rule: ValidationRule;
  /** Compares with what was there before. */
  readonly usesOldSelf: boolean;
  readonly maxCost: number;
  readonly messageMaxCost: number;
  /** Why there is no program for the message; empty when there is, or none is wanted. */
  readonly messageError: string;
  /** Below the value, where errors point to; empty: to the value itself. */
  readonly fieldPath: string;
  readonly #condition: Expression;
  readonly #message: Expression | undefined;

  /** Throws a RuleError when the rule itself is wrong. */
  constructor(rule: ValidationRule, schema: Schema, shape: Shape) {
    this.rule = rule;
    const optional = rule.optionalOldSelf === true;
    this.#condition = compile(rule.rule, shape, optional, RULE);
    this.usesOldSelf = this.#condition.usesOldSelf;
    this.maxCost = this.#condition.maxCost;
    const message = compileMessage(rule.messageExpression ?? '', shape, optional);
    this.#message = typeof message === 'string' ? undefined : message;
    this.messageError = typeof message === 'string' ? message : '';
    this.messageMaxCost = this.#message?.maxCost ?? 0;
    this.fieldPath = fieldPathOf(rule.fieldPath ?? '', schema);
  }

  get hasMessage(): boolean {
    return this.#message !== undefined;
  }

  run(subject: Subject, costMax: number): Outcome {
    return this.#condition.program.run(this.#variables(subject), costMax);
  }

  runMessage(subject: Subject, costMax: number): Outcome {
    return this.#message!.program.run(this.#variables(subject), costMax);
  }

  #variables({ self, oldSelf }: Subject): Readonly<Record<string, Value | undefined>> {
    if (this.rule.optionalOldSelf !== true) return { self, oldSelf };
    return { self, oldSelf: oldSelf === undefined ? Optional.none : Optional.of(oldSelf) };
  }
}

/** Why there is none, as text. */
function compileMessage(
  source: string,
  shape: Shape,
  optionalOldSelf: boolean,
): Expression | string | undefined {
  if (source === '') return undefined;
  try {
    return compile(source, shape, optionalOldSelf, MESSAGE);
  } catch (error) {
    if (error instanceof RuleError) return error.message;
    throw error;
  }
}

function fieldPathOf(path: string, schema: Schema): string {
  if (path === '') return '';
  try {
    return parseRulePath(path, schema).text;
  } catch (error) {
    if (error instanceof RulePathError) return '';
    throw error;
  }
}
