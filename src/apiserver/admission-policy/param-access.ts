// Whoever has policies applied with parameters must be allowed to read these: what a policy says of a request would
// tell of them otherwise.
import { parseApiVersion, type KubeObject } from '../../api/index.ts';
import {
  deepEqual,
  fieldError,
  invalid,
  type AdmissionPlugin,
  type UserInfo,
} from '../../machinery/index.ts';
import type { PolicyEnvironment } from './invocations.ts';
import { ConfigurationError, paramDefinition } from './params.ts';
import type { BindingSpec, PolicySpec } from './policy.ts';

const GROUP = 'admissionregistration.k8s.io';
const MASTERS = 'system:masters';

interface Asked {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly name: string;
  readonly namespace: string;
}

/** As Go prints the user. */
function shown({ name, uid = '', groups, extra = {} }: UserInfo): string {
  const keys = Object.keys(extra).toSorted();
  const texts = keys.map((key) => `${key}:[${(extra[key] ?? []).join(' ')}]`);
  return `&{${name} ${uid} [${groups.join(' ')}] map[${texts.join(' ')}]}`;
}

function mayRead(user: UserInfo, asked: Asked, { registry, authorizer }: PolicyEnvironment): boolean {
  if (authorizer === undefined) return true;
  const { apiVersion, kind = '', name, namespace } = asked;
  const { group, version } =
    apiVersion === undefined ? { group: '*', version: '*' } : parseApiVersion(apiVersion);
  let resource = '*';
  if (apiVersion !== undefined) {
    try {
      resource = paramDefinition({ paramKind: { apiVersion, kind } }, registry)?.resource ?? '*';
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
    }
  }
  const info = { isResource: true, path: '', verb: 'get', subresource: '', rest: '' };
  return authorizer.authorize(user, { ...info, group, version, resource, namespace, name }).allowed;
}

export function paramAccess(environment: () => PolicyEnvironment): AdmissionPlugin {
  return {
    name: 'ParamAccess',
    handles: ({ group, resource, operation, subresource }) =>
      group === GROUP && /admissionpolic/.test(resource) && operation !== 'DELETE' && subresource === '',
    async validate({ object, oldObject, user, kind, name, resource }) {
      if (object === undefined || user.groups.includes(MASTERS)) return;
      const world = environment();
      const refuse = (field: string, why: string): never => {
        throw invalid({ group: GROUP, kind }, name, [fieldError.forbidden(field, why)]);
      };
      if (kind.endsWith('Binding')) {
        const { paramRef, policyName = '' } = bindingOf(object);
        const before = oldObject === undefined ? {} : bindingOf(oldObject);
        if (paramRef === undefined) return;
        if (deepEqual(paramRef, before.paramRef) && policyName === before.policyName) return;
        const policies = resource.replace('policybindings', 'policies');
        const policy = await world.objects.get(GROUP, policies, '', policyName);
        const { paramKind } = policy === undefined ? {} : policyOf(policy);
        const { name: param = '', namespace = '' } = paramRef;
        if (mayRead(user, { ...paramKind, name: param, namespace }, world)) return;
        const why = `user ${shown(user)} does not have "get" permission on the object referenced by paramRef`;
        refuse('spec.paramRef', why);
        return;
      }
      const { paramKind } = policyOf(object);
      if (paramKind === undefined) return;
      if (oldObject !== undefined && deepEqual(paramKind, policyOf(oldObject).paramKind)) return;
      if (mayRead(user, { ...paramKind, name: '*', namespace: '*' }, world)) return;
      const of = `(kind=${paramKind.kind}, apiVersion=${paramKind.apiVersion})`;
      const why = `user ${shown(user)} must have "get" permission on all objects of the referenced paramKind ${of}`;
      refuse('spec.paramKind', why);
    },
  };
}

const policyOf = (object: KubeObject): Pick<PolicySpec, 'paramKind'> => object['spec'] ?? {};
const bindingOf = (object: KubeObject): Pick<BindingSpec, 'paramRef' | 'policyName'> => object['spec'] ?? {};
