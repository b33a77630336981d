// The layer of services that users run to explain kinds of their own (ResourceInterpreterWebhookConfiguration). How a
// service is reached is handed in; what it is asked and what counts as an answer is decided here.
// INVARIANT: a kind that no webhook is registered for costs one look into a map, and none when there are no webhooks.
import { gvkOf, type JsonObject, type JsonValue, type KubeObject } from '../../api/index.ts';
import { assert, errorMessage } from '../../base/index.ts';
import { goQuote } from '../../machinery/index.ts';
import type { InterpreterLayer } from '../interpreter.ts';
import type { InterpreterHook, InterpreterHooks } from './hooks.ts';
import {
  componentsOf,
  contextOf,
  dependenciesOf,
  healthOf,
  patchedBy,
  replicasOf,
  responseOf,
  statusOf,
  type Question,
} from './protocol.ts';

export { InterpreterHooks, asksAbout, type InterpreterHook } from './hooks.ts';

/** Sends a ResourceInterpreterContext to a service and gives its answer. Rejects when there is none in time. */
export type AskHook = (hook: InterpreterHook, context: JsonObject) => Promise<unknown>;

export function webhookLayer(
  hooks: InterpreterHooks,
  ask: AskHook,
  { uuid }: { readonly uuid: () => string },
): InterpreterLayer {
  const call = async <T>(question: Question, read: (response: JsonObject) => T): Promise<T> => {
    const hook = hooks.find(gvkOf(question.object), question.operation);
    assert(hook !== undefined, `no webhook has ${question.operation} for ${question.object.kind}`);
    const uid = uuid();
    try {
      if (!hook.understands)
        throw new Error('webhook does not accept known ResourceInterpreterContext versions (v1alpha1)');
      const answer = await ask(hook, contextOf(uid, question)).catch((error: unknown) => {
        throw new Error(`failed to call webhook: ${errorMessage(error)}`, { cause: error });
      });
      return read(responseOf(uid, answer));
    } catch (error) {
      throw new Error(
        `Internal error occurred: failed calling webhook ${goQuote(hook.name)}: ${errorMessage(error)}`,
        { cause: error },
      );
    }
  };
  const patched = (question: Question): Promise<KubeObject> =>
    call(question, (response) => patchedBy(response, question.object));
  return {
    has: (kind, operation) => hooks.find(kind, operation) !== undefined,
    replicas: (object) => call({ operation: 'InterpretReplica', object }, replicasOf),
    components: (object) => call({ operation: 'InterpretComponent', object }, componentsOf),
    revise: (object, replicas) => patched({ operation: 'ReviseReplica', object, replicas }),
    retain: (object, observed) => patched({ operation: 'Retain', object, observed }),
    status: (object): Promise<JsonValue> => call({ operation: 'InterpretStatus', object }, statusOf),
    aggregate: (object, items) => patched({ operation: 'AggregateStatus', object, items }),
    health: (object) => call({ operation: 'InterpretHealth', object }, healthOf),
    dependencies: (object) => call({ operation: 'InterpretDependency', object }, dependenciesOf),
  };
}
