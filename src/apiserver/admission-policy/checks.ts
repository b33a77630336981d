// Checks of policies, bindings and match conditions when they are written: beyond the form of the objects, that their
// expressions can be compiled, so that nobody learns of a mistake by refused requests.
import type { KubeObject } from '../../api/index.ts';
import {
  fieldError,
  invalid,
  isDns1035Label,
  isDns1123Subdomain,
  isQualifiedName,
  nameIsPathSegment,
  validateLabelSelector,
  type AdmissionPlugin,
  type FieldError,
} from '../../machinery/index.ts';
import {
  CONDITION_NAMES,
  ExpressionError,
  MESSAGE_NAMES,
  POLICY_NAMES,
  compile,
  type MatchCondition,
  type Wanted,
} from './expressions.ts';
import { matchErrors } from '../kinds/webhook-rules.ts';
import type { MutatingPolicySpec, Mutation } from './mutating-policy.ts';
import type { BindingSpec, PolicySpec, Validation } from './policy.ts';

const ACTIONS = ['Audit', 'Deny', 'Warn'];
const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge', 'Unauthorized'];
const REINVOCATION = ['IfNeeded', 'Never'];
const FAILURE_POLICIES = ['Fail', 'Ignore'];
const ON_MISSING = ['Deny', 'Allow'];
/** Names that CEL keeps for itself. */
const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);
// LIMIT: as upstream.
const MAX_CONDITIONS = 64;

function expressionErrors(
  text: string | undefined,
  path: string,
  names: readonly string[],
  wanted: Wanted,
  missing = 'expression is not specified',
): FieldError[] {
  const expression = (text ?? '').trim();
  if (expression === '') return [fieldError.required(path, missing)];
  try {
    compile(expression, names, wanted);
    return [];
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return [fieldError.invalid(path, text, `compilation failed: ${error.message}`)];
  }
}

function conditionErrors(
  conditions: readonly MatchCondition[],
  path: string,
  names: readonly string[],
): FieldError[] {
  const errors: FieldError[] = [];
  if (conditions.length > MAX_CONDITIONS) {
    errors.push(fieldError.tooMany(path, conditions.length, MAX_CONDITIONS));
  }
  const seen = new Set<string>();
  conditions.forEach(({ name, expression }, index) => {
    const at = `${path}[${index}]`;
    errors.push(...expressionErrors(expression, `${at}.expression`, names, 'bool', ''));
    if ((name ?? '') === '') {
      errors.push(fieldError.required(`${at}.name`));
      return;
    }
    errors.push(...isQualifiedName(name).map((why) => fieldError.invalid(`${at}.name`, name, why)));
    if (seen.has(name)) errors.push(fieldError.duplicate(`${at}.name`, name));
    seen.add(name);
  });
  return errors;
}

function validationErrors(validation: Validation, path: string): FieldError[] {
  const { expression, message, messageExpression = '', reason } = validation;
  const errors = expressionErrors(expression, `${path}.expression`, POLICY_NAMES, 'bool');
  if (messageExpression !== '' && messageExpression.trim() === '') {
    const why = 'must be non-empty if specified';
    errors.push(fieldError.invalid(`${path}.messageExpression`, messageExpression, why));
  } else if (messageExpression !== '') {
    errors.push(...expressionErrors(messageExpression, `${path}.messageExpression`, MESSAGE_NAMES, 'string'));
  }
  if (message !== undefined && message !== '') {
    if (message.trim() === '') {
      const why = 'message must be non-empty if specified';
      errors.push(fieldError.invalid(`${path}.message`, message, why));
    } else if (/[\n\r]/.test(message.trim())) {
      errors.push(fieldError.invalid(`${path}.message`, message, 'message must not contain line breaks'));
    }
  }
  if (reason !== undefined && !REASONS.includes(reason)) {
    errors.push(fieldError.notSupported(`${path}.reason`, reason, REASONS));
  }
  return errors;
}

function apiVersionErrors(apiVersion: string, path: string): FieldError[] {
  if (apiVersion === '') return [fieldError.required(path)];
  const parts = apiVersion === '/' ? [''] : apiVersion.split('/');
  if (parts.length > 2) {
    return [fieldError.invalid(path, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)];
  }
  const version = parts.at(-1) ?? '';
  const group = parts.length === 2 ? (parts[0] ?? '') : '';
  const complaints = group === '' ? [] : isDns1123Subdomain(group);
  const errors = complaints.length > 0 ? [fieldError.invalid(path, group, complaints.join(','))] : [];
  if (version === '') return [...errors, fieldError.invalid(path, apiVersion, 'version must be specified')];
  const wrong = isDns1035Label(version);
  return wrong.length > 0 ? [...errors, fieldError.invalid(path, version, wrong.join(','))] : errors;
}

