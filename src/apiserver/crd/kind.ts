// CustomResourceDefinition as a kind of the API server: defaults, checks, stored versions, and the finalizer that
// holds a definition until its instances are gone.
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionStatus,
  KubeObject,
  Schema,
} from '../../api/index.ts';
import { deepFreeze } from '../../api/index.ts';
import {
  evaluateDefaultRules,
  fieldError,
  pruneBySchema,
  validateSchema,
  withFinalizer,
  type FieldError,
} from '../../machinery/index.ts';
import type { BuiltinKind } from '../kinds/builtin.ts';
import { CLEANUP_FINALIZER, withDeletionStep } from './conditions.ts';
import { validateDefinition, validateDefinitionUpdate } from './definition-validation.ts';
import type { DefinitionRules } from './version-validation.ts';
import { versionsOf } from './versions.ts';

const asDefinition = (object: KubeObject): CustomResourceDefinition =>
  object as unknown as CustomResourceDefinition;

function specDefaults(spec: CustomResourceDefinitionSpec): CustomResourceDefinitionSpec {
  const { names, conversion } = spec;
  const { singular = '', listKind = '', kind } = names;
  const service = conversion?.webhook?.clientConfig?.service;
  return {
    ...spec,
    names: {
      ...names,
      ...(singular === '' && kind !== '' ? { singular: kind.toLowerCase() } : {}),
      ...(listKind === '' && kind !== '' ? { listKind: `${kind}List` } : {}),
    },
    conversion:
      conversion === undefined
        ? { strategy: 'None' }
        : service === undefined || service.port !== undefined
          ? conversion
          : {
              ...conversion,
              webhook: {
                ...conversion.webhook!,
                clientConfig: { ...conversion.webhook!.clientConfig, service: { ...service, port: 443 } },
              },
            },
  };
}

function definitionDefaults(object: KubeObject): KubeObject {
  const crd = asDefinition(object);
  return { ...crd, spec: specDefaults(crd.spec) };
}

/** The status with the storage version among the stored ones, where it stays until somebody migrates the objects. */
function withStoredVersion(crd: CustomResourceDefinition): CustomResourceDefinition {
  const storage = versionsOf(crd).find((version) => version.storage)?.name;
  const stored = crd.status?.storedVersions ?? [];
  if (storage === undefined || stored.includes(storage)) return crd;
  const status: CustomResourceDefinitionStatus = { ...crd.status, storedVersions: [...stored, storage] };
  return deepFreeze({ ...crd, status });
}

/** Defaults must be values of their schemas, with nothing that pruning would remove. */
function defaultErrors(schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { default: value, properties, items } = schema;
  if (value !== undefined && value !== null) {
    const root = schema['x-kubernetes-embedded-resource'] === true;
    const at = `${path}.default`;
    if (pruneBySchema(value, schema, undefined, { root }).unknown.length > 0) {
      errors.push(fieldError.invalid(at, value, 'must not have unknown fields'));
    }
    const unfit = validateSchema(value, schema, undefined, { at });
    errors.push(...(unfit.length > 0 ? unfit : evaluateDefaultRules(schema, value, at)));
  }
  // COMPAT: defaults below additionalProperties are not looked at.
  if (items !== undefined) errors.push(...defaultErrors(items, `${path}.items`));
  for (const [name, property] of Object.entries(properties ?? {})) {
    errors.push(...defaultErrors(property, `${path}.properties[${name}]`));
  }
  return errors;
}

export function customResourceDefinitionKind(): BuiltinKind {
  const rules: DefinitionRules = { checkDefaults: defaultErrors };
  return {
    defaults: definitionDefaults,
    strategy: {
      generation: 'spec',
      prepareForCreate: (object) => withStoredVersion(asDefinition(object)),
      prepareForUpdate: (next) => withStoredVersion(asDefinition(next)),
      validate: (object) => validateDefinition(asDefinition(object), rules),
      validateUpdate: (next, old) => validateDefinitionUpdate(asDefinition(next), asDefinition(old), rules),
      beginDeletion(object) {
        const held = withFinalizer(object, CLEANUP_FINALIZER);
        const time = object.metadata.deletionTimestamp ?? '';
        return deepFreeze(withDeletionStep(asDefinition(held), 'pending', time));
      },
    },
  };
}
