// All rules of ours, each under the name of upstream's webhook.
import {
  CLUSTER_RESOURCE_BINDING_ID_LABEL,
  PACKAGES_GROUP,
  RESOURCE_BINDING_ID_LABEL,
  type ClusterOverridePolicy,
  type ClusterPropagationPolicy,
  type ClusterTaintPolicy,
  type FederatedHPA,
  type FederatedResourceQuota,
  type FleetPackage,
  type KubeObject,
  type OverridePolicy,
  type PropagationPolicy,
  type ResourceBinding,
  type ResourceInterpretation,
  type ResourceInterpreterCustomization,
  type ResourceInterpreterWebhookConfiguration,
} from '../api/index.ts';
import type { FeatureGates, Random } from '../base/index.ts';
import type { AdmissionAttributes } from '../machinery/index.ts';
import { rolloutSuspensionProblem, stampRollout, type AnyPackage } from '../packaging/index.ts';
import { validateBinding } from './binding.ts';
import { deletionRefusal } from './deletion-protection.ts';
import { defaultFederatedHpa, validateFederatedHpa } from './federated-hpa.ts';
import {
  enforceQuotas,
  validateFederatedResourceQuota,
  type QuotaLedger,
} from './federated-resource-quota.ts';
import { validateFleetPackage, verbsForFleetPackage } from './fleet-package.ts';
import { withRequiredFields } from './go-zeroes.ts';
import { withTodaysSpelling } from './legacy-spellings.ts';
import { defaultOverridePolicy, validateOverridePolicy } from './override-policy.ts';
import { defaultPolicySpec, withPolicyIdentity, type DefaultTolerations } from './policy-defaults.ts';
import { packageRepositoryRule } from './package-repository.ts';
import { packageRules } from './package.ts';
import { packageSuspensionRules, refusal, type SuspensionSeams } from './package-suspension.ts';
import { validatePolicy } from './policy-validation.ts';
import { interpretationRefusal } from './resource-interpretation.ts';
import { customizationRefusal } from './resource-interpreter-customization.ts';
import { validateInterpreterWebhooks } from './resource-interpreter-webhook-configuration.ts';
import type { Rule } from './rule.ts';
import { suspensionRules } from './suspension.ts';
import { keepForUndo, type UndoLedger } from './undo-window.ts';
import { validateTaintPolicy } from './taint-policy.ts';
import { completeWork } from './work.ts';

export interface AdmissionOptions {
  readonly gates: FeatureGates;
  readonly random: Random;
  /** The flag `--allow-no-execute-taint-policy`. */
  readonly allowNoExecuteTaintPolicy: boolean;
  /** The flag `--accept-legacy-spellings`. */
  readonly acceptLegacySpellings: boolean;
  /** What policies are completed with; absent: nothing. */
  readonly defaultTolerations?: DefaultTolerations | undefined;
  /** What bindings are counted against with the gate FederatedQuotaEnforcement. */
  readonly quotas: QuotaLedger;
  /** The customizations that are stored, against which another must not go. */
  readonly customizations: () => Promise<readonly ResourceInterpreterCustomization[]>;
  /** Where deletions are kept for a while; absent: they cannot be undone. */
  readonly undo?: UndoLedger | undefined;
  /** Packages of both kinds, whose repositories must stay. */
  readonly packages: () => Promise<readonly AnyPackage[]>;
  /** The same for ResourceInterpretations. */
  readonly interpretations: () => Promise<readonly ResourceInterpretation[]>;
  /** Milliseconds since the epoch; for whoever is suspended from now on. */
  readonly now: () => number;
  /** Whether somebody may do what takes a verb of its own. */
  readonly may: SuspensionSeams['may'];
}

const CREATE_UPDATE = ['CREATE', 'UPDATE'] as const;
const POLICY_GROUP = 'policy.karmada.io';
const WORK_GROUP = 'work.karmada.io';

