// The parameters with which a binding has its policy applied.
import { formatApiVersion, parseApiVersion, type KubeObject } from '../../api/index.ts';
import { labelSelectorFor, type AdmissionAttributes } from '../../machinery/index.ts';
import { Views } from '../call.ts';
import type { ResourceDefinition } from '../resource.ts';
import { namespaceOf, type MatchEnvironment } from './matching.ts';
import type { BindingSpec, PolicySpec } from './policy.ts';

/** A policy or binding that cannot be applied as it is; its failure policy decides. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError';
}

/** Where parameters are kept; undefined: the policy has none. Throws a ConfigurationError. */
export function paramDefinition(
  { paramKind }: Pick<PolicySpec, 'paramKind'>,
  registry: MatchEnvironment['registry'],
): ResourceDefinition | undefined {
  if (paramKind === undefined) return undefined;
  const { apiVersion, kind } = paramKind;
  const found = registry
    .definitions()
    .find(
      (one) =>
        one.kind === kind &&
        one.versions.some(
          ({ name, served }) =>
            served && formatApiVersion({ group: one.group, version: name }) === apiVersion,
        ),
    );
  if (found !== undefined) return found;
  const { group, version } = parseApiVersion(apiVersion);
  throw new ConfigurationError(
    `failed to find resource referenced by paramKind: '${group}/${version}, Kind=${kind}'`,
  );
}

/**
 * One application of the policy for each result; undefined: without a parameter. Throws a ConfigurationError.
 */
export async function paramsOf(
  policy: Pick<PolicySpec, 'paramKind'>,
  { paramRef }: BindingSpec,
  attributes: AdmissionAttributes,
  { registry, objects }: MatchEnvironment,
): Promise<readonly (KubeObject | undefined)[]> {
  const definition = paramDefinition(policy, registry);
  if (definition === undefined || paramRef === undefined) return [undefined];
  const { apiVersion = '' } = policy.paramKind ?? {};
  const { name = '', namespace = '', selector, parameterNotFoundAction } = paramRef;
  if (namespace !== '' && !definition.namespaced) {
    throw new ConfigurationError('paramRef.namespace must not be provided for a cluster-scoped `paramKind`');
  }
  const place = !definition.namespaced || namespace !== '' ? namespace : namespaceOf(attributes);
  if (definition.namespaced && place === '') {
    throw new ConfigurationError(
      'cannot use namespaced paramRef in policy binding that matches cluster-scoped resources',
    );
  }
  const { group, resource } = definition;
  let found: readonly KubeObject[];
  if (name !== '') {
    const one = await objects.get(group, resource, place, name);
    found = one === undefined ? [] : [one];
  } else {
    const wanted = labelSelectorFor(selector);
    const all = await objects.list(group, resource, place);
    found = all.filter(({ metadata }) => wanted.matches(metadata.labels));
  }
  if (found.length === 0 && parameterNotFoundAction === 'Deny') {
    throw new ConfigurationError('no params found for policy binding with `Deny` parameterNotFoundAction');
  }
  return views.of({ definition, apiVersion }).fromStorageAll(found);
}

/** Keyed by definitions, so it keeps nothing alive. */
const views = new Views();
