export { formatAge, formatShortDuration } from './age.ts';
export type { FieldManagement, OtherVersion } from './apply/endpoint.ts';
export { managedFieldsFault } from './apply/managed-fields.ts';
export { UnownedMergeError, mergeUnowned } from './apply/merge-unowned.ts';
export { serverSideApply } from './apply/server-side-apply.ts';
export { freezeDecoded } from './apply/share-managed-fields.ts';
export type { AppliedConfiguration } from './apply/server-side-apply.ts';
export { keepTimes, trackUpdate } from './apply/track-update.ts';
export type { TrackedUpdate } from './apply/track-update.ts';
export type {
  AdmissionAttributes,
  AdmissionOperation,
  AdmissionPlugin,
  Annotate,
  MutationPass,
  UserInfo,
} from './admission.ts';
export { CronError, latestBetween, parseCron } from './cron-schedule.ts';
export type { CronOptions, CronSchedule } from './cron-schedule.ts';
export { differingFields, ownsField } from './field-owners.ts';
export type { FieldSteps } from './field-owners.ts';
export { FieldSelector, parseFieldSelector } from './field-selector.ts';
export type { FieldRequirement } from './field-selector.ts';
export { TemplateError, compileTemplate } from './go-template.ts';
export type { Template } from './go-template.ts';
export { goJsonError } from './go-json-error.ts';
export {
  byteLength,
  goAggregate,
  goJson,
  goNumber,
  goQuote,
  goType,
  goValue,
  isPrintable,
} from './go-text.ts';
export { fnv1a32, safeEncode } from './hash.ts';
export { JsonPathError, compileFieldPath, compileJsonPath, relaxedJsonPath } from './json-path.ts';
export type { JsonPath, JsonPathOptions } from './json-path.ts';
export { applyJsonPatch, applyMergePatch, unknownJsonPatchFields } from './json-patch.ts';
export { deepEqual, encodeJson, semanticEqual } from './json.ts';
export { mergePatchBetween } from './merge-patch-between.ts';
export { isJsonObject } from './json-draft.ts';
export { threeWayMerge } from './three-way-merge.ts';
export {
  Selector,
  everySelector,
  labelSelectorFor,
  noSelector,
  parseLabelSelector,
} from './label-selector.ts';
export type { LabelOperator, LabelRequirement, LabelSelector, Labels } from './label-selector.ts';
export {
  isCIdentifier,
  isConfigMapKey,
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isDns1123SubdomainWithUnderscore,
  isEnvVarName,
  isHttpHeaderName,
  isInRange,
  isLabelValue,
  isPercent,
  isPortName,
  isPortNumber,
  isQualifiedName,
  isRelaxedEnvVarName,
  isWildcardDns1123Subdomain,
  nameIsDns1035Label,
  nameIsDnsLabel,
  nameIsDnsSubdomain,
  nameIsPathSegment,
  patternComplaint,
  tooLongComplaint,
} from './names.ts';
export type { NameRule } from './names.ts';
export {
  FIELD_IMMUTABLE,
  specChanged,
  validateAnnotations,
  validateFieldManager,
  validateImmutable,
  validateLabelSelector,
  validateLabels,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from './object-meta.ts';
export type { ObjectMetaRules } from './object-meta.ts';
export {
  controllerOf,
  controllerReference,
  distinctOwners,
  hasFinalizer,
  isBeingDeleted,
  isControlledBy,
  ownerReference,
  withFinalizer,
  withoutFinalizer,
} from './ownership.ts';
export { Quantity, QuantityError } from './quantity.ts';
export type { QuantityFormat } from './quantity.ts';
export { camelCase, closest, readSetting, settingText } from './setting.ts';
export type { SettingRow } from './setting.ts';
export { planFor } from './schema-plan.ts';
export type { Plan, RefResolver } from './schema-plan.ts';
export { applyDefaults, pruneBySchema } from './schema-prune.ts';
export type { Pruned } from './schema-prune.ts';
export { validateSchema } from './schema-validate.ts';
export type { ValidationOptions } from './schema-validate.ts';
export { PatternError, compilePattern } from './pattern.ts';
export type { Pattern } from './pattern.ts';
export { cidrContains, formatIp, isIpv4Mapped, networkOf, parseCidr, parseIp } from './ip-address.ts';
export type { Cidr, IpAddress } from './ip-address.ts';
export {
  MODIFIED,
  StatusError,
  alreadyExists,
  badRequest,
  conflict,
  expired,
  fieldError,
  forbidden,
  internalError,
  invalid,
  methodNotSupported,
  notFound,
} from './status-error.ts';
export type {
  FieldError,
  FieldErrorType,
  QualifiedResource,
  Status,
  StatusCause,
  StatusDetails,
} from './status-error.ts';
export { decodeProtobuf, decodeProtobufMessage } from './protobuf/decode.ts';
export {
  PROTOBUF_TYPE,
  ProtobufFrames,
  encodeProtobuf,
  encodeProtobufMessage,
  hasProtobuf,
} from './protobuf/encode.ts';
export { Writer } from './protobuf/wire-writer.ts';
export { readFields } from './protobuf/wire.ts';
export { DurationError, formatDuration, parseDuration, parseLongDuration, parseTime } from './time.ts';
export { applyStrategicMergePatch } from './strategic-merge-patch.ts';
export { decodeTyped } from './typed-decode.ts';
export type { Decoded } from './typed-decode.ts';
export {
  compileExpression,
  expressionValue,
  lazyObject,
  scopeOf,
  typeName,
  withVariables,
} from './cel/expression.ts';
export type { Scope } from './cel/expression.ts';
export { isReserved as isReservedWord } from './cel/escaping.ts';
export type { Expression } from './cel/expression.ts';
export { authorizerValues } from './cel/authorizer.ts';
export type { AccessQuestion, AskAccess } from './cel/authorizer.ts';
export { jsonOf as expressionJson } from './cel/mutation.ts';
export { checkRule, evaluateDefaultRules, evaluateRules, hasRules } from './cel/rules.ts';
export type { RuleCheck } from './cel/rules.ts';
export { RulePathError, parseRulePath } from './cel/rule-path.ts';
export { formatYaml, parseExactYaml, parseYaml, parseYamlDocuments } from './yaml.ts';
export { reviewVersionErrors, webhookClientErrors } from './webhook-client.ts';
export type { WebhookClient } from './webhook-client.ts';
