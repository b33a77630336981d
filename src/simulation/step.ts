// What is done to a world and what is expected of it, as data: scenario files, `navarch simulate --scenario` and the
// schedules of random runs are all lists of these.
import { s, type Infer, type JsonValue } from '../api/index.ts';
import { OperatingError } from '../base/index.ts';
import { DurationError, parseDuration, pruneBySchema, validateSchema } from '../machinery/index.ts';

const duration = (description: string): ReturnType<typeof s.string> =>
  s.string(`${description} Like 90s or 1h30m.`, { minLength: 1 });
const clusterName = s.string('The name of a member.', { minLength: 1 });
const clusters = (description: string): ReturnType<typeof s.list<string>> => s.list(description, clusterName);
const reference = s.string('Kind and name of an object: `Deployment shop/web`, `ClusterRole reader`.', {
  pattern: '^[A-Za-z]+ [^ /]+(/[^ /]+)?$',
});
const taintEffect = s.choice('What the taint does.', ['NoSchedule', 'NoExecute']);

const expectation = s.object('What must be true at this time; all that is given.', {
  optional: {
    object: reference,
    copiesIn: clusters('The members that hold a copy of the object, no more and no fewer.'),
    healthyIn: clusters('The members whose copy of the object is healthy, no more and no fewer.'),
    scheduledTo: clusters('The targets of the binding of the object.'),
    replicas: s.integer('The replicas over all targets of the binding of the object.'),
    ready: s.integer('The ready replicas over all members.'),
    condition: s.string('A condition of the binding of the object: `Scheduled=False NoClusterFit`.', {
      pattern: '^[A-Za-z]+=(True|False|Unknown)( [A-Za-z]+)?$',
    }),
    absent: s.boolean('The object is gone from the hub and from all members that answer.'),
    hubHolds: reference,
    clusterGone: s.string('There is no Cluster of this name.'),
    evictions: s.integer('How many bindings have been evicted from a cluster since the start.'),
    removals: s.integer('How many copies the hub has removed from members since the start.'),
    placedWorkloads: s.integer('How many bindings of Deployments have a target.'),
    placedWorkloadsAtMost: s.integer('No more of them ever had one at the same time.'),
    copyLabels: s.map(
      'Labels of the copies of the object, by member; an empty value: not there.',
      s.map('Labels.', s.string('Value.')),
    ),
    converged: s.boolean('Hub and members show what is asked for, and nothing is under way.'),
  },
});
export type Expectation = Infer<typeof expectation>;

const action = {
  cut: clusters('Connections to these members are refused and reset.'),
  silence: clusters('Nothing reaches these members and nothing comes from them.'),
  flaky: s.object('The network to these members loses and delays.', {
    required: { clusters: clusters('Which.') },
    optional: {
      loss: s.string('The share of requests that end in a reset, 0 to 1.', { pattern: '^(0(\\.\\d+)?|1)$' }),
      latency: duration('How long one way takes at most.'),
    },
  }),
  stopServer: clusters('The API servers of these members stop; pods run on.'),
  stopAgent: clusters('The agents of these pull members die.'),
  heal: clusters('Network, API server and agent of these members work again; empty: of all.'),
  nodeDown: s.object('A machine is switched off.', {
    required: { cluster: clusterName, node: s.integer('Which, from 1.', { minimum: 1 }) },
  }),
  nodeUp: s.object('And on again.', {
    required: { cluster: clusterName, node: s.integer('Which, from 1.', { minimum: 1 }) },
  }),
  failPods: s.object('Containers end soon after every start, until the cluster is healed.', {
    required: { cluster: clusterName },
    optional: {
      namespace: s.string('Only pods of this namespace.'),
      selector: s.string('Only pods with these labels.'),
    },
  }),
  slowStart: s.object('Pods take this many times as long to start, until the cluster is healed.', {
    required: { cluster: clusterName, factor: s.integer('How many times.', { minimum: 1 }) },
  }),
  killHub: s.object('The hub dies as by kill -9, and is started again on the same disk.', {
    required: { downFor: duration('How long until it is started.') },
  }),
  jumpClock: s.object('The clock of the hub or of a member jumps.', {
    required: { of: s.string('`hub`, or a member.'), by: duration('How far; negative: back.') },
  }),
  apply: s.openObject('A user applies this object.'),
  scale: s.object('A user sets the replicas of a workload.', {
    required: { object: reference, replicas: s.integer('How many.', { minimum: 0 }) },
  }),
  patch: s.object('A user changes an object by a merge patch.', {
    required: { object: reference, merge: s.openObject('The patch.') },
  }),
  delete: reference,
  taint: s.object('A user taints a cluster.', {
    required: { cluster: clusterName, key: s.string('Its key.'), effect: taintEffect },
    optional: { value: s.string('Its value.') },
  }),
  untaint: s.object('A user takes taints of a key off a cluster.', {
    required: { cluster: clusterName, key: s.string('Their key.') },
  }),
  label: s.object('A user labels a cluster.', {
    required: {
      cluster: clusterName,
      labels: s.map('The labels; an empty value removes one.', s.string('Value.')),
    },
  }),
  unjoin: s.string('A user deletes the Cluster of this name, as unjoin does.'),
  memberDeletes: s.object('Somebody deletes an object in a member, past the hub.', {
    required: { cluster: clusterName, object: reference },
  }),
  expect: s.list('What must be true now.', expectation),
};

