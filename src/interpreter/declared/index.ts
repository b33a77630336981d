// The layer of ResourceInterpretations: behind scripts and webhooks, before what is shipped. Loaded as a whole; each
// change of one makes a new index.
import type { ResourceInterpretation } from '../../api/index.ts';
import type { FieldError } from '../../machinery/index.ts';
import type { InterpreterLayer, Operation } from '../interpreter.ts';
import { RULE_OF, rulesLayer, type KindRules } from '../kind-rules.ts';
import { compileInterpretation } from './compile.ts';

/** The operations that an interpretation answers. */
export function operationsOf(interpretation: ResourceInterpretation): readonly Operation[] {
  const { rules } = compileInterpretation(interpretation);
  return (Object.keys(RULE_OF) as Operation[]).filter((operation) => rules[RULE_OF[operation]] !== undefined);
}

/** What is wrong with an interpretation. */
export function interpretationErrors(interpretation: ResourceInterpretation): readonly FieldError[] {
  return compileInterpretation(interpretation).errors;
}

/** Rules that each fail, for what was stored although it is wrong: an error is final, and says what to mend. */
function failing(rules: KindRules, [error]: readonly FieldError[], name: string): KindRules {
  if (error === undefined) return rules;
  const fail = (): never => {
    throw new Error(`ResourceInterpretation ${name}: ${error.path}: ${error.message}`);
  };
  return Object.fromEntries(Object.keys(rules).map((rule) => [rule, fail]));
}

export class Interpretations {
  readonly layer: InterpreterLayer;
  /** By `<apiVersion> <kind>`. */
  #rules: ReadonlyMap<string, KindRules> = new Map();

  /** @param now RFC 3339 */
  constructor(now: () => string) {
    this.layer = rulesLayer((kind) => this.#rules.get(kind), now);
  }

  /** Replaces all. Of several for a kind the first by name has a rule; dependencies add up. */
  load(interpretations: readonly ResourceInterpretation[]): void {
    const nameOf = ({ metadata }: ResourceInterpretation): string => metadata.name ?? '';
    const sorted = interpretations.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    const all = new Map<string, KindRules>();
    for (const one of sorted) {
      const { target } = one.spec;
      const key = `${target.apiVersion} ${target.kind}`;
      const { rules, errors } = compileInterpretation(one);
      all.set(key, merged(all.get(key) ?? {}, failing(rules, errors, nameOf(one))));
    }
    this.#rules = all;
  }
}

function merged(before: KindRules, after: KindRules): KindRules {
  const [a, b] = [before.dependencies, after.dependencies];
  return {
    ...after,
    ...before,
    ...(a === undefined || b === undefined ? {} : { dependencies: (object) => [...a(object), ...b(object)] }),
  };
}
