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
import { named, oneOf, oneOfIfGiven } from './checks.ts';
import { statusSubresource } from './status.ts';
import * as printers from '../table/printers.ts';

interface Rule {
  readonly scope?: string;
  readonly operations?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly apiVersions?: readonly string[];
  readonly resources?: readonly string[];
}
interface Webhook {
  readonly name: string;
  readonly failurePolicy?: string;
  readonly matchPolicy?: string;
  readonly namespaceSelector?: object;
  readonly objectSelector?: object;
  readonly timeoutSeconds?: number;
  readonly reinvocationPolicy?: string;
  readonly sideEffects?: string;
  readonly admissionReviewVersions?: readonly string[];
  readonly rules?: readonly Rule[];
  readonly clientConfig?: { readonly url?: string; readonly service?: { readonly port?: number } };
}
interface Configuration {
  readonly webhooks?: readonly Webhook[];
}

const ruleDefaults = (rule: Rule): Rule => fill(rule, { scope: '*' });

function webhookDefaults(webhook: Webhook, mutating: boolean): Webhook {
  let next = fill(webhook, {
    failurePolicy: 'Fail',
    matchPolicy: 'Equivalent',
    namespaceSelector: {},
    objectSelector: {},
    timeoutSeconds: 10,
    ...(mutating ? { reinvocationPolicy: 'Never' } : {}),
  });
  next = change(next, 'rules', (rules) => each(rules, ruleDefaults));
  return change(next, 'clientConfig', (config) =>
    change(config, 'service', (service) => fill(service, { port: 443 })),
  );
}

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];

function validateRule(rule: Rule, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const { operations = [], apiGroups = [], apiVersions = [], resources = [] } = rule;
  if (operations.length === 0) errors.push(fieldError.required(`${at}.operations`));
  if (operations.length > 1 && operations.includes('*')) {
    const why = "if '*' is present, must not specify other operations";
    errors.push(fieldError.invalid(`${at}.operations`, operations, why));
  }
  errors.push(...operations.flatMap((one, i) => oneOf(one, OPERATIONS, `${at}.operations[${i}]`, false)));
  if (apiGroups.length === 0) errors.push(fieldError.required(`${at}.apiGroups`));
  if (apiVersions.length === 0) errors.push(fieldError.required(`${at}.apiVersions`));
  if (resources.length === 0) errors.push(fieldError.required(`${at}.resources`));
  errors.push(...oneOfIfGiven(rule.scope, ['*', 'Cluster', 'Namespaced'], `${at}.scope`));
  return errors;
}

function validateWebhook(webhook: Webhook, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const { name, clientConfig, admissionReviewVersions = [], timeoutSeconds = 10 } = webhook;
  errors.push(...named(isDns1123Subdomain(name), name, `${at}.name`));
  if (name.split('.').length < 3) {
    errors.push(
      fieldError.invalid(
        `${at}.name`,
        name,
        'should be a domain with at least three segments separated by dots',
      ),
    );
  }
  if ((admissionReviewVersions ?? []).length === 0) {
    errors.push(fieldError.required(`${at}.admissionReviewVersions`, 'must specify one of v1, v1beta1'));
  }
  errors.push(...(webhook.rules ?? []).flatMap((rule, i) => validateRule(rule, `${at}.rules[${i}]`)));
  errors.push(...oneOfIfGiven(webhook.failurePolicy, ['Fail', 'Ignore'], `${at}.failurePolicy`));
  errors.push(...oneOfIfGiven(webhook.matchPolicy, ['Equivalent', 'Exact'], `${at}.matchPolicy`));
  errors.push(...oneOf(webhook.sideEffects, ['None', 'NoneOnDryRun'], `${at}.sideEffects`, false));
  if (timeoutSeconds < 1 || timeoutSeconds > 30) {
    const why = 'the timeout value must be between 1 and 30 seconds';
    errors.push(fieldError.invalid(`${at}.timeoutSeconds`, timeoutSeconds, why));
  }
  const ways = [clientConfig?.url, clientConfig?.service].filter((way) => way !== undefined).length;
  if (ways !== 1)
    errors.push(fieldError.required(`${at}.clientConfig`, 'exactly one of url or service is required'));
  else if (clientConfig?.url !== undefined && !clientConfig.url.startsWith('https://')) {
    errors.push(
      fieldError.invalid(
        `${at}.clientConfig.url`,
        clientConfig.url,
        "'https' is the only allowed URL scheme",
      ),
    );
  }
  return errors;
}

function validateConfiguration(object: KubeObject): FieldError[] {
  const names = new Set<string>();
  return ((object as unknown as Configuration).webhooks ?? []).flatMap((webhook, i) => {
    const errors = validateWebhook(webhook, `webhooks[${i}]`);
    if (names.has(webhook.name)) errors.push(fieldError.duplicate(`webhooks[${i}].name`, webhook.name));
    names.add(webhook.name);
    return errors;
  });
}

function webhookConfiguration(mutating: boolean): BuiltinKind {
  return {
    defaults: (object) =>
      change(object as unknown as Configuration, 'webhooks', (webhooks) =>
        each(webhooks, (webhook) => webhookDefaults(webhook, mutating)),
      ) as unknown as KubeObject,
    strategy: { generation: 'spec', validate: validateConfiguration },
    printer: printers.webhookConfigurations,
  };
}

interface Match {
  readonly matchPolicy?: string;
  readonly namespaceSelector?: object;
  readonly objectSelector?: object;
  readonly resourceRules?: readonly Rule[];
  readonly excludeResourceRules?: readonly Rule[];
}

function matchDefaults(match: Match): Match {
  let next = fill(match, { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {} });
  next = change(next, 'resourceRules', (rules) => each(rules, ruleDefaults));
  return change(next, 'excludeResourceRules', (rules) => each(rules, ruleDefaults));
}

/** Policies and their bindings differ in what they call their match. */
function admissionPolicy(
  field: 'matchConstraints' | 'matchResources',
  printer: NonNullable<BuiltinKind['printer']>,
): BuiltinKind {
  return {
    defaults: (object) =>
      change(object as unknown as { spec?: Record<string, unknown> }, 'spec', (given) => {
        const spec = field === 'matchConstraints' ? fill(given, { failurePolicy: 'Fail' }) : given;
        return change(spec, field, (match) => matchDefaults(match as Match));
      }) as unknown as KubeObject,
    strategy: { generation: 'spec' },
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
  ),
  [`${REGISTRATION}/validatingadmissionpolicybindings`]: admissionPolicy(
    'matchResources',
    printers.admissionPolicyBindings,
  ),
  [`${REGISTRATION}/mutatingadmissionpolicies`]: admissionPolicy(
    'matchConstraints',
    printers.mutatingAdmissionPolicies,
  ),
  [`${REGISTRATION}/mutatingadmissionpolicybindings`]: admissionPolicy(
    'matchResources',
    printers.admissionPolicyBindings,
  ),
  'apiregistration.k8s.io/apiservices': apiService,
};
