// Checks of policies and their bindings when they are written, in kube-apiserver's words: beyond the form of the
// objects, that their expressions can be compiled.
import { parseApiVersion, type KubeObject } from '../../api/index.ts';
import {
  fieldError,
  isDns1035Label,
  isDns1123Subdomain,
  isReservedWord,
  nameIsDnsSubdomain,
  nameIsPathSegment,
  validateLabelSelector,
  type FieldError,
} from '../../machinery/index.ts';
import { Composition, type Variable } from './composition.ts';
import { conditionErrors, expressionErrors, qualifiedNameErrors } from './condition-validation.ts';
import { ExpressionError } from './expressions.ts';
import type { MutatingPolicySpec, Mutation } from './mutating-policy.ts';
import type { BindingSpec, ParamRef, PolicySpec, Validation } from './policy.ts';
import { matchErrors, mutableErrors } from '../kinds/webhook-rules.ts';

const FAILURE_POLICIES = ['Fail', 'Ignore'];
const ACTIONS = ['Audit', 'Deny', 'Warn'];
const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];
const REINVOCATION = ['IfNeeded', 'Never'];
// LIMIT: as upstream.
const MAX_NOTES = 20;
const MAX_NOTE_EXPRESSION_BYTES = 5 * 1024;

function paramKindErrors({
  apiVersion = '',
  kind = '',
}: {
  apiVersion?: string;
  kind?: string;
}): FieldError[] {
  const at = 'spec.paramKind';
  const errors: FieldError[] = [];
  const slashes = apiVersion.split('/').length - 1;
  if (apiVersion === '') errors.push(fieldError.required(`${at}.apiVersion`));
  else if (slashes > 1) {
    const why = `unexpected GroupVersion string: ${apiVersion}`;
    errors.push(fieldError.invalid(`${at}.apiVersion`, apiVersion, why));
  } else {
    const { group, version } = parseApiVersion(apiVersion);
    const wrong = group === '' ? [] : isDns1123Subdomain(group);
    if (wrong.length > 0) errors.push(fieldError.invalid(`${at}.apiVersion`, group, wrong.join(',')));
    const bad = isDns1035Label(version);
    if (version === '') {
      errors.push(fieldError.invalid(`${at}.apiVersion`, apiVersion, 'version must be specified'));
    } else if (bad.length > 0) {
      errors.push(fieldError.invalid(`${at}.apiVersion`, version, bad.join(',')));
    }
  }
  const wrong = isDns1035Label(kind.toLowerCase());
  if (kind === '') errors.push(fieldError.required(`${at}.kind`));
  else if (wrong.length > 0) {
    const why = `may have mixed case, but should otherwise match: ${wrong.join(',')}`;
    errors.push(fieldError.invalid(`${at}.kind`, kind, why));
  }
  return errors;
}

function variableErrors(variable: Partial<Variable>, composition: Composition, at: string): FieldError[] {
  const { name = '', expression = '' } = variable;
  const errors: FieldError[] = [];
  if (name.trim() === '') errors.push(fieldError.required(`${at}.name`, 'name is not specified'));
  else if (!/^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) || isReservedWord(name)) {
    errors.push(fieldError.invalid(`${at}.name`, name, 'must be a valid CEL identifier'));
  }
  if (expression.trim() === '') {
    errors.push(fieldError.required(`${at}.expression`, 'expression is not specified'));
    return errors;
  }
  try {
    composition.add({ name, expression });
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    errors.push(fieldError.invalid(`${at}.expression`, expression, error.message));
  }
  return errors;
}

/** What policies that check and policies that change have in common. */
function commonErrors(spec: PolicySpec, composition: Composition, mutating: boolean): FieldError[] {
  const { failurePolicy = 'Fail', matchConstraints, variables = [], paramKind } = spec;
  const errors: FieldError[] = [];
  if (!FAILURE_POLICIES.includes(failurePolicy)) {
    errors.push(fieldError.notSupported('spec.failurePolicy', failurePolicy, FAILURE_POLICIES));
  }
  if (paramKind !== undefined) errors.push(...paramKindErrors(paramKind));
  const at = 'spec.matchConstraints';
  if (matchConstraints === undefined) errors.push(fieldError.required(at));
  else {
    errors.push(...matchErrors(matchConstraints, at));
    if ((matchConstraints.resourceRules ?? []).length === 0) {
      errors.push(fieldError.required(`${at}.resourceRules`));
    }
    if (mutating) errors.push(...mutableErrors(matchConstraints, at));
  }
  errors.push(...conditionErrors(spec.matchConditions ?? [], 'spec.matchConditions', composition.conditions));
  variables.forEach((variable, index) => {
    errors.push(...variableErrors(variable, composition, `spec.variables[${index}]`));
  });
  return errors;
}

