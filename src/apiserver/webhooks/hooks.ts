// One webhook of a configuration: whether it is asked about a request, and the asking.
import type { JsonValue, KubeObject } from '../../api/index.ts';
import { errorMessage, type Random } from '../../base/index.ts';
import {
  StatusError,
  badRequest,
  forbidden,
  goQuote,
  internalError,
  type AdmissionAttributes,
  type LabelSelector,
} from '../../machinery/index.ts';
import {
  CONDITION_SCOPE,
  ExpressionError,
  compileConditions,
  requestBindings,
  requestOf,
  type Conditions,
  type MatchCondition,
} from '../admission-policy/expressions.ts';
import {
  matchRules,
  matchSelectors,
  requestedAs,
  selectorsOf,
  type MatchEnvironment,
  type Rule,
  type SeenAs,
  type Selectors,
} from '../admission-policy/matching.ts';
import type { ObjectForms } from '../admission-policy/seen-object.ts';
import { ReviewError, isReviewVersion, readReview, rejection, reviewOf } from './admission-review.ts';
import { WebhookCallError, type WebhookClient, type WebhookClientConfig } from './client.ts';

/** admissionregistration.k8s.io/v1 MutatingWebhook and ValidatingWebhook, with their defaults. */
export interface WebhookSpec {
  readonly name: string;
  readonly clientConfig: WebhookClientConfig;
  readonly rules?: readonly Rule[];
  readonly failurePolicy?: string;
  readonly matchPolicy?: string;
  readonly namespaceSelector?: LabelSelector;
  readonly objectSelector?: LabelSelector;
  readonly sideEffects?: string;
  readonly timeoutSeconds?: number;
  readonly admissionReviewVersions?: readonly string[];
  readonly reinvocationPolicy?: string;
  readonly matchConditions?: readonly MatchCondition[];
}

export interface HookEnvironment extends MatchEnvironment {
  readonly client: WebhookClient;
  readonly forms: ObjectForms;
  readonly random: Random;
}

export type Warn = (message: string) => void;

/** A webhook that could not be asked, or whose answer is none: its failure policy decides. */
class HookFailure extends Error {}

export class Hook {
  readonly name: string;
  /** The name of the configuration that it is in. */
  readonly configuration: string;
  readonly reinvocable: boolean;
  readonly #spec: WebhookSpec;
  readonly #selectors: Selectors;
  readonly #conditions: Conditions | undefined;

  constructor(spec: WebhookSpec, configuration: string) {
    this.#spec = spec;
    this.name = spec.name;
    this.configuration = configuration;
    this.#selectors = selectorsOf(spec);
    this.reinvocable = spec.reinvocationPolicy === 'IfNeeded';
    const { matchConditions = [] } = spec;
    this.#conditions =
      matchConditions.length === 0 ? undefined : compileConditions(matchConditions, CONDITION_SCOPE);
  }

  get #ignores(): boolean {
    return this.#spec.failurePolicy === 'Ignore';
  }

  /** How the webhook sees the request; undefined: it is not asked. Throws a StatusError when that cannot be said. */
  async concerns(attributes: AdmissionAttributes, environment: HookEnvironment): Promise<SeenAs | undefined> {
    const { registry, forms, authorizer } = environment;
    const own = requestedAs(attributes);
    const { rules = [], matchPolicy } = this.#spec;
    const seen = matchRules(rules, matchPolicy, attributes, own, registry);
    if (seen === undefined || !(await matchSelectors(this.#selectors, attributes, environment)))
      return undefined;
    if (this.#conditions === undefined) return seen;
    try {
      const shown = await forms.show(attributes, seen);
      return this.#conditions.match(requestBindings(attributes, seen, own, shown, authorizer))
        ? seen
        : undefined;
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      if (this.#ignores) return undefined;
      const { group, resource } = own;
      throw forbidden({ group, resource }, attributes.name, error.message);
    }
  }

  /**
   * Throws a StatusError when the webhook says no. Gives its patch; undefined: it has none.
   * @param place of this asking among those of the request, for the audit log
   */
  async ask(
    attributes: AdmissionAttributes,
    seen: SeenAs,
    place: string,
    mutating: boolean,
    environment: HookEnvironment,
    warn: Warn,
  ): Promise<JsonValue | undefined> {
    const { name, sideEffects } = this.#spec;
    if (attributes.dryRun && sideEffects !== 'None' && sideEffects !== 'NoneOnDryRun') {
      throw badRequest(`admission webhook ${goQuote(name)} does not support dry run`);
    }
    try {
      return await this.#call(attributes, seen, mutating, environment, warn);
    } catch (error) {
      if (!(error instanceof HookFailure)) throw error;
      if (this.#ignores) {
        const by = mutating ? 'mutation' : 'validating';
        const note = { configuration: this.configuration, webhook: name };
        attributes.annotate?.(`failed-open.${by}.webhook.admission.k8s.io/${place}`, JSON.stringify(note));
        return undefined;
      }
      throw internalError(`failed calling webhook ${goQuote(name)}: ${error.message}`);
    }
  }

  async #call(
    attributes: AdmissionAttributes,
    seen: SeenAs,
    mutating: boolean,
    { client, forms, random }: HookEnvironment,
    warn: Warn,
  ): Promise<JsonValue | undefined> {
    const { name, clientConfig, timeoutSeconds = 10, admissionReviewVersions = [] } = this.#spec;
    const version = admissionReviewVersions.find(isReviewVersion);
    if (version === undefined) {
      throw new HookFailure(
        'could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)',
      );
    }
    const uid = random.uuid();
    const request = requestOf(attributes, seen, requestedAs(attributes));
    const review = reviewOf(version, uid, request, await forms.show(attributes, seen));
    let answer: unknown;
    try {
      answer = await client.call(clientConfig, review, timeoutSeconds * 1000);
    } catch (error) {
      if (!(error instanceof WebhookCallError)) throw error;
      throw new HookFailure(`failed to call webhook: ${error.message}`);
    }
    try {
      const reviewed = readReview(answer, version, uid, mutating);
      const { allowed, result, warnings, patch } = reviewed;
      warnings.forEach(warn);
      for (const [key, value] of Object.entries(reviewed.auditAnnotations))
        attributes.annotate?.(`${name}/${key}`, value);
      if (!allowed) throw rejection(name, result);
      return patch;
    } catch (error) {
      if (!(error instanceof ReviewError)) throw error;
      throw new HookFailure(`received invalid webhook response: ${error.message}`);
    }
  }

  /** The error for a patch that cannot be applied. */
  refusePatch(error: unknown): StatusError {
    const { name } = this.#spec;
    if (error instanceof StatusError && error.cause !== undefined)
      return internalError(errorMessage(error.cause));
    return internalError(`admission webhook ${goQuote(name)}: ${errorMessage(error)}`);
  }

  refuseUnexpectedPatch(): StatusError {
    const { name } = this.#spec;
    return internalError(
      `admission webhook ${goQuote(name)} attempted to modify the object, which is not supported for this operation`,
    );
  }
}

export function hooksOf(configuration: KubeObject): readonly Hook[] {
  const { webhooks = [] } = configuration as unknown as { readonly webhooks?: readonly WebhookSpec[] };
  return webhooks.map((webhook) => new Hook(webhook, configuration.metadata.name ?? ''));
}
