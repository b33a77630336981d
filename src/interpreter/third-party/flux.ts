// Flux and Kyverno: objects whose members each report conditions, and that an operator may have suspended.
import type { KindRules } from '../kind-rules.ts';
import type { KubeObject } from '../../api/index.ts';
import { listAt, objectAt, textAt, valueAt, withValue } from '../native/read.ts';
import { last, lasts, namedConditions, observedGeneration, sums, type Items } from './adding-up.ts';
import { hasCondition, referencesOf, reporting, reportingWithGenerations } from './kind-parts.ts';

/** Whether it is suspended is decided where it runs. */
function keepSuspension(desired: KubeObject, observed: KubeObject): KubeObject {
  const suspend = valueAt(observed, 'spec', 'suspend');
  return suspend === undefined || suspend === null
    ? desired
    : withValue(desired, ['spec', 'suspend'], suspend);
}

const secretAt =
  (...path: readonly string[]) =>
  (object: KubeObject): string =>
    textAt(object, 'spec', ...path, 'name');

interface FluxKind {
  /** Of a Ready condition, when all is well. */
  readonly reasons: readonly string[];
  /** The last value of any member, besides conditions; empty while there are no members. */
  readonly texts: readonly string[];
  /** COMPAT: texts are those of the members, empty where none has one; otherwise the template keeps what it has. */
  readonly textsOfMembers?: boolean;
  /** The last value of any member, absent while there is none. */
  readonly values?: readonly string[];
  /** Counted over all members. */
  readonly counters?: readonly string[];
  /** Reported and no more. */
  readonly reported?: readonly string[];
  readonly secrets: readonly ((object: KubeObject) => string)[];
  readonly serviceAccount?: boolean;
}

function counted(items: Items, counters: readonly string[]): Record<string, number> {
  const known = counters.filter(
    (counter) => items.length === 0 || items.some(({ status }) => valueAt(status, counter) !== undefined),
  );
  return sums(items, known);
}

function fluxKind(kind: FluxKind): KindRules {
  const { reasons, texts, textsOfMembers = false, values = [], counters = [], reported = [] } = kind;
  return {
    health: ({ status }) => hasCondition(status, 'Ready', ...reasons),
    status: reportingWithGenerations(
      'conditions', ...texts, ...values, ...counters, ...reported, 'observedGeneration',
    ), // prettier-ignore
    aggregate(template, items) {
      const { conditions: _conditions, artifact: _artifact, ...before } = objectAt(template, 'status') ?? {};
      return {
        ...before,
        ...observedGeneration(template, items),
        ...lasts(items, texts, textsOfMembers || items.length === 0 ? '' : undefined),
        ...lasts(items, values),
        // Upstream adds these to what the template has already, again with each report.
        ...counted(items, counters),
        conditions: namedConditions(items),
      };
    },
    retain: keepSuspension,
    dependencies: (object) => [
      ...referencesOf(
        object,
        'Secret',
        kind.secrets.map((secret) => secret(object)),
      ),
      ...(kind.serviceAccount === true
        ? referencesOf(object, 'ServiceAccount', [textAt(object, 'spec', 'serviceAccountName')])
        : []),
    ],
  };
}

const kustomization = fluxKind({
  reasons: ['ReconciliationSucceeded'],
  texts: ['lastAttemptedRevision', 'lastAppliedRevision'],
  secrets: [secretAt('decryption', 'secretRef'), secretAt('kubeConfig', 'secretRef')],
  serviceAccount: true,
});

const release = fluxKind({
  reasons: ['ReconciliationSucceeded'],
  texts: ['lastAttemptedRevision', 'lastAppliedRevision', 'lastAttemptedValuesChecksum', 'helmChart'],
  values: ['lastReleaseRevision'],
  counters: ['failures', 'upgradeFailures', 'installFailures'],
  secrets: [secretAt('chart', 'spec', 'verify', 'secretRef'), secretAt('kubeConfig', 'secretRef')],
  serviceAccount: true,
});

const helmRelease: KindRules = {
  ...release,
  dependencies: (object) => {
    const values = (kind: string): readonly string[] =>
      listAt(object, 'spec', 'valuesFrom')
        .filter((source) => source['kind'] === kind)
        .map((source) => textAt(source, 'name'));
    return [
      ...(release.dependencies?.(object) ?? []),
      ...referencesOf(object, 'Secret', values('Secret')),
      ...referencesOf(object, 'ConfigMap', values('ConfigMap')),
    ];
  },
};

const SOURCE = { reasons: ['Succeeded'], values: ['artifact'], textsOfMembers: true };
const credentials = secretAt('secretRef');
const signature = secretAt('verify', 'secretRef');

const RULE_COUNTS = ['validate', 'generate', 'mutate', 'verifyimages'];

const kyvernoPolicy: KindRules = {
  health: ({ status }) => {
    const ready = valueAt(status, 'ready');
    return typeof ready === 'boolean' ? ready : hasCondition(status, 'Ready', 'Succeeded');
  },
  status: reporting('ready', 'conditions', 'autogen', 'rulecount'),
  aggregate: (_template, items) => {
    if (items.length === 0) return undefined;
    const counts = items.map(({ clusterName, status }) => ({
      clusterName,
      status: objectAt(status, 'rulecount'),
    }));
    return {
      ...last(items, 'autogen'),
      ...last(items, 'ready'),
      rulecount: sums(counts, RULE_COUNTS),
      conditions: namedConditions(items),
    };
  },
};

export const flux: Readonly<Record<string, KindRules>> = {
  'kustomize.toolkit.fluxcd.io/v1 Kustomization': kustomization,
  'helm.toolkit.fluxcd.io/v2beta1 HelmRelease': helmRelease,
  'source.toolkit.fluxcd.io/v1 GitRepository': fluxKind({
    ...SOURCE,
    texts: [],
    reported: ['observedIgnore', 'observedRecurseSubmodules'],
    secrets: [credentials, signature],
  }),
  'source.toolkit.fluxcd.io/v1beta2 Bucket': fluxKind({
    ...SOURCE,
    texts: ['url'],
    reported: ['observedIgnore'],
    secrets: [credentials],
  }),
  // Upstream does not report its observedGeneration, so that the template's never moves.
  'source.toolkit.fluxcd.io/v1beta2 HelmChart': fluxKind({
    ...SOURCE,
    reasons: ['Succeeded', 'ChartPullSucceeded'],
    texts: ['url', 'observedChartName', 'observedSourceArtifactRevision'],
    secrets: [signature],
  }),
  'source.toolkit.fluxcd.io/v1beta2 HelmRepository': fluxKind({
    ...SOURCE,
    texts: ['url'],
    secrets: [credentials],
  }),
  'source.toolkit.fluxcd.io/v1beta2 OCIRepository': fluxKind({
    ...SOURCE,
    texts: ['url'],
    reported: ['observedIgnore', 'observedLayerSelector'],
    secrets: [credentials, signature, secretAt('certSecretRef')],
    serviceAccount: true,
  }),
  'kyverno.io/v1 Policy': kyvernoPolicy,
  'kyverno.io/v1 ClusterPolicy': kyvernoPolicy,
};