const stepSchema = s.object('Something that happens at a time.', {
  required: { at: duration('How long after the start.') },
  optional: {
    every: duration('It happens again and again, this long after the last time.'),
    until: duration('How long after the start it happens for the last time; needed with `every`.'),
    ...action,
  },
});
export type Step = Infer<typeof stepSchema>;

export const timelineSchema = s.list('What happens, in any order.', stepSchema);
export type ActionName = keyof typeof action;
export const ACTION_NAMES = Object.keys(action) as readonly ActionName[];

/** LIMIT: what a timeline may grow to when its repetitions are written out. */
const STEPS_MAX = 10_000;

export interface TimedStep {
  readonly atMs: number;
  readonly step: Step;
}

/** Throws OperatingError BAD_SCENARIO, naming all that is wrong, when `value` is not of the schema. */
export function checkDocument(
  value: unknown,
  schema: Parameters<typeof validateSchema>[1],
  file: string,
): void {
  const problems = validateSchema(value as JsonValue, schema).map(
    ({ path, message }) => `${path}: ${message}`,
  );
  const { unknown } = pruneBySchema(value as JsonValue, schema, undefined, { root: false });
  problems.push(...unknown.map((field) => `${field}: there is no such field`));
  if (problems.length > 0) throw badScenario(file, problems.join('; '));
}

/** Steps in order of their time, with repetitions written out; equal times keep the order of the file. */
export function timelineOf(steps: readonly Step[], file: string): readonly TimedStep[] {
  const timed: TimedStep[] = [];
  for (const step of steps) {
    const names = ACTION_NAMES.filter((name) => step[name] !== undefined);
    if (names.length !== 1) {
      throw badScenario(
        file,
        `the step at ${step.at} has ${names.length === 0 ? 'nothing to do' : `several things to do: ${names.join(', ')}`}`,
      );
    }
    const atMs = durationOf(step.at, file);
    if (step.every === undefined) {
      timed.push({ atMs, step });
      continue;
    }
    const everyMs = durationOf(step.every, file);
    if (step.until === undefined || everyMs <= 0)
      throw badScenario(file, `\`every\` needs \`until\`, and to be positive`);
    const untilMs = durationOf(step.until, file);
    for (let ms = atMs; ms <= untilMs; ms += everyMs) {
      if (timed.length >= STEPS_MAX) throw badScenario(file, `it has more than ${STEPS_MAX} steps`);
      timed.push({ atMs: ms, step });
    }
  }
  return timed.sort((a, b) => a.atMs - b.atMs);
}

export function durationOf(text: string, file: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
    throw badScenario(file, `"${text}" is no duration; write it like 30s, 5m or 1h30m`);
  }
}

function badScenario(file: string, what: string): OperatingError {
  return new OperatingError(
    'BAD_SCENARIO',
    `${file}: ${what}`,
    'correct the file; docs/rehearsal.md lists what a scenario may hold',
  );
}
