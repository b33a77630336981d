// The engine that evaluates the validation rules of custom resources.
export { celRules as ruleEngine } from './cel/engine.ts';
