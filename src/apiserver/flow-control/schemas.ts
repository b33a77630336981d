// Which flow a request belongs to: flowcontrol.apiserver.k8s.io FlowSchemas, tried in the order of their precedence.
// Pure. There are always schemas, so that every request has a level: those of kube-apiserver, under the objects that
// are stored.
import type { KubeObject } from '../../api/index.ts';
import type { UserInfo } from '../../machinery/index.ts';
import type { RequestInfo } from '../contract.ts';

interface Subject {
  readonly kind?: string;
  readonly user?: { readonly name?: string };
  readonly group?: { readonly name?: string };
  readonly serviceAccount?: { readonly namespace?: string; readonly name?: string };
}

interface ResourceRule {
  readonly verbs?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly clusterScope?: boolean;
  readonly namespaces?: readonly string[];
}

interface Rule {
  readonly subjects?: readonly Subject[];
  readonly resourceRules?: readonly ResourceRule[];
  readonly nonResourceRules?: readonly {
    readonly verbs?: readonly string[];
    readonly nonResourceURLs?: readonly string[];
  }[];
}

export interface FlowSchemaSpec {
  readonly matchingPrecedence?: number;
  readonly priorityLevelConfiguration?: { readonly name?: string };
  readonly distinguisherMethod?: { readonly type?: string } | null;
  readonly rules?: readonly Rule[];
}

export interface FlowSchema {
  readonly name: string;
  readonly uid: string;
  readonly spec: FlowSchemaSpec;
}

export interface Flow {
  readonly schema: FlowSchema;
  readonly level: string;
  /** Requests with the same text share a queue. */
  readonly key: string;
}

export function schemaOf(object: KubeObject): FlowSchema {
  return {
    name: object.metadata.name ?? '',
    uid: object.metadata.uid ?? '',
    spec: object['spec'] ?? {},
  };
}

/** In the order in which they are tried: by precedence, then by name. */
export function sortedSchemas(schemas: Iterable<FlowSchema>): readonly FlowSchema[] {
  const precedence = ({ spec }: FlowSchema): number => spec.matchingPrecedence ?? 1000;
  return [...schemas].toSorted(
    (a, b) => precedence(a) - precedence(b) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
}

/** Undefined: no schema is about the request. */
export function flowOf(schemas: readonly FlowSchema[], user: UserInfo, info: RequestInfo): Flow | undefined {
  const schema = schemas.find(({ spec }) => (spec.rules ?? []).some((rule) => matches(rule, user, info)));
  if (schema === undefined) return undefined;
  const { distinguisherMethod, priorityLevelConfiguration } = schema.spec;
  const by = distinguisherMethod?.type;
  const distinguisher = by === 'ByUser' ? user.name : by === 'ByNamespace' ? info.namespace : '';
  return {
    schema,
    level: priorityLevelConfiguration?.name ?? '',
    key: `${schema.name}\u0000${distinguisher}`,
  };
}

function matches(rule: Rule, user: UserInfo, info: RequestInfo): boolean {
  if (!(rule.subjects ?? []).some((subject) => isSubject(subject, user))) return false;
  return info.isResource
    ? (rule.resourceRules ?? []).some((one) => matchesResource(one, info))
    : (rule.nonResourceRules ?? []).some(
        ({ verbs, nonResourceURLs = [] }) =>
          includes(verbs, info.verb) && nonResourceURLs.some((url) => matchesUrl(url, info.path)),
      );
}

function isSubject({ kind, user: named, group, serviceAccount }: Subject, user: UserInfo): boolean {
  if (kind === 'User') return named?.name === '*' || named?.name === user.name;
  if (kind === 'Group') return group?.name === '*' || user.groups.includes(group?.name ?? '');
  const { namespace = '', name = '' } = serviceAccount ?? {};
  const prefix = `system:serviceaccount:${namespace}:`;
  return name === '*' ? user.name.startsWith(prefix) : user.name === `${prefix}${name}`;
}

const includes = (list: readonly string[] | undefined, value: string): boolean =>
  list !== undefined && (list.includes('*') || list.includes(value));

function matchesResource(rule: ResourceRule, info: RequestInfo): boolean {
  const { resource, subresource, namespace } = info;
  const full = subresource === '' ? resource : `${resource}/${subresource}`;
  return (
    includes(rule.verbs, info.verb) &&
    includes(rule.apiGroups, info.group) &&
    includes(rule.resources, full) &&
    (namespace === '' ? rule.clusterScope === true : includes(rule.namespaces, namespace))
  );
}

function matchesUrl(url: string, path: string): boolean {
  if (url === '*') return true;
  return url.endsWith('/*') ? path.startsWith(url.slice(0, -1)) : url === path;
}
