// The registrations of admission webhooks: stored, defaulted and checked here; calling them is the business of
// admission.
import type { KubeObject } from '../../api/index.ts';
import {
  fieldError,
  isDns1123Subdomain,
  reviewVersionErrors,
  validateLabelSelector,
  webhookClientErrors,
  type FieldError,
  type LabelSelector,
  type WebhookClient,
} from '../../machinery/index.ts';
import { conditionErrors } from '../admission-policy/condition-validation.ts';
import { CONDITION_SCOPE, type MatchCondition } from '../admission-policy/expressions.ts';
import { change, each, fill } from '../typed/drafts.ts';
import type { BuiltinKind } from './builtin.ts';
import { oneOfIfGiven } from './checks.ts';
import * as printers from '../table/printers.ts';
import type { Rule } from '../admission-policy/matching.ts';
import { MATCH_POLICIES, ruleDefaults, ruleErrors } from './webhook-rules.ts';

interface Webhook {
  readonly name: string;
  readonly failurePolicy?: string;
  readonly matchPolicy?: string;
  readonly namespaceSelector?: LabelSelector;
  readonly objectSelector?: LabelSelector;
  readonly timeoutSeconds?: number;
  readonly reinvocationPolicy?: string;
  readonly sideEffects?: string;
  readonly admissionReviewVersions?: readonly string[] | null;
  readonly rules?: readonly Rule[];
  readonly clientConfig?: WebhookClient;
  readonly matchConditions?: readonly MatchCondition[];
}
interface Configuration {
  readonly webhooks?: readonly Webhook[];
}

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

const SIDE_EFFECTS = ['None', 'NoneOnDryRun'];

function nameErrors(name: string, path: string): FieldError[] {
  if (name === '') return [fieldError.required(path)];
  const complaints = isDns1123Subdomain(name);
  if (complaints.length > 0) return [fieldError.invalid(path, name, complaints.join(','))];
  if (name.split('.').length >= 3) return [];
  const why = 'should be a domain with at least three segments separated by dots';
  return [fieldError.invalid(path, name, why)];
}

function webhookErrors(webhook: Webhook, at: string): FieldError[] {
  const { name, rules = [], sideEffects, timeoutSeconds = 10 } = webhook;
  const errors = [
    ...nameErrors(name, `${at}.name`),
    ...rules.flatMap((rule, i) => ruleErrors(rule, `${at}.rules[${i}]`)),
    ...oneOfIfGiven(webhook.failurePolicy, ['Fail', 'Ignore'], `${at}.failurePolicy`),
    ...oneOfIfGiven(webhook.matchPolicy, MATCH_POLICIES, `${at}.matchPolicy`),
    ...oneOfIfGiven(sideEffects, SIDE_EFFECTS, `${at}.sideEffects`),
  ];
  if (sideEffects === undefined) {
    errors.push(fieldError.required(`${at}.sideEffects`, `must specify one of ${SIDE_EFFECTS.join(', ')}`));
  }
  if (timeoutSeconds < 1 || timeoutSeconds > 30) {
    const why = 'the timeout value must be between 1 and 30 seconds';
    errors.push(fieldError.invalid(`${at}.timeoutSeconds`, timeoutSeconds, why));
  }
  return [
    ...errors,
    ...validateLabelSelector(webhook.namespaceSelector, `${at}.namespaceSelector`),
    ...validateLabelSelector(webhook.objectSelector, `${at}.objectSelector`),
    ...oneOfIfGiven(webhook.reinvocationPolicy, ['IfNeeded', 'Never'], `${at}.reinvocationPolicy`),
    ...webhookClientErrors(webhook.clientConfig, `${at}.clientConfig`),
    ...conditionErrors(webhook.matchConditions ?? [], `${at}.matchConditions`, CONDITION_SCOPE),
    ...reviewVersionErrors(
      webhook.admissionReviewVersions ?? [],
      `${at}.admissionReviewVersions`,
      'must specify one of v1, v1beta1',
    ),
  ];
}

function configurationErrors(object: KubeObject): FieldError[] {
  const names = new Set<string>();
  return ((object as unknown as Configuration).webhooks ?? []).flatMap((webhook, i) => {
    const errors = webhookErrors(webhook, `webhooks[${i}]`);
    if (webhook.name !== '' && names.has(webhook.name)) {
      errors.push(fieldError.duplicate(`webhooks[${i}].name`, webhook.name));
    }
    names.add(webhook.name);
    return errors;
  });
}

export function webhookConfiguration(mutating: boolean): BuiltinKind {
  return {
    defaults: (object) =>
      change(object as unknown as Configuration, 'webhooks', (webhooks) =>
        each(webhooks, (webhook) => webhookDefaults(webhook, mutating)),
      ) as unknown as KubeObject,
    strategy: { generation: 'spec', validate: configurationErrors },
    printer: printers.webhookConfigurations,
  };
}
