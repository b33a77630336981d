// DaemonSets: defaults, what is checked, and how often their template has changed.
import type { DaemonSet, DaemonSetSpec, KubeObject } from '../../api/index.ts';
import {
  fieldError,
  labelSelectorFor,
  semanticEqual,
  validateLabelSelector,
  type FieldError,
} from '../../machinery/index.ts';
import { withMetadata } from '../object-codec.ts';
import { change, fill } from '../typed/drafts.ts';
import type { BuiltinKind } from './builtin.ts';
import { immutable, intOrPercent, notAbove100Percent, notNegative, percentOf } from './checks.ts';
import { podTemplateDefaults } from './pod-defaults.ts';
import { statusSubresource } from './status.ts';
import {
  selectorOf,
  validateCollisions,
  validateCounts,
  validateTemplate,
  warningsOf,
} from './workload-checks.ts';
import * as printers from '../table/printers.ts';

const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

function daemonSetDefaults(object: KubeObject): KubeObject {
  return change(object as unknown as DaemonSet, 'spec', (spec) => {
    let next = fill(spec, { revisionHistoryLimit: 10 });
    next = change(next, 'updateStrategy', (strategy) => {
      const typed = fill(strategy, { type: 'RollingUpdate' });
      if (typed.type !== 'RollingUpdate') return typed;
      const filled = fill(typed, { rollingUpdate: {} });
      return change(filled, 'rollingUpdate', (rolling) => fill(rolling, { maxUnavailable: 1, maxSurge: 0 }));
    });
    return change(next, 'template', podTemplateDefaults);
  });
}

function withTemplateGeneration(object: KubeObject, generation: number): KubeObject {
  const annotations = { ...object.metadata.annotations, [TEMPLATE_GENERATION]: String(generation) };
  return withMetadata(object, { ...object.metadata, annotations: Object.freeze(annotations) });
}

function templateGeneration(object: KubeObject): number {
  return Number(object.metadata.annotations?.[TEMPLATE_GENERATION] ?? '0') || 0;
}

const templateOf = (object: KubeObject): unknown => (object['spec'] as { template?: unknown }).template;

function validateDaemonSet(object: KubeObject): FieldError[] {
  const spec = (object as unknown as DaemonSet).spec!;
  const { type, rollingUpdate } = spec.updateStrategy ?? {};
  const path = 'spec.updateStrategy';
  return [
    ...validateDaemonSelector(spec, 'spec'),
    ...validateTemplate(spec.template, 'spec', 'DaemonSet'),
    ...notNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...(type === 'RollingUpdate' || type === 'OnDelete'
      ? []
      : [fieldError.notSupported(path, spec.updateStrategy ?? null, ['RollingUpdate', 'OnDelete'])]),
    ...(type !== 'RollingUpdate' || rollingUpdate === undefined
      ? []
      : validateDaemonRolling(rollingUpdate, `${path}.rollingUpdate`)),
    ...notNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
  ];
}

/** COMPAT: unlike for other kinds, none at all is complained about as one that matches nothing. */
function validateDaemonSelector({ selector, template }: DaemonSetSpec, path: string): FieldError[] {
  const errors = selector === undefined ? [] : validateLabelSelector(selector, `${path}.selector`);
  const labels = template.metadata?.labels;
  if (errors.length === 0 && !labelSelectorFor(selector).matches(labels)) {
    const why = '`selector` does not match template `labels`';
    errors.push(fieldError.invalid(`${path}.template.metadata.labels`, labels ?? null, why));
  }
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  if (selector !== undefined && Object.keys(matchLabels).length + matchExpressions.length === 0) {
    errors.push(fieldError.invalid(`${path}.selector`, selector, 'empty selector is invalid for daemonset'));
  }
  return errors;
}

function validateDaemonRolling(
  rolling: { readonly maxUnavailable?: number | string; readonly maxSurge?: number | string },
  path: string,
): FieldError[] {
  const { maxUnavailable = 0, maxSurge = 0 } = rolling;
  const errors = [
    ...intOrPercent(maxUnavailable, `${path}.maxUnavailable`),
    ...intOrPercent(maxSurge, `${path}.maxSurge`),
    ...notAbove100Percent(maxUnavailable, `${path}.maxUnavailable`),
    ...notAbove100Percent(maxSurge, `${path}.maxSurge`),
  ];
  const isZero = (value: number | string): boolean => value === 0 || percentOf(value) === 0;
  if (isZero(maxUnavailable) && isZero(maxSurge)) {
    errors.push(fieldError.required(`${path}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
  } else if (!isZero(maxUnavailable) && !isZero(maxSurge)) {
    const why = 'may not be set when maxUnavailable is non-zero';
    errors.push(fieldError.invalid(`${path}.maxSurge`, maxSurge, why));
  }
  return errors;
}

const COUNTS = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
  'collisionCount',
];

export const daemonSet: BuiltinKind = {
  defaults: daemonSetDefaults,
  strategy: {
    generation: 'spec',
    prepareForCreate: (object) => withTemplateGeneration(object, Math.max(1, templateGeneration(object))),
    prepareForUpdate: (next, old) =>
      withTemplateGeneration(
        next,
        templateGeneration(old) + (semanticEqual(templateOf(next), templateOf(old)) ? 0 : 1),
      ),
    validate: validateDaemonSet,
    warnings: warningsOf(false),
    validateUpdate: (next, old) => [
      ...validateDaemonSet(next),
      ...immutable(selectorOf(next), selectorOf(old), 'spec.selector'),
    ],
  },
  subresources: {
    status: statusSubresource({
      validate: (next, old) => [
        ...validateCounts(next['status'] as Readonly<Record<string, unknown>>, COUNTS, []),
        ...validateCollisions(next, old),
      ],
    }),
  },
  printer: printers.daemonSets,
};