function paramKindErrors({ apiVersion, kind }: NonNullable<PolicySpec['paramKind']>): FieldError[] {
  const errors = apiVersionErrors(apiVersion, 'spec.paramKind.apiVersion');
  const complaints = isDns1035Label(kind.toLowerCase());
  if (kind === '') errors.push(fieldError.required('spec.paramKind.kind'));
  else if (complaints.length > 0) {
    const why = `may have mixed case, but should otherwise match: ${complaints.join(',')}`;
    errors.push(fieldError.invalid('spec.paramKind.kind', kind, why));
  }
  return errors;
}

function variableNameErrors(name: string, path: string): FieldError[] {
  if (name.trim() === '') return [fieldError.required(path, 'name is not specified')];
  const isName = /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) && !RESERVED.has(name);
  return isName ? [] : [fieldError.invalid(path, name, 'name is not a valid CEL identifier')];
}

/** What policies that check and policies that change have in common. */
function commonErrors(spec: PolicySpec): FieldError[] {
  const { matchConstraints, variables = [], paramKind, failurePolicy = 'Fail' } = spec;
  const errors: FieldError[] = [];
  if (!FAILURE_POLICIES.includes(failurePolicy)) {
    errors.push(fieldError.notSupported('spec.failurePolicy', failurePolicy, FAILURE_POLICIES));
  }
  if (paramKind !== undefined) errors.push(...paramKindErrors(paramKind));
  if (matchConstraints === undefined) errors.push(fieldError.required('spec.matchConstraints'));
  else {
    const at = 'spec.matchConstraints';
    errors.push(...matchErrors(matchConstraints, at));
    if ((matchConstraints.resourceRules ?? []).length === 0) {
      errors.push(fieldError.required(`${at}.resourceRules`));
    }
  }
  errors.push(...conditionErrors(spec.matchConditions ?? [], 'spec.matchConditions', POLICY_NAMES));
  variables.forEach(({ name, expression }, index) => {
    const at = `spec.variables[${index}]`;
    errors.push(...variableNameErrors(name, `${at}.name`));
    errors.push(...expressionErrors(expression, `${at}.expression`, POLICY_NAMES, 'any'));
  });
  return errors;
}

function policyErrors(object: KubeObject): FieldError[] {
  const spec = (object['spec'] ?? {}) as PolicySpec;
  const { validations = [], auditAnnotations = [] } = spec;
  const errors = commonErrors(spec);
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const why = 'validations or auditAnnotations must be non-empty';
    errors.push(fieldError.required('spec.validations', `${why}; at least one must be specified`));
    errors.push(fieldError.required('spec.auditAnnotations', `${why}; at least one must be specified`));
  }
  validations.forEach((validation, index) => {
    errors.push(...validationErrors(validation, `spec.validations[${index}]`));
  });
  auditAnnotations.forEach(({ key, valueExpression }, index) => {
    const at = `spec.auditAnnotations[${index}]`;
    const complaints = isQualifiedName(`${object.metadata.name ?? ''}/${key}`);
    errors.push(...complaints.map((why) => fieldError.invalid(`${at}.key`, key, why)));
    errors.push(
      ...expressionErrors(
        valueExpression,
        `${at}.valueExpression`,
        POLICY_NAMES,
        'string or null',
        'valueExpression is not specified',
      ),
    );
    if (auditAnnotations.findIndex((other) => other.key === key) < index) {
      errors.push(fieldError.duplicate(`${at}.key`, key));
    }
  });
  return errors;
}

function mutationErrors({ patchType, applyConfiguration, jsonPatch }: Mutation, at: string): FieldError[] {
  const ways = { ApplyConfiguration: 'applyConfiguration', JSONPatch: 'jsonPatch' } as const;
  if (patchType === undefined || patchType === '') return [fieldError.required(`${at}.patchType`)];
  if (patchType !== 'ApplyConfiguration' && patchType !== 'JSONPatch') {
    return [fieldError.notSupported(`${at}.patchType`, patchType, Object.keys(ways))];
  }
  const isPatch = patchType === 'JSONPatch';
  const [wanted, other] = isPatch ? [jsonPatch, applyConfiguration] : [applyConfiguration, jsonPatch];
  const field = ways[patchType];
  if (wanted === undefined) {
    return [fieldError.required(`${at}.${field}`, `must be specified when patchType is ${patchType}`)];
  }
  const errors = expressionErrors(
    wanted.expression,
    `${at}.${field}.expression`,
    POLICY_NAMES,
    isPatch ? 'list(JSONPatch)' : 'Object',
  );
  if (other !== undefined) {
    const why = `must be omitted when patchType is ${patchType}`;
    errors.push(fieldError.invalid(`${at}.${isPatch ? ways.ApplyConfiguration : ways.JSONPatch}`, '{}', why));
  }
  return errors;
}

