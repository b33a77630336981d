// Which objects of the hub are templates at all (scheduling.md §4.1). What is refused here is never looked at again,
// so each refusal can say why.
import { OperatingError } from '../base/index.ts';
import { isReservedNamespace, type GroupVersionKind } from '../api/index.ts';
import { RE2JS } from 're2js';

interface SkippedApis {
  readonly groups: ReadonlySet<string>;
  /** `group/version`; `v1` alone for the core group. */
  readonly versions: ReadonlySet<string>;
  /** `group/version/Kind`. */
  readonly kinds: ReadonlySet<string>;
}

/** What the control plane notes about single objects of the hub, often one for each. */
const NOTES = ['SchedulingDecision', 'ClusterSchedulingDecision', 'WorkloadState', 'FailoverRecord'];
const KARMADA_GROUPS = ['cluster', 'policy', 'work', 'config', 'networking', 'autoscaling', 'remedy', 'apps'];
const SKIPPED_BY_DEFAULT: SkippedApis = {
  groups: new Set([...KARMADA_GROUPS.map((name) => `${name}.karmada.io`), 'events.k8s.io']),
  versions: new Set(['coordination.k8s.io/v1']),
  kinds: new Set(['v1/Event', ...NOTES.map((kind) => `navarch.io/v1alpha1/${kind}`)]),
};

/**
 * Reads `--skipped-propagating-apis`: `group`, `group/version` or `group/version/Kind,Kind`, separated by
 * semicolons; `v1/Kind` for the core group.
 */
function parseSkippedApis(text: string): SkippedApis {
  const groups = new Set(SKIPPED_BY_DEFAULT.groups);
  const versions = new Set(SKIPPED_BY_DEFAULT.versions);
  const kinds = new Set(SKIPPED_BY_DEFAULT.kinds);
  for (const token of text.split(';').map((one) => one.trim())) {
    if (token === '') continue;
    const parts = token.split('/');
    if (parts.length > 3) throw badSkippedApi(token);
    const [first = '', second = '', third = ''] = parts;
    if (parts.length === 1) {
      if (first === 'v1') versions.add('v1');
      else groups.add(first);
    } else if (parts.length === 2 && first !== 'v1') versions.add(token);
    else {
      const [version, list] = parts.length === 2 ? [first, second] : [`${first}/${second}`, third];
      for (const kind of list.split(',')) kinds.add(`${version}/${kind}`);
    }
  }
  return { groups, versions, kinds };
}

function badSkippedApi(token: string): OperatingError {
  return new OperatingError(
    'BAD_SKIPPED_API',
    `"${token}" names no API`,
    'write group, group/version or group/version/Kind,Kind, several separated by semicolons',
  );
}

/** Regular expressions are Go's (RE2) and must match the whole namespace. */
function parseSkippedNamespaces(texts: readonly string[]): readonly RE2JS[] {
  return texts.map((text) => {
    try {
      return RE2JS.compile(`^(?:${text})$`);
    } catch {
      throw new OperatingError(
        'BAD_SKIPPED_NAMESPACE',
        `"${text}" is no regular expression`,
        'give regular expressions as Go understands them, separated by commas',
      );
    }
  });
}

export type Ineligible = 'skipped API' | 'skipped namespace' | 'reserved namespace' | 'reserved object';

export interface Eligibility {
  skipsKind(kind: GroupVersionKind): boolean;
  /** Empty for cluster scoped objects. */
  skipsNamespace(namespace: string): boolean;
  /** Why an object is no template; undefined when it is one. */
  refusal(kind: GroupVersionKind, namespace: string, name: string): Ineligible | undefined;
}

export interface EligibilityOptions {
  /** `--skipped-propagating-apis`. */
  readonly skippedApis?: string;
  /** `--skipped-propagating-namespaces`. */
  readonly skippedNamespaces?: readonly string[];
}

// LIMIT: verdicts on this many namespaces are remembered; regular expressions are slow and namespaces are few.
const REMEMBERED_NAMESPACES = 10_000;

export function createEligibility(options: EligibilityOptions = {}): Eligibility {
  const { groups, versions, kinds } = parseSkippedApis(options.skippedApis ?? '');
  const patterns = parseSkippedNamespaces(options.skippedNamespaces ?? ['kube-.*']);
  const known = new Map<string, boolean>();
  const skipsKind = ({ group, version, kind }: GroupVersionKind): boolean => {
    if (groups.has(group)) return true;
    const apiVersion = group === '' ? version : `${group}/${version}`;
    return versions.has(apiVersion) || kinds.has(`${apiVersion}/${kind}`);
  };
  // COMPAT: a cluster scoped object has the namespace "", which an expression such as `.*` matches as well.
  const skipsNamespace = (namespace: string): boolean => {
    let skipped = known.get(namespace);
    if (skipped === undefined) {
      skipped = patterns.some((pattern) => pattern.matches(namespace));
      if (known.size >= REMEMBERED_NAMESPACES) known.clear();
      known.set(namespace, skipped);
    }
    return skipped;
  };
  return {
    skipsKind,
    skipsNamespace,
    refusal(kind, namespace, name) {
      if (isReservedNamespace(namespace)) return 'reserved namespace';
      if (skipsKind(kind)) return 'skipped API';
      if (skipsNamespace(namespace)) return 'skipped namespace';
      const reserved =
        namespace === 'kube-system' &&
        name === 'extension-apiserver-authentication' &&
        kind.kind === 'ConfigMap';
      return reserved && kind.group === '' ? 'reserved object' : undefined;
    },
  };
}
