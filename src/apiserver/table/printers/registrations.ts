// What `kubectl get` prints of who else has a say in requests.
import type { KubeObject, LabelSelector } from '../../../api/index.ts';
import type { Printer } from '../../resource.ts';
import { UNSET, goSelector, printer } from '../columns.ts';
import { type Data, nameOf, specData } from './fields.ts';

export const webhookConfigurations: Printer = printer<KubeObject>('Name|Webhooks:integer|Age', (one) => [
  nameOf(one),
  ((one['webhooks'] as readonly unknown[] | undefined) ?? []).length,
]);

function paramKindText(paramKind: Data | undefined): string {
  return paramKind === undefined
    ? UNSET
    : `${paramKind['apiVersion'] as string}/${paramKind['kind'] as string}`;
}

export const validatingAdmissionPolicies: Printer = printer<KubeObject>(
  'Name|Validations:integer|ParamKind|Age',
  (one) => [
    nameOf(one),
    ((specData(one)['validations'] as readonly unknown[] | undefined) ?? []).length,
    paramKindText(specData(one)['paramKind'] as Data | undefined),
  ],
);

export const mutatingAdmissionPolicies: Printer = printer<KubeObject>(
  'Name|Mutations:integer|ParamKind|Age',
  (one) => [
    nameOf(one),
    ((specData(one)['mutations'] as readonly unknown[] | undefined) ?? []).length,
    paramKindText(specData(one)['paramKind'] as Data | undefined),
  ],
);

interface ParamRef {
  readonly name?: string;
  readonly namespace?: string;
  readonly selector?: LabelSelector;
}

function paramText({ name = '', namespace = '', selector }: ParamRef): string {
  if (name !== '') return `${namespace === '' ? '*' : namespace}/${name}`;
  return selector === undefined ? UNSET : goSelector(selector);
}

/** Of either sort of policy. */
export const admissionPolicyBindings: Printer = printer<KubeObject>('Name|PolicyName|ParamRef|Age', (one) => {
  const reference = specData(one)['paramRef'] as ParamRef | undefined;
  return [nameOf(one), specData(one)['policyName'] ?? '', paramText(reference ?? {})];
});

export const apiServices: Printer = printer<KubeObject>('Name|Service|Available|Age', (one) => {
  const service = specData(one)['service'] as { name?: string; namespace?: string } | undefined;
  const conditions =
    ((one['status'] as Data | undefined)?.['conditions'] as
      | readonly { type: string; status: string; reason?: string }[]
      | undefined) ?? [];
  const available = conditions.find(({ type }) => type === 'Available');
  const text =
    available === undefined
      ? 'Unknown'
      : available.status === 'False' && (available.reason ?? '') !== ''
        ? `False (${available.reason})`
        : available.status;
  return [
    nameOf(one),
    service === undefined ? 'Local' : `${service.namespace ?? ''}/${service.name ?? ''}`,
    text,
  ];
});
