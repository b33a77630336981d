// The scale subresource of a custom resource: autoscaling/v1 Scale over the fields that its definition names.
import {
  deepFreeze,
  type CustomResourceSubresourceScale,
  type JsonObject,
  type KubeObject,
  type Scale,
} from '../../api/index.ts';
import { assert } from '../../base/index.ts';
import { fieldError, goType, goValue, internalError, type FieldError } from '../../machinery/index.ts';
import { typedDecode } from '../kinds/typed-decode.ts';
import type { Projection, Subresource } from '../resource.ts';

const KIND = { group: 'autoscaling', version: 'v1', kind: 'Scale' } as const;
const decode = typedDecode(KIND);

/** COMPAT: whatever stands between dots is the name of a field. */
const stepsOf = (path: string): string[] => path.replace(/^\./, '').split('.');

function valueAt(object: unknown, steps: readonly string[]): unknown {
  let value = object;
  for (const step of steps) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as JsonObject)[step];
  }
  return value;
}

/** The object with `value` at the end of the steps; what lies beside them is shared. */
function withValueAt(object: JsonObject, [step, ...rest]: readonly string[], value: number): JsonObject {
  assert(step !== undefined, 'a path has a step');
  const inner = Object.hasOwn(object, step) ? object[step] : undefined;
  const parent =
    typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? (inner as JsonObject) : {};
  return { ...object, [step]: rest.length === 0 ? value : withValueAt(parent, rest, value) };
}

function integer(value: unknown): number {
  return typeof value === 'number' ? Math.trunc(value) : 0;
}

class ScaleProjection implements Projection {
  readonly kind = KIND;
  readonly definition = 'io.k8s.api.autoscaling.v1.Scale';
  readonly #paths: CustomResourceSubresourceScale;
  readonly #specReplicas: readonly string[];
  readonly #statusReplicas: readonly string[];
  readonly #selector: readonly string[] | undefined;

  constructor(paths: CustomResourceSubresourceScale) {
    this.#paths = paths;
    const { labelSelectorPath = '' } = paths;
    this.#specReplicas = stepsOf(paths.specReplicasPath);
    this.#statusReplicas = stepsOf(paths.statusReplicasPath);
    this.#selector = labelSelectorPath === '' ? undefined : stepsOf(labelSelectorPath);
  }

  read(object: KubeObject): KubeObject {
    const replicas = valueAt(object, this.#specReplicas);
    if (replicas === undefined) {
      throw internalError(
        `the spec replicas field ${JSON.stringify(this.#paths.specReplicasPath)} does not exist`,
      );
    }
    const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
    const selector = this.#selector === undefined ? undefined : valueAt(object, this.#selector);
    return deepFreeze({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      metadata: {
        ...(name === undefined ? {} : { name }),
        ...(namespace === undefined ? {} : { namespace }),
        ...(uid === undefined ? {} : { uid }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
        ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
      },
      spec: integer(replicas) === 0 ? {} : { replicas: integer(replicas) },
      status: {
        replicas: integer(valueAt(object, this.#statusReplicas)),
        ...(typeof selector === 'string' && selector !== '' ? { selector } : {}),
      },
    });
  }

  write(object: KubeObject, shown: KubeObject): KubeObject {
    const replicas = (shown as unknown as Scale).spec?.replicas ?? 0;
    const spec = withValueAt(object as unknown as JsonObject, this.#specReplicas, replicas);
    return deepFreeze(spec) as unknown as KubeObject;
  }

  decode(value: JsonObject, report: { readonly problems: string[] }): KubeObject {
    return decode(value, report);
  }

  validate(shown: KubeObject): ReturnType<Projection['validate']> {
    const replicas = (shown as unknown as Scale).spec?.replicas ?? 0;
    const why = 'should be a non-negative integer';
    return replicas < 0 ? [fieldError.invalid('spec.replicas', replicas, why)] : [];
  }
}

export function scaleSubresource(paths: CustomResourceSubresourceScale): Subresource {
  return { kind: KIND, verbs: ['get', 'patch', 'update'], projection: new ScaleProjection(paths) };
}

// ---- the fields that scale shows, checked in the custom resource itself

/** What a write of the main resource leaves in the replicas that are asked for. */
export function scaleSpecErrors(object: KubeObject, paths: CustomResourceSubresourceScale): FieldError[] {
  return replicasErrors(object, paths.specReplicasPath);
}

/** What a write of the resource or of its status leaves in the replicas that there are and in their selector. */
export function scaleStatusErrors(object: KubeObject, paths: CustomResourceSubresourceScale): FieldError[] {
  const { statusReplicasPath, labelSelectorPath: path = '' } = paths;
  const errors = replicasErrors(object, statusReplicasPath);
  const selector = path === '' ? undefined : valueAt(object, stepsOf(path));
  if (selector !== undefined && typeof selector !== 'string') {
    errors.push(fieldError.invalid(path, '', notOfType(path, selector, 'string')));
  }
  return errors;
}

function replicasErrors(object: KubeObject, path: string): FieldError[] {
  const replicas = valueAt(object, stepsOf(path));
  if (replicas === undefined) return [];
  if (typeof replicas !== 'number' || !Number.isInteger(replicas)) {
    return [fieldError.invalid(path, 0, notOfType(path, replicas, 'int64'))];
  }
  if (replicas < 0) return [fieldError.invalid(path, replicas, 'should be a non-negative integer')];
  if (replicas <= REPLICAS_MAX) return [];
  return [fieldError.invalid(path, replicas, `should be less than or equal to ${REPLICAS_MAX}`)];
}

/** LIMIT: what a 32-bit integer holds. */
const REPLICAS_MAX = 2 ** 31 - 1;

function notOfType(path: string, value: unknown, wanted: string): string {
  const type = Number.isInteger(value) ? 'int64' : goType(value);
  return `.${stepsOf(path).join('.')} accessor error: ${goValue(value)} is of the type ${type}, expected ${wanted}`;
}
