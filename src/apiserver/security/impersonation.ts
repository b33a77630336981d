// Acting as somebody else: the Impersonate- headers. INVARIANT: each part of the identity asked for (user, each
// group, uid, each extra value) needs a permission of its own before anything of it takes effect.
import { badRequest, goQuote, type UserInfo } from '../../machinery/index.ts';
import type { ApiRequest, Authorizer, RequestInfo } from '../contract.ts';
import { ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED } from './authentication.ts';
import { mustBeAllowed } from './rbac.ts';
import { parseServiceAccountUserName, serviceAccountGroups } from './service-account-tokens.ts';

const EXTRA_PREFIX = 'impersonate-extra-';

/** Who the request is to be carried out as: the user asked for in its headers, or the one who sent it. */
export function impersonate(
  user: UserInfo,
  headers: ApiRequest['headers'],
  authorizer: Authorizer,
): UserInfo {
  if (!asksForAnother(headers)) return user;
  const name = headers['impersonate-user'] ?? '';
  // The listener puts each header line on a line of its own.
  const groups = lines(headers['impersonate-group']);
  const uid = headers['impersonate-uid'] ?? '';
  const extra = extraOf(headers);
  if (name === '') {
    const without = [
      ...groups.map((group) => `group ${goQuote(group)}`),
      ...(uid === '' ? [] : [`uid ${goQuote(uid)}`]),
      ...Object.keys(extra).map((key) => `extra ${goQuote(key)}`),
    ];
    if (without.length === 0) return user;
    throw badRequest(`requested ${without.join(', ')} without impersonating a user`);
  }

  const serviceAccount = parseServiceAccountUserName(name);
  if (serviceAccount === undefined) check({ resource: 'users', name });
  else check({ resource: 'serviceaccounts', ...serviceAccount });
  for (const group of groups) check({ resource: 'groups', name: group });
  if (uid !== '') check({ group: 'authentication.k8s.io', resource: 'uids', name: uid });
  for (const [key, values] of Object.entries(extra)) {
    for (const value of values) {
      check({ group: 'authentication.k8s.io', resource: 'userextras', subresource: key, name: value });
    }
  }
  return {
    name,
    ...(uid === '' ? {} : { uid }),
    groups: effectiveGroups(name, groups, serviceAccount?.namespace),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };

  function check(asked: Partial<RequestInfo>): void {
    mustBeAllowed(authorizer, user, { ...IMPERSONATION, ...asked });
  }
}

function asksForAnother(headers: ApiRequest['headers']): boolean {
  for (const header in headers) if (header.startsWith('impersonate-')) return true;
  return false;
}

const IMPERSONATION: RequestInfo = {
  isResource: true,
  path: '',
  verb: 'impersonate',
  group: '',
  version: 'v1',
  namespace: '',
  resource: '',
  subresource: '',
  name: '',
  rest: '',
};

/** COMPAT: who is impersonated counts as authenticated, unless the groups asked for settle that already. */
function effectiveGroups(
  name: string,
  asked: readonly string[],
  serviceAccountNamespace: string | undefined,
): readonly string[] {
  const groups =
    asked.length === 0 && serviceAccountNamespace !== undefined
      ? serviceAccountGroups(serviceAccountNamespace)
      : asked;
  const settled = groups.includes(UNAUTHENTICATED) || (name !== ANONYMOUS && groups.includes(AUTHENTICATED));
  return settled ? groups : [...groups, name === ANONYMOUS ? UNAUTHENTICATED : AUTHENTICATED];
}

function extraOf(headers: ApiRequest['headers']): Readonly<Record<string, readonly string[]>> {
  const found: [string, readonly string[]][] = [];
  for (const header in headers) {
    if (!header.startsWith(EXTRA_PREFIX)) continue;
    found.push([decode(header.slice(EXTRA_PREFIX.length)), lines(headers[header])]);
  }
  return Object.fromEntries(found);
}

function lines(value: string | undefined): readonly string[] {
  return value === undefined ? [] : value.split('\n').filter((line) => line !== '');
}

/** Keys are percent-encoded, since header names cannot hold every character. */
function decode(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
