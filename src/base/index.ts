export { untilAborted } from './abort.ts';
export { every, formatMicroTime, formatTime, sleep, systemClock, type Cancel, type Clock } from './clock.ts';
export { AssertionError, OperatingError, assert, errorMessage } from './errors.ts';
export { silentLogger, type LogFields, type Logger } from './logger.ts';
export { randomSuffix, systemRandom, type Random } from './random.ts';
export {
  defaultFeatureGates,
  featureGates,
  parseFeatureGates,
  type FeatureGates,
  type GateName,
  gatesWithoutEffect,
} from './feature-gates.ts';
