// admissionregistration.k8s.io and apiregistration.k8s.io: who else has a say in requests. Calling webhooks is the
// business of admission; here their registrations are stored, defaulted and checked.
import type { APIService, KubeObject } from '../../api/index.ts';
import {
  fieldError,
  isDns1035Label,
  isDns1123Subdomain,
  nameIsPathSegment,
  type FieldError,
} from '../../machinery/index.ts';
import { change, each, fill } from '../typed/drafts.ts';
import type { BuiltinKind, BuiltinKinds } from './builtin.ts';
import {
  bindingErrors,
  mutatingBindingErrors,
  mutatingPolicyErrors,
  policyErrors,
} from '../admission-policy/checks.ts';
import { named } from './checks.ts';
import { statusSubresource } from './status.ts';
import * as printers from '../table/printers.ts';
import { ruleDefaults, type Match } from './webhook-rules.ts';
import { webhookConfiguration } from './webhook-configurations.ts';

function matchDefaults(match: Match): Match {
  let next = fill(match, { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {} });
  next = change(next, 'resourceRules', (rules) => each(rules, ruleDefaults));
  return change(next, 'excludeResourceRules', (rules) => each(rules, ruleDefaults));
}

/** Policies and their bindings differ in what they call their match. */
function admissionPolicy(
  field: 'matchConstraints' | 'matchResources',
  printer: NonNullable<BuiltinKind['printer']>,
  validate: (object: KubeObject) => FieldError[],
): BuiltinKind {
  return {
    defaults: (object) =>
      change(object as unknown as { spec?: Record<string, unknown> }, 'spec', (given) => {
        const spec = field === 'matchConstraints' ? fill(given, { failurePolicy: 'Fail' }) : given;
        return change(spec, field, (match) => matchDefaults(match as Match));
      }) as unknown as KubeObject,
    strategy: { generation: 'spec', validate },
    subresources: { status: statusSubresource() },
    printer,
  };
}

function validateApiService({ metadata, spec }: APIService): FieldError[] {
  const { group = '', version = '', service, caBundle = '', insecureSkipTLSVerify = false } = spec ?? {};
  const { name = '' } = metadata;
  const errors: FieldError[] = [];
  const expected = `${version}.${group}`;
  if (name !== expected) {
    const why = `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(expected)}`;
    errors.push(fieldError.invalid('metadata.name', name, why));
  }
  if (group === '' && version !== 'v1') {
    const why = 'only v1 may have an empty group and it better be legacy kube';
    errors.push(fieldError.required('spec.group', why));
  }
  if (group !== '') errors.push(...named(isDns1123Subdomain(group), group, 'spec.group'));
  errors.push(...named(isDns1035Label(version), version, 'spec.version'));
  const { groupPriorityMinimum = 0, versionPriority = 0 } = spec ?? {};
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > 20_000) {
    const why = 'must be positive and less than 20000';
    errors.push(fieldError.invalid('spec.groupPriorityMinimum', groupPriorityMinimum, why));
  }
  if (versionPriority <= 0 || versionPriority > 1000) {
    const why = 'must be positive and less than 1000';
    errors.push(fieldError.invalid('spec.versionPriority', versionPriority, why));
  }
  if (service === undefined) {
    if (caBundle !== '') {
      const shown = `${Buffer.from(caBundle, 'base64').length} bytes`;
      errors.push(fieldError.invalid('spec.caBundle', shown, 'local APIServices may not have a caBundle'));
    }
    if (insecureSkipTLSVerify) {
      const why = 'local APIServices may not have insecureSkipTLSVerify';
      errors.push(fieldError.invalid('spec.insecureSkipTLSVerify', true, why));
    }
    return errors;
  }
  if ((service.namespace ?? '') === '') errors.push(fieldError.required('spec.service.namespace'));
  if ((service.name ?? '') === '') errors.push(fieldError.required('spec.service.name'));
  if (insecureSkipTLSVerify && caBundle !== '') {
    const why = 'may not be true if caBundle is present';
    errors.push(fieldError.invalid('spec.insecureSkipTLSVerify', true, why));
  }
  return errors;
}

const apiService: BuiltinKind = {
  defaults: (object) =>
    change(object as unknown as { spec?: { service?: { port?: number } } }, 'spec', (spec) =>
      change(spec, 'service', (service) => fill(service, { port: 443 })),
    ) as unknown as KubeObject,
  strategy: {
    requiresResourceVersion: true,
    // The name follows from version and group, and that of the core group ends with a dot.
    nameRule: nameIsPathSegment,
    validate: (object) => validateApiService(object as APIService),
  },
  subresources: { status: statusSubresource() },
  printer: printers.apiServices,
};

const REGISTRATION = 'admissionregistration.k8s.io';

export const registrations: BuiltinKinds = {
  [`${REGISTRATION}/validatingwebhookconfigurations`]: webhookConfiguration(false),
  [`${REGISTRATION}/mutatingwebhookconfigurations`]: webhookConfiguration(true),
  [`${REGISTRATION}/validatingadmissionpolicies`]: admissionPolicy(
    'matchConstraints',
    printers.validatingAdmissionPolicies,
    policyErrors,
  ),
  [`${REGISTRATION}/validatingadmissionpolicybindings`]: admissionPolicy(
    'matchResources',
    printers.admissionPolicyBindings,
    bindingErrors,
  ),
  [`${REGISTRATION}/mutatingadmissionpolicies`]: admissionPolicy(
    'matchConstraints',
    printers.mutatingAdmissionPolicies,
    mutatingPolicyErrors,
  ),
  [`${REGISTRATION}/mutatingadmissionpolicybindings`]: admissionPolicy(
    'matchResources',
    printers.admissionPolicyBindings,
    mutatingBindingErrors,
  ),
  'apiregistration.k8s.io/apiservices': apiService,
};