function mutatingPolicyErrors(object: KubeObject): FieldError[] {
  const spec = (object['spec'] ?? {}) as MutatingPolicySpec;
  const { mutations = [], reinvocationPolicy } = spec;
  const errors = commonErrors(spec);
  if (mutations.length === 0)
    errors.push(fieldError.required('spec.mutations', 'mutations must contain at least one item'));
  mutations.forEach((mutation, index) =>
    errors.push(...mutationErrors(mutation, `spec.mutations[${index}]`)),
  );
  if (reinvocationPolicy === undefined || reinvocationPolicy === '') {
    errors.push(fieldError.required('spec.reinvocationPolicy'));
  } else if (!REINVOCATION.includes(reinvocationPolicy)) {
    errors.push(fieldError.notSupported('spec.reinvocationPolicy', reinvocationPolicy, REINVOCATION));
  }
  return errors;
}

function bindingErrors(object: KubeObject): FieldError[] {
  const { validationActions } = (object['spec'] ?? {}) as BindingSpec;
  return [...boundErrors(object), ...actionErrors(validationActions ?? [])];
}

function boundErrors(object: KubeObject): FieldError[] {
  const { policyName = '', paramRef, matchResources } = (object['spec'] ?? {}) as BindingSpec;
  const errors: FieldError[] = [];
  if (policyName === '') errors.push(fieldError.required('spec.policyName'));
  const complaints = policyName === '' ? [] : isDns1123Subdomain(policyName);
  errors.push(...complaints.map((why) => fieldError.invalid('spec.policyName', policyName, why)));
  if (paramRef !== undefined) errors.push(...paramRefErrors(paramRef, 'spec.paramRef'));
  if (matchResources !== undefined) errors.push(...matchErrors(matchResources, 'spec.matchResources'));
  return errors;
}

function paramRefErrors(paramRef: NonNullable<BindingSpec['paramRef']>, at: string): FieldError[] {
  const { name = '', selector, parameterNotFoundAction: action } = paramRef;
  const errors: FieldError[] = [];
  const why = 'name and selector are mutually exclusive';
  if (name !== '') {
    const complaints = nameIsPathSegment(name, false);
    errors.push(...complaints.map((complaint) => fieldError.invalid(`${at}.name`, name, complaint)));
    if (selector !== undefined) errors.push(fieldError.forbidden(`${at}.name`, why));
  }
  if (selector !== undefined) {
    errors.push(...validateLabelSelector(selector, `${at}.selector`));
    if (name !== '') errors.push(fieldError.forbidden(`${at}.selector`, why));
  }
  if (name === '' && selector === undefined) {
    errors.push(fieldError.required(at, 'one of name or selector must be specified'));
  }
  const path = `${at}.parameterNotFoundAction`;
  if (action === undefined || action === '') errors.push(fieldError.required(path));
  else if (!ON_MISSING.includes(action)) errors.push(fieldError.notSupported(path, action, ON_MISSING));
  return errors;
}

function actionErrors(actions: readonly string[]): FieldError[] {
  const at = 'spec.validationActions';
  if (actions.length === 0) {
    return [fieldError.required(at, 'at least one validation action is required')];
  }
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
  return errors;
}

interface Configuration {
  readonly webhooks?: readonly { readonly matchConditions?: readonly MatchCondition[] }[];
}

function configurationErrors(object: KubeObject): FieldError[] {
  return ((object as unknown as Configuration).webhooks ?? []).flatMap(({ matchConditions = [] }, index) =>
    conditionErrors(matchConditions, `webhooks[${index}].matchConditions`, CONDITION_NAMES),
  );
}

const CHECKS = new Map<string, (object: KubeObject) => FieldError[]>([
  ['ValidatingAdmissionPolicy', policyErrors],
  ['ValidatingAdmissionPolicyBinding', bindingErrors],
  ['MutatingAdmissionPolicy', mutatingPolicyErrors],
  ['MutatingAdmissionPolicyBinding', boundErrors],
  ['ValidatingWebhookConfiguration', configurationErrors],
  ['MutatingWebhookConfiguration', configurationErrors],
]);

/** Refuses registrations that could not be used. */
export const registrationChecks: AdmissionPlugin = {
  name: 'RegistrationChecks',
  handles: ({ group, operation, subresource }) =>
    group === 'admissionregistration.k8s.io' && operation !== 'DELETE' && subresource === '',
  validate({ object, group, kind, name }) {
    const errors = object === undefined ? [] : (CHECKS.get(kind)?.(object) ?? []);
    if (errors.length > 0) throw invalid({ group, kind }, name, errors);
  },
};