export function admissionRules(options: AdmissionOptions): readonly Rule[] {
  return [
    propagationPolicyRule('propagationpolicy.karmada.io', 'propagationpolicies', options),
    propagationPolicyRule('clusterpropagationpolicy.karmada.io', 'clusterpropagationpolicies', options),
    {
      webhook: 'overridepolicy.karmada.io',
      group: POLICY_GROUP,
      resource: 'overridepolicies',
      mutateOn: CREATE_UPDATE,
      validateOn: CREATE_UPDATE,
      mutate: (object) => defaultOverridePolicy(object as OverridePolicy),
      validate: ({ object }) => validateOverridePolicy(object as OverridePolicy),
    },
    {
      webhook: 'clusteroverridepolicy.karmada.io',
      group: POLICY_GROUP,
      resource: 'clusteroverridepolicies',
      validateOn: CREATE_UPDATE,
      validate: ({ object }) => validateOverridePolicy(object as ClusterOverridePolicy),
    },
    {
      webhook: 'clustertaintpolicy.karmada.io',
      group: POLICY_GROUP,
      resource: 'clustertaintpolicies',
      validateOn: CREATE_UPDATE,
      validate: ({ object }) =>
        validateTaintPolicy(object as ClusterTaintPolicy, options.allowNoExecuteTaintPolicy),
    },
    ...(['fleetpackages', 'clusterfleetpackages'] as const).map((plural): Rule => ({
      webhook: `${plural}.navarch.io`,
      group: 'navarch.io',
      resource: plural,
      mutateOn: CREATE_UPDATE,
      validateOn: CREATE_UPDATE,
      mutate: (object, { oldObject, user }) =>
        stampRollout(object as FleetPackage, oldObject as FleetPackage | undefined, {
          user: user.name,
          nowMs: options.now(),
        }),
      validate: async (attributes) => {
        const next = attributes.object as FleetPackage;
        const old = attributes.oldObject as FleetPackage | undefined;
        const errors = validateFleetPackage(next);
        if (errors.length > 0) return errors;
        const problem = rolloutSuspensionProblem(next, old, options.now());
        if (problem !== undefined) return problem;
        const { namespace, name } = attributes;
        const resource = plural === 'fleetpackages' ? 'packages' : 'clusterpackages';
        const verbs = verbsForFleetPackage(next, old);
        return refusal(options, attributes, { group: PACKAGES_GROUP, resource, namespace, name }, verbs);
      },
    })),
    {
      webhook: 'federatedhpa.karmada.io',
      group: 'autoscaling.karmada.io',
      resource: 'federatedhpas',
      mutateOn: CREATE_UPDATE,
      validateOn: CREATE_UPDATE,
      mutate: (object) => defaultFederatedHpa(object as FederatedHPA),
      validate: ({ object }) => validateFederatedHpa(object as FederatedHPA),
    },
    {
      webhook: 'federatedresourcequota.karmada.io',
      group: POLICY_GROUP,
      resource: 'federatedresourcequotas',
      validateOn: CREATE_UPDATE,
      validate: ({ object }) => validateFederatedResourceQuota(object as FederatedResourceQuota),
    },
    {
      webhook: 'resourcebinding.karmada.io',
      group: WORK_GROUP,
      resource: 'resourcebindings',
      mutateOn: ['CREATE'],
      validateOn: CREATE_UPDATE,
      mutate: (object) => withId(object, RESOURCE_BINDING_ID_LABEL, options.random),
      validate: (attributes) => {
        const { gates } = options;
        const binding = attributes.object as ResourceBinding;
        const errors = validateBinding(binding, gates.MultiplePodTemplatesScheduling);
        if (errors.length > 0 || !gates.FederatedQuotaEnforcement) return errors;
        return enforceQuotas(attributes, options.quotas);
      },
    },
    {
      webhook: 'clusterresourcebinding.karmada.io',
      group: WORK_GROUP,
      resource: 'clusterresourcebindings',
      mutateOn: ['CREATE'],
      mutate: (object) => withId(object, CLUSTER_RESOURCE_BINDING_ID_LABEL, options.random),
    },
    {
      webhook: 'work.karmada.io',
      group: WORK_GROUP,
      resource: 'works',
      mutateOn: CREATE_UPDATE,
      mutate: (object) => completeWork(object, options.random),
    },
    {
      webhook: 'config.karmada.io',
      group: 'config.karmada.io',
      resource: 'resourceinterpreterwebhookconfigurations',
      validateOn: CREATE_UPDATE,
      validate: ({ object }) =>
        validateInterpreterWebhooks(object as ResourceInterpreterWebhookConfiguration),
    },
    {
      webhook: 'resourceinterpretercustomization.karmada.io',
      group: 'config.karmada.io',
      resource: 'resourceinterpretercustomizations',
      validateOn: CREATE_UPDATE,
      validate: async ({ object }) =>
        customizationRefusal(object as ResourceInterpreterCustomization, await options.customizations()),
    },
    {
      webhook: 'resourceinterpretation.navarch.io',
      group: 'navarch.io',
      resource: 'resourceinterpretations',
      validateOn: CREATE_UPDATE,
      validate: async ({ object }) =>
        interpretationRefusal(object as ResourceInterpretation, await options.interpretations()),
    },
    ...suspensionRules(options.now),
    ...packageRules,
    packageRepositoryRule(options.packages),
    ...packageSuspensionRules(options),
    {
      webhook: 'resourcedeletionprotection.karmada.io',
      group: '*',
      resource: '*',
      validateOn: ['DELETE'],
      validate: ({ oldObject }) => deletionRefusal(oldObject),
    },
    // After what may refuse.
    ...(options.undo === undefined ? [] : [undoRule(options.undo)]),
  ];
}

function undoRule(ledger: UndoLedger): Rule {
  return {
    webhook: 'undo.navarch.io',
    group: '*',
    resource: '*',
    validateOn: ['DELETE'],
    validate: (attributes) => keepForUndo(attributes, ledger),
  };
}

function propagationPolicyRule(webhook: string, resource: string, options: AdmissionOptions): Rule {
  type Policy = PropagationPolicy | ClusterPropagationPolicy;
  return {
    webhook,
    group: POLICY_GROUP,
    resource,
    mutateOn: CREATE_UPDATE,
    validateOn: CREATE_UPDATE,
    mutate(object: KubeObject, { operation, namespace }: AdmissionAttributes, warn): KubeObject {
      const policy = object as Policy;
      // A policy without a spec is refused by the schema, which is checked later.
      if (policy.spec?.resourceSelectors === undefined) return policy;
      const spelled = withTodaysSpelling(
        withRequiredFields(policy.spec),
        options.acceptLegacySpellings,
        warn,
      );
      const spec = defaultPolicySpec(spelled, namespace, options.defaultTolerations);
      const defaulted = spec === policy.spec ? policy : ({ ...policy, spec } as Policy);
      return operation === 'CREATE' ? withPolicyIdentity(defaulted, options.random.uuid()) : defaulted;
    },
    validate: ({ object, oldObject }) => validatePolicy(object as Policy, oldObject as Policy | undefined),
  };
}

function withId(object: KubeObject, label: string, random: Random): KubeObject {
  if ((object.metadata.labels?.[label] ?? '') !== '') return object;
  const labels = { ...object.metadata.labels, [label]: random.uuid() };
  return { ...object, metadata: { ...object.metadata, labels } };
}
