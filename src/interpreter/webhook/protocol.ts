// ResourceInterpreterContext (config.karmada.io/v1alpha1): the question that a webhook is asked, and what its answer must
// be. Texts of errors are upstream's, since people search for them.
import { gvkOf, type Component, type JsonObject, type JsonValue, type KubeObject } from '../../api/index.ts';
import { errorMessage } from '../../base/index.ts';
import { applyJsonPatch, goQuote } from '../../machinery/index.ts';
import {
  checkedComponents,
  checkedDependencies,
  checkedObject,
  checkedRequirements,
  replicaCount,
} from '../answers.ts';
import type { Dependency, Operation, Replicas, StatusItem } from '../interpreter.ts';
import { listAt, objectAt, textAt, valueAt } from '../native/read.ts';
import { CONTEXT_VERSION } from './hooks.ts';

export interface Question {
  readonly operation: Operation;
  readonly object: KubeObject;
  readonly observed?: KubeObject;
  readonly replicas?: number;
  readonly items?: readonly StatusItem[];
}

export function contextOf(
  uid: string,
  { operation, object, observed, replicas = 0, items }: Question,
): JsonObject {
  const { group, version, kind } = gvkOf(object);
  const { name = '', namespace } = object.metadata;
  return {
    apiVersion: `config.karmada.io/${CONTEXT_VERSION}`,
    kind: 'ResourceInterpreterContext',
    request: {
      uid,
      kind: { group, version, kind },
      name,
      ...(namespace === undefined ? {} : { namespace }),
      operation,
      object: object as unknown as JsonObject,
      ...(observed === undefined ? {} : { observedObject: observed as unknown as JsonObject }),
      // COMPAT: written for every operation.
      replicas,
      ...(items === undefined || items.length === 0
        ? {}
        : { aggregatedStatus: items as unknown as readonly JsonObject[] }),
    },
  };
}

/** The response in an answer that belongs to the question with `uid` and says that all went well. Throws otherwise. */
export function responseOf(uid: string, answer: unknown): JsonObject {
  const response = objectAt(answer, 'response');
  if (response === undefined) throw invalid('webhook response was absent');
  const given = textAt(response, 'uid');
  if (given !== uid) throw invalid(`expected response.uid ${goQuote(uid)}, got ${goQuote(given)}`);
  if (response['successful'] === true) return response;
  const status = objectAt(response, 'status');
  if (status === undefined)
    throw invalid('webhook require response.status when response.successful is false');
  const code = valueAt(status, 'code');
  throw new Error(
    `webhook call failed, get status code: ${typeof code === 'number' ? code : 0}, msg: ${textAt(status, 'message')}`,
  );
}

function invalid(why: string): Error {
  return new Error(`received invalid webhook response: ${why}`);
}

/** What a check objects to in the words of its own, as an invalid response. */
function checked<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    // Why an operation of a patch does not apply stands behind what the API server would answer.
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw invalid(errorMessage(cause));
  }
}

export function replicasOf(response: JsonObject): Replicas {
  const { replicas } = response;
  if (typeof replicas !== 'number') throw invalid('webhook returned nil response.replicas');
  const requirements = objectAt(response, 'replicaRequirements');
  return {
    replicas: replicaCount(replicas),
    requirements: requirements === undefined ? undefined : checked(() => checkedRequirements(requirements)),
  };
}

export function componentsOf(response: JsonObject): readonly Component[] {
  return checked(() => checkedComponents(listAt(response, 'components')));
}

export function dependenciesOf(response: JsonObject): readonly Dependency[] {
  return checked(() => checkedDependencies(listAt(response, 'dependencies')));
}

export function statusOf(response: JsonObject): JsonValue {
  const { rawStatus } = response;
  if (rawStatus === undefined || rawStatus === null)
    throw invalid('webhook returned nill response.rawStatus');
  return rawStatus;
}

export function healthOf(response: JsonObject): boolean {
  const { healthy } = response;
  if (typeof healthy !== 'boolean') throw invalid('webhook returned nil response.healthy');
  return healthy;
}

/** The object as the response's patch leaves it; the same one without a patch. */
export function patchedBy(response: JsonObject, object: KubeObject): KubeObject {
  const patch = textAt(response, 'patch');
  const { patchType } = response;
  const untyped = patchType === undefined || patchType === null;
  if (patch === '' && untyped) return object;
  if (untyped) throw invalid('webhook returned nil response.patchType');
  if (patch === '') throw invalid('webhook returned empty response.patch');
  if (patchType !== 'JSONPatch') {
    const shown = typeof patchType === 'string' ? goQuote(patchType) : JSON.stringify(patchType);
    throw invalid(`webhook returned invalid response.patchType of ${shown}`);
  }
  return checked(() => {
    const operations = JSON.parse(fromBase64(patch)) as JsonValue;
    return checkedObject(applyJsonPatch(object as unknown as JsonObject, operations));
  });
}

function fromBase64(text: string): string {
  return new TextDecoder().decode(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)));
}
