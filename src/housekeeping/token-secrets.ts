// Secrets of type kubernetes.io/service-account-token: filled with a token of the account that they name, and deleted
// with it. Reads: those secrets, service accounts. Writes: their data and annotations; deletes them.
// INVARIANT: a token is written only into a secret whose account exists now, with the uid that the token names.
import type { KubeObject } from '../api/index.ts';
import { formatKey, isNotFound, parseKey } from '../client/index.ts';
import { act, done, informerSource, runController, type Plan } from '../runtime/index.ts';
import { resources, type Secret } from './kinds.ts';
import type { HousekeepingSettings } from './settings.ts';

const TYPE = 'kubernetes.io/service-account-token';
const ACCOUNT_NAME = 'kubernetes.io/service-account.name';
const ACCOUNT_UID = 'kubernetes.io/service-account.uid';
const BY_ACCOUNT = 'token-secrets-by-account';

/** Signs tokens; structurally part of the API server's ServiceAccountTokens. */
export interface SecretTokens {
  issueForSecret(request: {
    readonly namespace: string;
    readonly serviceAccount: { readonly name: string; readonly uid: string };
    readonly secretName: string;
  }): Promise<string>;
}

export interface TokenSecretInput {
  readonly secret: Secret;
  readonly account: KubeObject | undefined;
  /** A token for exactly this secret and account, in case the secret has none. */
  readonly token: string;
  /** PEM. */
  readonly certificateAuthority: string;
}

export function decideTokenSecret({ secret, account, token, certificateAuthority }: TokenSecretInput): Plan {
  const { name = '', namespace = '', uid = '', annotations = {} } = secret.metadata;
  const claimed = annotations[ACCOUNT_UID] ?? '';
  const accountUid = account?.metadata.uid ?? '';
  if (account === undefined || (claimed !== '' && claimed !== accountUid)) {
    return {
      writes: [
        { verb: 'delete', resource: resources.secrets, key: { name, namespace }, preconditions: { uid } },
      ],
    };
  }
  const data = secret.data ?? {};
  const authority = base64(certificateAuthority);
  const space = base64(namespace);
  const isFilled =
    (data['token'] ?? '') !== '' &&
    data['ca.crt'] === authority &&
    (data['namespace'] ?? '') !== '' &&
    claimed === accountUid;
  if (isFilled) return {};
  const next: Secret = {
    ...secret,
    metadata: { ...secret.metadata, annotations: { ...annotations, [ACCOUNT_UID]: accountUid } },
    data: {
      ...data,
      'ca.crt': authority,
      namespace: data['namespace'] ?? space,
      token: (data['token'] ?? '') === '' ? base64(token) : data['token']!,
    },
  };
  return { writes: [{ verb: 'update', resource: resources.secrets, object: next }] };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function accountKeyOf({ metadata }: KubeObject): string {
  return formatKey({ namespace: metadata.namespace, name: metadata.annotations?.[ACCOUNT_NAME] ?? '' });
}

export async function runTokenSecrets(
  settings: HousekeepingSettings & { readonly certificateAuthority: string; readonly tokens: SecretTokens },
): Promise<void> {
  const { client, informers, tokens, certificateAuthority } = settings;
  const secrets = informers.informer(resources.secrets, {
    fieldSelector: `type=${TYPE}`,
    indexes: { [BY_ACCOUNT]: (secret) => [accountKeyOf(secret)] },
  });
  const accounts = informers.informer(resources.serviceAccounts);
  await runController({
    ...settings,
    name: 'serviceaccount-token',
    concurrency: 4,
    sources: [
      informerSource(secrets),
      informerSource(accounts, {
        changed: () => false,
        map: ({ metadata }) =>
          secrets.store
            .byIndex(BY_ACCOUNT, formatKey({ namespace: metadata.namespace, name: metadata.name ?? '' }))
            .map((secret) =>
              formatKey({ namespace: secret.metadata.namespace, name: secret.metadata.name! }),
            ),
      }),
    ],
    async reconcile(key, { signal }) {
      const secret = secrets.store.get(key);
      const accountName = secret?.metadata.annotations?.[ACCOUNT_NAME] ?? '';
      if (secret === undefined || secret.metadata.deletionTimestamp !== undefined || accountName === '') {
        return done;
      }
      const { namespace = '', name: secretName } = parseKey(key);
      // Asked, not looked up: an account made a moment ago must not cost its secret its life.
      const account = await client.find(
        resources.serviceAccounts,
        { namespace, name: accountName },
        { signal },
      );
      const token =
        account === undefined || (secret.data?.['token'] ?? '') !== ''
          ? ''
          : await tokens.issueForSecret({
              namespace,
              serviceAccount: { name: accountName, uid: account.metadata.uid ?? '' },
              secretName,
            });
      try {
        return await act(decideTokenSecret({ secret, account, token, certificateAuthority }), {
          client,
          signal,
        });
      } catch (error) {
        if (isNotFound(error)) return done;
        throw error;
      }
    },
  });
}
