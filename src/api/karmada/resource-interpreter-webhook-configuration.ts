// ResourceInterpreterWebhookConfiguration: services that tell how kinds work.
import { s, type Infer } from '../schema.ts';
import type { KindDefinition } from '../kind.ts';

const names = (description: string) => s.list(description, s.string('A name, or * alone for all.'));

const webhook = s.object('A service to ask.', {
  required: {
    name: s.string('Its name, a full domain name, unique within the object.'),
    clientConfig: s.object('How to reach it: by url or by service.', {
      optional: {
        url: s.string('Its address; https only.'),
        service: s.object('A Service of the control plane.', {
          required: {
            namespace: s.string('The namespace of the Service.'),
            name: s.string('The name of the Service.'),
          },
          optional: {
            path: s.string('The path to ask.'),
            port: s.int32('The port to ask; 443 when absent.'),
          },
        }),
        caBundle: s.string('The PEM certificates, in base64, that its certificate must be signed by.', {
          format: 'byte',
        }),
      },
    }),
    interpreterContextVersions: s.list(
      'The versions of the question it understands.',
      s.string('A version.'),
    ),
  },
  optional: {
    rules: s.list(
      'What it is asked about; one match is enough.',
      s.object('Some questions about some kinds.', {
        required: {
          operations: names('The questions, such as InterpretReplica.'),
          apiGroups: names('API groups of the objects.'),
          apiVersions: names('API versions of the objects.'),
          kinds: names('Kinds of the objects.'),
        },
      }),
    ),
    timeoutSeconds: s.int32('How long to wait for the answer, 1 to 30 seconds.'),
  },
});
export type ResourceInterpreterWebhook = Infer<typeof webhook>;

const resourceInterpreterWebhookConfigurationSchema = s.kind(
  'Names services that tell how objects of certain kinds are to be understood.',
  { apiVersion: 'config.karmada.io/v1alpha1', kind: 'ResourceInterpreterWebhookConfiguration' },
  { required: { webhooks: s.list('The services.', webhook) } },
);
export type ResourceInterpreterWebhookConfiguration = Infer<
  typeof resourceInterpreterWebhookConfigurationSchema
>;

export const resourceInterpreterWebhookConfigurationKind: KindDefinition = {
  group: 'config.karmada.io',
  kind: 'ResourceInterpreterWebhookConfiguration',
  plural: 'resourceinterpreterwebhookconfigurations',
  namespaced: false,
  categories: ['karmada-io'],
  versions: [{ name: 'v1alpha1', schema: resourceInterpreterWebhookConfigurationSchema }],
};
