// The engine for validation rules of custom resources. Without one that evaluates them, a definition with rules is
// refused by name instead of being served without its checks.
import type { Schema } from '../../api/index.ts';
import type { RuleEngine } from './rules.ts';

function hasRules(schema: Schema): boolean {
  if ((schema['x-kubernetes-validations'] ?? []).length > 0) return true;
  const below = [
    ...Object.values(schema.properties ?? {}),
    ...(schema.items === undefined ? [] : [schema.items]),
    ...(typeof schema.additionalProperties === 'object' ? [schema.additionalProperties] : []),
  ];
  return below.some(hasRules);
}

export const ruleEngine: RuleEngine = {
  check: () => 'validation rules are not evaluated by this server',
  hasRules,
  evaluate: () => [],
};
