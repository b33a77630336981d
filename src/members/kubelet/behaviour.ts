// How a simulated pod behaves: how long its containers take to start and to become ready, how long they run, how they
// end. Settings of the cluster give the defaults, annotations of the pod overrule them, faults come on top.
import { DurationError, controllerOf, parseDuration } from '../../machinery/index.ts';
import type { Pod } from '../kinds.ts';

export const ANNOTATION_PREFIX = 'simulation.navarch.io/';

export interface KubeletSettings {
  /** From the moment a pod is assigned until its containers run. Default 300. */
  readonly startDelayMs: number;
  /** From running to ready, besides what a readiness probe's initial delay asks for. Default 200. */
  readonly readyDelayMs: number;
  /** How long an init container runs. Default 200. */
  readonly initRunMs: number;
  /** How long containers of a Job's pods run. Default 1000. */
  readonly jobRunMs: number;
  /** From the request to stop until the containers have ended, at most the grace period. Default 100. */
  readonly stopDelayMs: number;
  /** Share by which each of these times may be shorter or longer, 0 to 1. Default 0.5. */
  readonly jitter: number;
  /** First wait before a container that ended is started a second time; doubles. Default 10,000. */
  readonly backOffBaseMs: number;
  /** Default 300,000. */
  readonly backOffMaxMs: number;
}

export const defaultKubeletSettings: KubeletSettings = {
  startDelayMs: 300,
  readyDelayMs: 200,
  initRunMs: 200,
  jobRunMs: 1000,
  stopDelayMs: 100,
  jitter: 0.5,
  backOffBaseMs: 10_000,
  backOffMaxMs: 300_000,
};

/** What faults do to one pod at the moment. */
export interface PodFault {
  /** Its containers end with this code soon after every start. */
  readonly crashExitCode?: number;
  /** Its images cannot be pulled. */
  readonly failImage?: boolean;
  /** Starting takes so many times as long. */
  readonly slowdown?: number;
}

export interface Behaviour {
  readonly startDelayMs: number;
  readonly readyDelayMs: number;
  readonly initRunMs: number;
  /** Undefined: until it is stopped. */
  readonly runForMs: number | undefined;
  readonly exitCode: number;
  readonly failImage: boolean;
  readonly neverReady: boolean;
  readonly stopDelayMs: number;
}

// LIMIT: a container that crashes still runs this long, so that a restart policy cannot spin.
const CRASH_AFTER_MS = 1000;

/**
 * The behaviour of `pod`. Annotations, all with the prefix `simulation.navarch.io/`:
 * `start-delay`, `ready-delay`, `run-for`, `stop-delay` (Go durations; with them there is no jitter),
 * `exit-code` (number; without `run-for` the container ends at once), `crash` (`true`: as exit code 1),
 * `fail-image` (`true`), `ready` (`false`: never).
 * @param chance a number in [0, 1) that stays the same for this pod
 */
export function behaviourOf(
  pod: Pod,
  settings: KubeletSettings,
  fault: PodFault | undefined,
  chance: number,
): Behaviour {
  const factor = 1 + settings.jitter * (2 * chance - 1);
  const slowdown = fault?.slowdown ?? 1;
  const crash = fault?.crashExitCode ?? (flag(pod, 'crash') ? 1 : undefined);
  const writtenCode = numeric(pod, 'exit-code');
  const exitCode = crash ?? writtenCode ?? 0;
  const probeDelays = pod.spec.containers.map(
    ({ readinessProbe }) => (readinessProbe?.initialDelaySeconds ?? 0) * 1000,
  );
  return {
    startDelayMs: (duration(pod, 'start-delay') ?? settings.startDelayMs * factor) * slowdown,
    readyDelayMs:
      (duration(pod, 'ready-delay') ?? settings.readyDelayMs * factor) * slowdown +
      Math.max(0, ...probeDelays),
    initRunMs: settings.initRunMs * factor * slowdown,
    runForMs:
      crash === undefined
        ? (duration(pod, 'run-for') ??
          (writtenCode !== undefined
            ? CRASH_AFTER_MS
            : isOfJob(pod)
              ? settings.jobRunMs * factor
              : undefined))
        : CRASH_AFTER_MS,
    exitCode,
    failImage: fault?.failImage === true || flag(pod, 'fail-image'),
    neverReady: written(pod, 'ready') === 'false',
    stopDelayMs: Math.min(
      duration(pod, 'stop-delay') ?? settings.stopDelayMs * factor,
      (pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30) * 1000,
    ),
  };
}

function isOfJob(pod: Pod): boolean {
  return controllerOf(pod)?.kind === 'Job';
}

function written(pod: Pod, name: string): string | undefined {
  const { annotations } = pod.metadata;
  const key = ANNOTATION_PREFIX + name;
  return annotations !== undefined && Object.hasOwn(annotations, key) ? annotations[key] : undefined;
}

function flag(pod: Pod, name: string): boolean {
  return written(pod, name) === 'true';
}

function numeric(pod: Pod, name: string): number | undefined {
  const text = written(pod, name);
  return text !== undefined && /^\d{1,3}$/.test(text) ? Number(text) : undefined;
}

function duration(pod: Pod, name: string): number | undefined {
  const text = written(pod, name);
  if (text === undefined) return undefined;
  try {
    return Math.max(parseDuration(text), 0);
  } catch (error) {
    // What a user mistypes leaves the default; the pod must live on.
    if (error instanceof DurationError) return undefined;
    throw error;
  }
}
