import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type {
  JsonObject,
  KubeObject,
  PropagationPolicy,
  ResourceInterpreterWebhookConfiguration,
} from '../api/index.ts';
import {
  WebhookClient,
  memoryVault,
  openCertificates,
  type ClusterCertificates,
} from '../apiserver/index.ts';
import { systemClock, systemRandom } from '../base/index.ts';
import { kinds, resource, type Client } from '../client/index.ts';
import {
  Customizations,
  Interpretations,
  InterpreterHooks,
  createInterpreter,
  nativeLayer,
  webhookLayer,
} from '../interpreter/index.ts';
import { detector } from './detector/index.ts';
import { followInterpretation, interpreterWebhookResource } from './interpreter-customizations.ts';
import { startControlPlane } from './testing/control-plane.ts';

const queues = resource({ group: 'example.io', version: 'v1', resource: 'queues', namespaced: true });
const queue = (name: string, workers: number): KubeObject => ({
  apiVersion: 'example.io/v1',
  kind: 'Queue',
  metadata: { name, namespace: 'shop' },
  spec: { workers },
});

interface Hook extends AsyncDisposable {
  readonly port: number;
  readonly asked: string[];
}

/** A webhook that tells replicas by `answer`; undefined: it never answers. */
async function startHook(
  { server: pair }: ClusterCertificates,
  answer: (request: JsonObject) => JsonObject | undefined,
): Promise<Hook> {
  const asked: string[] = [];
  const server: Server = createServer({ key: pair.key, cert: pair.certificate }, (message, response) => {
    let text = '';
    message.on('data', (chunk: Buffer) => (text += chunk.toString()));
    message.on('end', () => {
      asked.push(`${message.method} ${message.url}`);
      const { request } = JSON.parse(text) as { request: JsonObject };
      const given = answer(request);
      if (given !== undefined) response.end(JSON.stringify({ response: { uid: request['uid'], ...given } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function configuration(
  caBundle: string,
  clientConfig: ResourceInterpreterWebhookConfiguration['webhooks'][number]['clientConfig'],
): ResourceInterpreterWebhookConfiguration {
  return {
    apiVersion: 'config.karmada.io/v1alpha1',
    kind: 'ResourceInterpreterWebhookConfiguration',
    metadata: { name: 'queues' },
    webhooks: [
      {
        name: 'queues.example.io',
        clientConfig: { ...clientConfig, caBundle },
        rules: [
          {
            operations: ['InterpretReplica'],
            apiGroups: ['example.io'],
            apiVersions: ['*'],
            kinds: ['Queue'],
          },
        ],
        timeoutSeconds: 1,
        interpreterContextVersions: ['v1alpha1'],
      },
    ],
  };
}

async function defineQueues(client: Client): Promise<void> {
  await client.create(kinds.customResourceDefinitions, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'queues.example.io' },
    spec: {
      group: 'example.io',
      scope: 'Namespaced',
      names: { kind: 'Queue', listKind: 'QueueList', plural: 'queues', singular: 'queue' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  });
  const policy: PropagationPolicy = {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: 'PropagationPolicy',
    metadata: { name: 'queues', namespace: 'shop' },
    spec: { resourceSelectors: [{ apiVersion: 'example.io/v1', kind: 'Queue' }] },
  };
  await client.create(kinds.propagationPolicies, policy);
}

test('a webhook behind HTTPS tells what a kind means, by URL and by Service, and its failures are told', async () => {
  const hooks = new InterpreterHooks();
  const located: { client?: Client } = {};
  const webhooks = new WebhookClient({
    clock: systemClock,
    findService: (namespace, name) =>
      located.client?.find(kinds.services, { namespace, name }) as Promise<never>,
    unknownService: 'dns',
  });
  const ask = webhookLayer(
    hooks,
    ({ clientConfig, timeoutMs }, context) => webhooks.call(clientConfig, context, timeoutMs),
    systemRandom,
  );
  await using plane = await startControlPlane(
    {},
    createInterpreter([ask, nativeLayer(() => '2026-01-01T00:00:00Z')]),
  );
  const { client } = plane;
  const until: typeof plane.until = (what, condition) => plane.until(what, condition);
  located.client = client;
  const certificates = await openCertificates({
    vault: memoryVault(),
    now: systemClock.now(),
    clusterName: 'hook',
    hosts: ['queues.shop.svc'],
  });
  let failing: JsonObject | undefined;
  await using hook = await startHook(certificates, (request) => {
    const { spec } = request['object'] as unknown as { spec: { workers: number } };
    return spec.workers === 13 ? failing : { successful: true, replicas: spec.workers * 10 };
  });
  const caBundle = btoa(certificates.authority.certificate);
  const url = `https://127.0.0.1:${hook.port}/interpret`;
  await client.create(interpreterWebhookResource, configuration(caBundle, { url }));
  await defineQueues(client);
  plane.run(
    {
      name: 'interpretation',
      run: ({ informers, interpretationChanges }) =>
        followInterpretation(
          informers,
          {
            customizations: new Customizations(),
            hooks,
            interpretations: new Interpretations(() => ''),
          },
          interpretationChanges,
        ),
    },
    detector,
  );
  await until('the registration is in force', () =>
    Promise.resolve(
      hooks.find({ group: 'example.io', version: 'v1', kind: 'Queue' }, 'InterpretReplica') !== undefined,
    ),
  );

  const replicasOf = async (name: string): Promise<number | undefined> =>
    (await client.find(kinds.resourceBindings, { namespace: 'shop', name: `${name}-queue` }))?.spec.replicas;
  await client.create(queues, queue('mail', 3));
  await until('the replicas are those of the webhook', async () => (await replicasOf('mail')) === 30);
  assert.equal(hook.asked[0], 'POST /interpret?timeout=1s');

  // What a webhook cannot answer is no binding, and an event on the object says why.
  const eventsOf = async (name: string): Promise<readonly string[]> => {
    const { items } = await client.listAll(kinds.events, { namespace: 'shop' });
    return items
      .filter((event) => (event['involvedObject'] as { name: string }).name === name)
      .map((event) => event['message'] as string);
  };
  failing = { successful: false, status: { code: 500, message: 'the database is down' } };
  await client.create(queues, queue('orders', 13));
  await until('the failure is told', async () =>
    (await eventsOf('orders')).some((message) =>
      message.endsWith(
        'failed calling webhook "queues/queues.example.io": webhook call failed, get status code: 500, msg: the database is down',
      ),
    ),
  );
  failing = undefined;
  await until('an answer that does not come is waited for as long as the webhook says', async () =>
    (await eventsOf('orders')).some((message) => message.endsWith('context deadline exceeded')),
  );
  failing = { successful: true, replicas: 7 };
  await until('it is asked until it answers', async () => (await replicasOf('orders')) === 7);

  // By Service: where the Service is, under the name that the certificate is for.
  await client.create(kinds.services, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'queues', namespace: 'shop' },
    spec: { type: 'ExternalName', externalName: '127.0.0.1', ports: [{ port: hook.port }] },
  });
  const service = { namespace: 'shop', name: 'queues', port: hook.port, path: '/by-service' };
  const { metadata } = await client.get(interpreterWebhookResource, { name: 'queues' });
  await client.update(interpreterWebhookResource, { ...configuration(caBundle, { service }), metadata });
  await client.create(queues, queue('late', 4));
  await until('the Service is asked', async () => (await replicasOf('late')) === 40);
  assert(hook.asked.includes('POST /by-service?timeout=1s'));

  // Nobody else's certificate is trusted.
  const other = await openCertificates({
    vault: memoryVault(),
    now: systemClock.now(),
    clusterName: 'other',
  });
  const { metadata: latest } = await client.get(interpreterWebhookResource, { name: 'queues' });
  await client.update(interpreterWebhookResource, {
    ...configuration(btoa(other.authority.certificate), { url }),
    metadata: latest,
  });
  await client.create(queues, queue('stranger', 5));
  await until('the certificate is refused', async () =>
    (await eventsOf('stranger')).some((message) =>
      message.includes('tls: failed to verify certificate: x509: certificate signed by unknown authority'),
    ),
  );

  // Without a registration the kind is no workload again.
  await client.delete(interpreterWebhookResource, { name: 'queues' });
  await until(
    'nothing is known of it',
    async () =>
      (await client.find(kinds.resourceBindings, { namespace: 'shop', name: 'stranger-queue' })) !==
      undefined,
  );
  assert.equal(await replicasOf('stranger'), undefined);
  await webhooks.close();
});
