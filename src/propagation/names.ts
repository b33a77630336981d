// Names that upstream derives from others. Works and dependency labels carry hashes that clients and the members'
// objects remember, so every character counts (vectors: propagation.md §1).
// COMPAT: none of the inputs holds the API group, so two kinds of one name in one namespace share their names.
import { fnv1a32, safeEncode } from '../machinery/index.ts';
import type { GroupVersionKind } from '../api/index.ts';

/** Names of RBAC objects hold colons, which names of our objects may not. */
function withoutColons(name: string): string {
  return name.includes(':') ? name.replaceAll(':', '.') : name;
}

function hashed(text: string): string {
  return safeEncode(String(fnv1a32(text)));
}

/** The (Cluster)ResourceBinding of a template. */
export function bindingName(kind: string, name: string): string {
  return `${withoutColons(name)}-${kind}`.toLowerCase();
}

/** The Work of a manifest; `namespace` is empty for cluster scoped kinds. */
export function workName(kind: string, namespace: string, name: string): string {
  const plain = withoutColons(name).toLowerCase();
  const subject = namespace === '' ? `${plain}-${kind}` : `${namespace}-${plain}-${kind}`;
  return `${plain}-${hashed(subject.toLowerCase())}`;
}

/** What ends the label by which an attached binding names a binding that depends on it; short, whatever its name. */
export function bindingReferenceKey(namespace: string, name: string): string {
  return hashed(namespace === '' ? name : `${namespace}/${name}`);
}

/** `apps/v1, Kind=Deployment` and `/v1, Kind=ConfigMap`, as Go prints a GroupVersionKind. */
function gvkText({ group, version, kind }: GroupVersionKind): string {
  return `${group}/${version}, Kind=${kind}`;
}

/** The policy that `promote` makes; `namespace` is empty for a ClusterPropagationPolicy. */
export function promotedPolicyName(namespace: string, name: string, kind: GroupVersionKind): string {
  return policyNameFor(namespace, name, gvkText(kind));
}

/** As promotedPolicyName, with the kind in words already. */
export function policyNameFor(namespace: string, name: string, kindText: string): string {
  return `${withoutColons(name)}-${hashed(namespace + kindText)}`.toLowerCase();
}
