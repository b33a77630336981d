// The scale subresource of a custom resource: autoscaling/v1 Scale over the fields that its definition names.
import {
  deepFreeze,
  type CustomResourceSubresourceScale,
  type JsonObject,
  type KubeObject,
  type Scale,
} from '../../api/index.ts';
import { assert } from '../../base/index.ts';
import { fieldError, internalError } from '../../machinery/index.ts';
import { typedDecode } from '../kinds/typed-decode.ts';
import type { Projection, Subresource } from '../resource.ts';
import { simplePath } from './schema-rules.ts';

const KIND = { group: 'autoscaling', version: 'v1', kind: 'Scale' } as const;
const decode = typedDecode(KIND);

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
    this.#specReplicas = simplePath(paths.specReplicasPath) ?? [];
    this.#statusReplicas = simplePath(paths.statusReplicasPath) ?? [];
    this.#selector = labelSelectorPath === '' ? undefined : simplePath(labelSelectorPath);
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
