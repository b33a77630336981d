// What others have a say in requests: webhooks and admission policies that users register, and webhooks that convert
// custom resources. One client calls them all.
import type { KubeObject, Service } from '../../api/index.ts';
import type { Clock, Logger, Random } from '../../base/index.ts';
import { assert } from '../../base/index.ts';
import type { AdmissionPlugin } from '../../machinery/index.ts';
import type { Storage } from '../../storage/index.ts';
import type { Authorizer } from '../contract.ts';
import { validatingPolicies } from '../admission-policy/admission.ts';
import { mutatingPolicies } from '../admission-policy/mutating.ts';
import { CompiledMutatingPolicy } from '../admission-policy/mutating-policy.ts';
import { CompiledBinding, CompiledPolicy } from '../admission-policy/policy.ts';
import { paramAccess } from '../admission-policy/param-access.ts';
import { Registered } from '../admission-policy/registered.ts';
import { ObjectForms } from '../admission-policy/seen-object.ts';
import type { WebhookConverter } from '../crd/index.ts';
import { createObjectAccess } from '../object-access.ts';
import type { ResourceRegistry } from '../registry.ts';
import { storageRootOf } from '../resource.ts';
import { mutatingWebhooks, validatingWebhooks } from './admission.ts';
import { WebhookClient } from './client.ts';
import { conversionWebhooks } from './conversion.ts';
import { hooksOf, type HookEnvironment } from './hooks.ts';

export interface RegisteredAdmission {
  /** For the API server to be made with; after all rules of its own. */
  readonly admission: readonly AdmissionPlugin[];
  readonly convertByWebhook: WebhookConverter;
  /** Takes into force what is registered, and follows it. Resolves when that is known. */
  start(registry: ResourceRegistry): Promise<void>;
  close(): Promise<void>;
}

export function registeredAdmission(options: {
  readonly storage: Storage<KubeObject>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** What expressions ask about access; absent: everybody may do everything. */
  readonly authorizer: Authorizer | undefined;
}): RegisteredAdmission {
  const { storage, random } = options;
  const client = new WebhookClient({
    clock: options.clock,
    findService: async (namespace, name) =>
      (await storage.get(`${storageRootOf('', 'services')}${namespace}/${name}`))?.value as
        | Service
        | undefined,
    unknownService: 'fail',
  });
  const closing = new AbortController();
  const mutating = new Registered('mutatingwebhookconfigurations', hooksOf);
  const validating = new Registered('validatingwebhookconfigurations', hooksOf);
  const policies = new Registered('validatingadmissionpolicies', (object) => new CompiledPolicy(object));
  const bindings = new Registered(
    'validatingadmissionpolicybindings',
    (object) => new CompiledBinding(object),
  );
  const mutatingPolicy = new Registered(
    'mutatingadmissionpolicies',
    (object) => new CompiledMutatingPolicy(object),
  );
  const mutatingBinding = new Registered(
    'mutatingadmissionpolicybindings',
    (object) => new CompiledBinding(object),
  );
  let environment: HookEnvironment | undefined;
  // INVARIANT: nothing is known to be registered before the server is started, so nobody asks earlier.
  const current = (): HookEnvironment => {
    assert(environment !== undefined, 'registered admission is asked after its start');
    return environment;
  };
  return {
    admission: [
      mutatingPolicies(mutatingPolicy, mutatingBinding, current),
      mutatingWebhooks(mutating, current),
      validatingPolicies(policies, bindings, current),
      validatingWebhooks(validating, current),
      paramAccess(current),
    ],
    convertByWebhook: conversionWebhooks(client, random),
    async start(registry) {
      const objects = createObjectAccess(registry, storage);
      environment = {
        registry,
        objects,
        authorizer: options.authorizer,
        client,
        forms: new ObjectForms(registry),
        random,
      };
      const following = [mutating, validating, policies, bindings, mutatingPolicy, mutatingBinding];
      await Promise.all(following.map((registered) => registered.follow(options, closing.signal)));
    },
    async close() {
      closing.abort(new Error('the API server is closing'));
      await client.close();
    },
  };
}
