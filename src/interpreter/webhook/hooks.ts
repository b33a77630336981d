// What ResourceInterpreterWebhookConfigurations register: which service is asked about which kinds.
import {
  formatApiVersion,
  type GroupVersionKind,
  type ResourceInterpreterWebhook,
  type ResourceInterpreterWebhookConfiguration,
} from '../../api/index.ts';
import type { Operation } from '../interpreter.ts';

/** A service that is asked, and how. */
export interface InterpreterHook {
  /** `<configuration>/<webhook>`. */
  readonly name: string;
  readonly clientConfig: ResourceInterpreterWebhook['clientConfig'];
  readonly timeoutMs: number;
  /** Whether it takes a question in a form that is spoken here. */
  readonly understands: boolean;
}

export const CONTEXT_VERSION = 'v1alpha1';
/** LIMIT: upstream documents this default and does not apply it; a call without an end would hold up its object for good. */
const TIMEOUT_SECONDS = 10;
/** LIMIT: kinds times operations of which the answer is remembered; more than any cluster serves. */
const REMEMBERED_MAX = 20_000;

type Rule = NonNullable<ResourceInterpreterWebhook['rules']>[number];

const covers = (names: readonly string[], name: string): boolean =>
  names.includes('*') || names.includes(name);

function matches(rule: Rule, { group, version, kind }: GroupVersionKind, operation: Operation): boolean {
  return (
    covers(rule.operations, operation) &&
    covers(rule.apiGroups, group) &&
    covers(rule.apiVersions, version) &&
    covers(rule.kinds, kind)
  );
}

/** Whether a configuration names a kind, for whatever operation. */
export function asksAbout(
  { webhooks }: ResourceInterpreterWebhookConfiguration,
  { group, version, kind }: GroupVersionKind,
): boolean {
  return webhooks.some(({ rules = [] }) =>
    rules.some(
      (rule) =>
        covers(rule.apiGroups, group) && covers(rule.apiVersions, version) && covers(rule.kinds, kind),
    ),
  );
}

interface Registered {
  readonly hook: InterpreterHook;
  readonly rules: readonly Rule[];
}

export class InterpreterHooks {
  #registered: readonly Registered[] = [];
  readonly #found = new Map<string, InterpreterHook | undefined>();

  /** Replaces all. */
  load(configurations: readonly ResourceInterpreterWebhookConfiguration[]): void {
    this.#found.clear();
    this.#registered = configurations
      .flatMap(({ metadata, webhooks }) =>
        webhooks.map((webhook) => ({
          hook: {
            name: `${metadata.name ?? ''}/${webhook.name}`,
            clientConfig: webhook.clientConfig,
            timeoutMs: (webhook.timeoutSeconds ?? TIMEOUT_SECONDS) * 1000,
            understands: webhook.interpreterContextVersions.includes(CONTEXT_VERSION),
          },
          rules: webhook.rules ?? [],
        })),
      )
      .sort(({ hook: a }, { hook: b }) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  /** The one that is asked: the first of those that have a matching rule. */
  find(kind: GroupVersionKind, operation: Operation): InterpreterHook | undefined {
    if (this.#registered.length === 0) return undefined;
    const key = `${formatApiVersion(kind)} ${kind.kind} ${operation}`;
    if (this.#found.has(key)) return this.#found.get(key);
    const found = this.#registered.find(({ rules }) =>
      rules.some((rule) => matches(rule, kind, operation)),
    )?.hook;
    if (this.#found.size >= REMEMBERED_MAX) this.#found.clear();
    this.#found.set(key, found);
    return found;
  }
}