function validationErrors(validation: Validation, composition: Composition, at: string): FieldError[] {
  const { expression = '', message = '', messageExpression = '', reason } = validation as Partial<Validation>;
  const errors: FieldError[] = [];
  if (expression.trim() === '') {
    errors.push(fieldError.required(`${at}.expression`, 'expression is not specified'));
  } else errors.push(...expressionErrors(expression, `${at}.expression`, composition.scope(), 'bool'));
  const telling = `${at}.messageExpression`;
  if (messageExpression.trim() !== '') {
    errors.push(...expressionErrors(messageExpression, telling, composition.scope(false), 'string'));
  } else if (messageExpression !== '') {
    errors.push(fieldError.invalid(telling, messageExpression, 'must be non-empty if specified'));
  }
  if (message !== '' && message.trim() === '') {
    errors.push(fieldError.invalid(`${at}.message`, message, 'must be non-empty if specified'));
  } else if (/[\n\r]/.test(message.trim())) {
    errors.push(fieldError.invalid(`${at}.message`, message, 'must not contain line breaks'));
  }
  if (reason !== undefined && !REASONS.includes(reason)) {
    errors.push(fieldError.notSupported(`${at}.reason`, reason, REASONS));
  }
  return errors;
}

type Note = NonNullable<PolicySpec['auditAnnotations']>[number];

function noteErrors(policy: string, note: Note, composition: Composition, at: string): FieldError[] {
  const { key = '', valueExpression = '' } = note as Partial<Note>;
  const errors =
    policy === ''
      ? [fieldError.invalid(`${at}.key`, key, 'requires metadata.name be non-empty')]
      : qualifiedNameErrors(`${policy}/${key}`, `${at}.key`);
  const text = valueExpression.trim();
  const path = `${at}.valueExpression`;
  if (text === '') errors.push(fieldError.required(path, 'valueExpression is not specified'));
  else if (Buffer.byteLength(text) > MAX_NOTE_EXPRESSION_BYTES) {
    errors.push(fieldError.required(path, `must not exceed ${MAX_NOTE_EXPRESSION_BYTES} bytes in length`));
  } else {
    errors.push(...expressionErrors(text, path, composition.scope(), 'string or null', valueExpression));
  }
  return errors;
}

export function policyErrors(object: KubeObject): FieldError[] {
  const spec = (object['spec'] ?? {}) as PolicySpec;
  const { validations = [], auditAnnotations = [] } = spec;
  const composition = new Composition(spec);
  const errors = commonErrors(spec, composition, false);
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const why = 'validations or auditAnnotations must contain at least one item';
    errors.push(fieldError.required('spec.validations', why));
    errors.push(fieldError.required('spec.auditAnnotations', why));
  }
  validations.forEach((validation, index) => {
    errors.push(...validationErrors(validation, composition, `spec.validations[${index}]`));
  });
  const notes = 'spec.auditAnnotations';
  if (auditAnnotations.length > MAX_NOTES) {
    const why = `must not have more than ${MAX_NOTES} auditAnnotations`;
    errors.push(fieldError.invalid(notes, auditAnnotations, why));
  }
  const keys = new Set<string>();
  auditAnnotations.forEach((note, index) => {
    const { key = '' } = note as Partial<Note>;
    const at = `${notes}[${index}]`;
    errors.push(...noteErrors(object.metadata.name ?? '', note, composition, at));
    if (keys.has(key)) errors.push(fieldError.duplicate(`${at}.key`, key));
    keys.add(key);
  });
  return errors;
}

const WAYS = { ApplyConfiguration: 'applyConfiguration', JSONPatch: 'jsonPatch' } as const;

