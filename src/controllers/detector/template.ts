// One template: gather what concerns it, let propagation/ decide, carry it out.
import { controllerOf } from '../../machinery/index.ts';
import type { KubeObject, PriorityClass } from '../../api/index.ts';
import { errorMessage } from '../../base/index.ts';
import { isNotFound, kinds, type Resource } from '../../client/index.ts';
import {
  bindingName,
  claimOf,
  decideTemplate,
  desiredBinding,
  mergeBinding,
  withoutClaim,
  type Binding,
  type BindingInput,
  type Claim,
  type Contest,
  type Policy,
  type TemplateDecision,
} from '../../propagation/index.ts';
import { done, retry, type EventRecorder, type Outcome } from '../../runtime/index.ts';
import type { ControllerContext } from '../context.ts';
import { DecisionLog } from '../decisions.ts';
import { WritesUnderWay } from '../writes-under-way.ts';
import type { PolicyIndex } from './policy-index.ts';
import { parseTemplateKey, templateKeyOf, type TemplateInformers, type TemplateKey } from './templates.ts';

export class TemplateReconciler {
  /** Templates that no policy selects; a policy that appears looks here. */
  readonly waiting = new Set<TemplateKey>();
  /** Templates whose policy cannot act yet, for want of an override policy or because it is being deleted. */
  readonly blocked = new Set<TemplateKey>();
  private readonly context: ControllerContext;
  private readonly recorder: EventRecorder;
  private readonly templates: TemplateInformers;
  private readonly policies: PolicyIndex;
  /** Templates with a change that is not the control plane's own, since they were last reconciled. */
  private readonly touched = new Set<TemplateKey>();
  private readonly claims = new WritesUnderWay();

  constructor(context: ControllerContext, templates: TemplateInformers, policies: PolicyIndex) {
    this.context = context;
    this.recorder = context.recorder.withComponent('resource-detector');
    this.templates = templates;
    this.policies = policies;
  }

  touchedByUser(key: TemplateKey): void {
    this.touched.add(key);
  }

  /** Whether an update may be the claim that is being written, which is no news; `again` is called when it is not. */
  isOwnClaim(after: KubeObject, again: () => void): boolean {
    return this.claims.defers(templateKeyOf(after), after, again);
  }

  async reconcile(key: TemplateKey, signal: AbortSignal): Promise<Outcome> {
    const template = this.templates.get(parseTemplateKey(key));
    const touched = this.touched.delete(key);
    if (template === undefined || template.metadata.deletionTimestamp !== undefined) {
      // The binding goes with its owner; the garbage collector sees to it.
      this.waiting.delete(key);
      this.blocked.delete(key);
      return done;
    }
    try {
      const outcome = await this.act(key, template, this.decide(template, !touched), signal);
      if (outcome.kind !== 'done' && touched) this.touched.add(key);
      return outcome;
    } catch (error) {
      if (touched) this.touched.add(key);
      throw error;
    }
  }

  private decide(template: KubeObject, changedByControlPlane: boolean): TemplateDecision {
    const { policies } = this;
    const claimedBy = policies.claimant(claimOf(template));
    const decided = this.context.scheduling.matching();
    const decision = decideTemplate({
      template,
      namespaced: policies.namespacedFor(template),
      cluster: policies.clusterFor(template),
      claimedBy,
      overrideExists: (policy, name) => policies.overrideExists(policy, name),
      changedByControlPlane,
    });
    decided();
    return decision;
  }

  private async act(
    key: TemplateKey,
    template: KubeObject,
    decision: TemplateDecision,
    signal: AbortSignal,
  ): Promise<Outcome> {
    if (decision.action === 'wait') this.waiting.add(key);
    else this.waiting.delete(key);
    if (decision.action === 'retry') this.blocked.add(key);
    else this.blocked.delete(key);
    switch (decision.action) {
      case 'leave':
      case 'freeze':
      case 'wait':
        return done;
      case 'retry':
        return retry(new Error(decision.why));
      case 'release':
        await this.release(template, decision.claim, signal);
        return done;
      case 'apply':
        return this.apply(key, template, decision, signal);
    }
  }

  /** Takes a claim off the binding, then off the template. */
  async release(template: KubeObject, claim: Pick<Claim, 'kind' | 'id'>, signal: AbortSignal): Promise<void> {
    await this.releaseBinding(template, claim, signal);
    const resource = this.templates.resource(template.apiVersion, template.kind);
    const released = withoutClaim(template, claim);
    if (resource === undefined || released === template) return;
    await this.context.hubClient.update(resource, released, { signal });
  }

