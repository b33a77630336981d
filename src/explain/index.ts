export { applyChanges, type Change, type ClusterChange } from './change.ts';
export type { ClusterStory } from './cluster-story.ts';
export type { Finding, Severity, StepName } from './finding.ts';
export { QUESTIONS, parseQuestion } from './question.ts';
export type { WayIn } from './way-in.ts';
export { why, whatIf, type Explanation, type Spared, type Supposition, type WhyOptions } from './why.ts';
export { whatIfText, whyText, type TextOptions } from './why-text.ts';
export { WorldView, referenceOf, type TemplateReference, type World, type WorldSettings } from './world.ts';