function mutationErrors(mutation: Mutation, composition: Composition, at: string): FieldError[] {
  const { patchType, applyConfiguration, jsonPatch } = mutation;
  if (patchType === undefined || patchType === '') return [fieldError.required(`${at}.patchType`)];
  if (patchType !== 'ApplyConfiguration' && patchType !== 'JSONPatch') {
    return [fieldError.notSupported(`${at}.patchType`, patchType, Object.keys(WAYS))];
  }
  const isPatch = patchType === 'JSONPatch';
  const [wanted, other] = isPatch ? [jsonPatch, applyConfiguration] : [applyConfiguration, jsonPatch];
  const field = WAYS[patchType];
  const errors: FieldError[] = [];
  const expression = wanted?.expression?.trim() ?? '';
  if (wanted === undefined) {
    const why = `must be specified when patchType is ${patchType}`;
    errors.push(fieldError.required(`${at}.${field}`, why));
  } else if (expression === '') errors.push(fieldError.required(`${at}.${field}.expression`));
  else {
    const gives = isPatch ? 'list(JSONPatch)' : 'Object';
    errors.push(...expressionErrors(expression, `${at}.${field}.expression`, composition.scope(), gives));
  }
  if (other !== undefined) {
    const name = isPatch ? WAYS.ApplyConfiguration : WAYS.JSONPatch;
    const why = `must not be specified when patchType is ${patchType}`;
    errors.push(fieldError.invalid(`${at}.${name}`, `{${name}}`, why));
  }
  return errors;
}

export function mutatingPolicyErrors(object: KubeObject): FieldError[] {
  const spec = (object['spec'] ?? {}) as MutatingPolicySpec;
  const { mutations = [], reinvocationPolicy = '' } = spec;
  const composition = new Composition(spec, true);
  const errors = commonErrors(spec, composition, true);
  if (mutations.length === 0)
    errors.push(fieldError.required('spec.mutations', 'mutations must contain at least one item'));
  mutations.forEach((mutation, index) =>
    errors.push(...mutationErrors(mutation, composition, `spec.mutations[${index}]`)),
  );
  if (reinvocationPolicy === '') errors.push(fieldError.required('spec.reinvocationPolicy'));
  else if (!REINVOCATION.includes(reinvocationPolicy)) {
    errors.push(fieldError.notSupported('spec.reinvocationPolicy', reinvocationPolicy, REINVOCATION));
  }
  return errors;
}

export function bindingErrors(object: KubeObject): FieldError[] {
  const { validationActions } = (object['spec'] ?? {}) as BindingSpec;
  return [...boundErrors(object), ...actionErrors(validationActions ?? [])];
}

export function mutatingBindingErrors(object: KubeObject): FieldError[] {
  const { matchResources } = (object['spec'] ?? {}) as BindingSpec;
  return [...boundErrors(object), ...mutableErrors(matchResources, 'spec.matchResources')];
}

function boundErrors(object: KubeObject): FieldError[] {
  const { policyName = '', paramRef, matchResources } = (object['spec'] ?? {}) as BindingSpec;
  const at = 'spec.policyName';
  return [
    ...(policyName === ''
      ? [fieldError.required(at)]
      : nameIsDnsSubdomain(policyName, false).map((why) => fieldError.invalid(at, policyName, why))),
    ...(paramRef === undefined ? [] : paramRefErrors(paramRef, 'spec.paramRef')),
    ...(matchResources === undefined ? [] : matchErrors(matchResources, 'spec.matchResources')),
  ];
}

function paramRefErrors(
  { name = '', selector, parameterNotFoundAction }: ParamRef,
  at: string,
): FieldError[] {
  const errors = nameIsPathSegment(name, false).map((why) => fieldError.invalid(`${at}.name`, name, why));
  const both = 'name and selector are mutually exclusive';
  if (name !== '' && selector !== undefined) errors.push(fieldError.forbidden(`${at}.name`, both));
  if (selector !== undefined) {
    errors.push(...validateLabelSelector(selector, `${at}.selector`));
    if (name !== '') errors.push(fieldError.forbidden(`${at}.selector`, both));
  } else if (name === '') {
    errors.push(fieldError.required(at, 'one of name or selector must be specified'));
  }
  const action = `${at}.parameterNotFoundAction`;
  if (parameterNotFoundAction === undefined || parameterNotFoundAction === '') {
    errors.push(fieldError.required(action));
  } else if (!['Deny', 'Allow'].includes(parameterNotFoundAction)) {
    errors.push(fieldError.notSupported(action, parameterNotFoundAction, ['Deny', 'Allow']));
  }
  return errors;
}

function actionErrors(actions: readonly string[]): FieldError[] {
  const at = 'spec.validationActions';
  const errors: FieldError[] = [];
  actions.forEach((action, index) => {
    if (!ACTIONS.includes(action)) errors.push(fieldError.notSupported(`${at}[${index}]`, action, ACTIONS));
    if (actions.indexOf(action) < index) errors.push(fieldError.duplicate(`${at}[${index}]`, action));
  });
  if (actions.includes('Deny') && actions.includes('Warn')) {
    const why =
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)';
    errors.push(fieldError.invalid(at, actions, why));
  }
  if (actions.length === 0) {
    errors.push(fieldError.required(at, 'at least one validation action is required'));
  }
  return errors;
}