  private async releaseBinding(
    template: KubeObject,
    claim: Pick<Claim, 'kind' | 'id'>,
    signal: AbortSignal,
  ): Promise<void> {
    const binding = this.bindingOf(template);
    if (binding === undefined || controllerOf(binding)?.uid !== template.metadata.uid) return;
    const released = withoutClaim(binding, claim);
    if (released === binding) return;
    try {
      await this.context.hubClient.update(bindingResource(template), released, { signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  private async apply(
    key: TemplateKey,
    template: KubeObject,
    decision: Extract<TemplateDecision, { action: 'apply' }>,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { hubClient, scheduling } = this.context;
    const { recorder } = this;
    const applied = scheduling.applying();
    const { policy, claimed, bind } = decision;
    const called = `policy(${[policy.metadata.namespace, policy.metadata.name].filter(Boolean).join('/')})`;
    try {
      let current = template;
      if (claimed !== template) {
        const resource = this.templates.resource(template.apiVersion, template.kind);
        if (resource === undefined) return retry(new Error(`${template.kind} is no longer served`));
        current = await this.claims.during(key, () => hubClient.update(resource, claimed, { signal }));
      }
      if (!bind) return done;
      const changed = await this.writeBinding(current, policy, decision.contest, signal);
      if (changed !== undefined) {
        const what = interpretedPart(changed);
        if (what !== undefined)
          recorder.event(
            current,
            'Normal',
            `Get${what}Succeed`,
            `Get ${what.toLowerCase()} of resource template successfully.`,
          );
        recorder.event(current, 'Normal', 'ApplyPolicySucceed', `Apply ${called} succeed`);
      }
      applied(true);
      return done;
    } catch (error) {
      applied(false);
      const why = error instanceof Error ? error.message : String(error);
      recorder.event(template, 'Warning', 'ApplyPolicyFailed', `Apply ${called} failed: ${why}`);
      throw error;
    }
  }

  /** The binding as written; undefined: it said all that already. */
  private async writeBinding(
    template: KubeObject,
    policy: Policy,
    contest: Contest | undefined,
    signal: AbortSignal,
  ): Promise<Binding | undefined> {
    const { hubClient } = this.context;
    const decisions = DecisionLog.of(this.context);
    const desired = desiredBinding(await this.bindingInput(template, policy));
    const existing = this.bindingOf(template);
    const resource = bindingResource(template);
    if (existing === undefined) {
      // Noted first: the scheduler may be done with the binding before its creation is answered.
      if (contest !== undefined) await decisions.chosen(desired, contest, true);
      return hubClient.create(resource, desired, { signal });
    }
    const update = mergeBinding(existing, desired);
    if (contest !== undefined) await decisions.chosen(existing, contest, false);
    if (update.result === 'unchanged') return undefined;
    if (update.result === 'conflict') {
      throw new Error(
        `binding ${desired.metadata.name} belongs to another object (uid ${update.ownerUid}), waiting until it is gone`,
      );
    }
    return hubClient.update(resource, update.binding, { signal });
  }

  private async bindingInput(template: KubeObject, policy: Policy): Promise<BindingInput> {
    const { settings, interpreter } = this.context;
    const { gates } = settings;
    const schedulePriority = await this.schedulePriority(policy);
    const base: BindingInput = {
      template,
      policy,
      gates,
      ...(schedulePriority === undefined ? {} : { schedulePriority }),
    };
    if (gates.MultiplePodTemplatesScheduling) {
      const components = await this.interpreted(template, 'Components', () =>
        interpreter.components(template),
      );
      if (components !== undefined) return { ...base, components };
    }
    const replicas = await this.interpreted(template, 'Replicas', () => interpreter.replicas(template));
    if (replicas === undefined) return base;
    return { ...base, replicas: replicas.replicas, replicaRequirements: replicas.requirements };
  }

  private async interpreted<T>(
    template: KubeObject,
    what: 'Replicas' | 'Components',
    interpret: () => T | undefined | Promise<T | undefined>,
  ): Promise<T | undefined> {
    try {
      return await interpret();
    } catch (error) {
      this.recorder.event(template, 'Warning', `Get${what}Failed`, errorMessage(error));
      throw error;
    }
  }

  private async schedulePriority(policy: Policy): Promise<number | undefined> {
    const { settings, informers } = this.context;
    const name = policy.spec.schedulePriority?.priorityClassName;
    if (name === undefined || !settings.gates.PriorityBasedScheduling) return undefined;
    const classes = informers.informer(kinds.priorityClasses as Resource<PriorityClass>);
    await classes.synced;
    const found = classes.store.get({ name });
    if (found === undefined) throw new Error(`priorityclasses.scheduling.k8s.io "${name}" not found`);
    return found.value;
  }

  private bindingOf(template: KubeObject): Binding | undefined {
    const { informers } = this.context;
    const { namespace, name = '' } = template.metadata;
    const key = { namespace, name: bindingName(template.kind, name) };
    return namespace === undefined
      ? informers.informer(kinds.clusterResourceBindings).store.get(key)
      : informers.informer(kinds.resourceBindings).store.get(key);
  }
}

/** What of a template's meaning stands in its binding. */
function interpretedPart({ spec }: Binding): 'Replicas' | 'Components' | undefined {
  if ((spec.components ?? []).length > 0) return 'Components';
  return spec.replicas === undefined && spec.replicaRequirements === undefined ? undefined : 'Replicas';
}

function bindingResource(template: KubeObject): Resource<Binding> {
  return template.metadata.namespace === undefined ? kinds.clusterResourceBindings : kinds.resourceBindings;
}
