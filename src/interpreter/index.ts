export { withComponentShares } from './component-shares.ts';
export { createInterpreter } from './interpreter.ts';
export type {
  Dependency,
  Interpreter,
  InterpreterLayer,
  Operation,
  Replicas,
  StatusItem,
} from './interpreter.ts';
export { nativeLayer } from './native/index.ts';
export { podDependencies } from './native/pod-dependencies.ts';
export { podRequirements } from './native/pod-requirements.ts';
export {
  InterpreterHooks,
  asksAbout,
  webhookLayer,
  type AskHook,
  type InterpreterHook,
} from './webhook/index.ts';
export { Interpretations, interpretationErrors, operationsOf } from './declared/index.ts';
export { thirdPartyLayer } from './third-party/index.ts';
export { Customizations } from './customization.ts';
export { RULES, scriptComplaint, scriptOf, type CustomizationRule } from './customization-rules.ts';
