// An explanation as a person reads it: one screen, the answer first, then what to do, then the steps that led there.
import type { DivisionTrace, PolicyDecision, ScheduleTrace } from '../api/index.ts';
import { parseTime } from '../machinery/index.ts';
import type { ClusterStory } from './cluster-story.ts';
import { listText, singular, unstopped, type Finding } from './finding.ts';
import type { WayIn } from './way-in.ts';
import { objectCalled, type Explanation, type Supposition } from './why.ts';

export interface TextOptions {
  readonly nowMs: number;
  /** How the object is named on the command line, e.g. `deployment/web -n shop`. */
  readonly asked: string;
  /** Everything, where a screen would not hold it. */
  readonly wide: boolean;
}

/** `3m`, `2h5m`, `4d`: as kubectl tells ages. */
export function ago(since: string | undefined, nowMs: number): string | undefined {
  const from = parseTime(since ?? '');
  if (from === undefined) return undefined;
  const seconds = Math.max(0, Math.round((nowMs - from) / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}

/** `it is …` becomes a sentence about the object. */
function answered(object: string, answer: string): string {
  return answer.startsWith('it ') ? `${object}${answer.slice(2)}.` : `${object}: ${answer}.`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

// LIMIT: lines of one kind on a screen; `-o wide` shows all.
const LINES_MAX = 12;

export function whyText(explanation: Explanation, options: TextOptions): string {
  const { object, answer, first, findings, clusters, excluded, spared, excludedMore = 0 } = explanation;
  const lines: string[] = [answered(objectCalled(object), answer)];
  if (first !== undefined) lines.push('', ...firstLines(first, options));
  const others = findings.filter((finding) => finding !== first && finding.severity !== 'note');
  for (const finding of limited(others, options)) lines.push(...alsoLines(finding, options));
  lines.push('');
  const rows: (readonly [string, string])[] = [
    ...policyRows(explanation),
    ...notesFor(findings, 'policy'),
    ...notesFor(findings, 'binding'),
    ...scheduleRows(explanation, options),
    ...notesFor(findings, 'schedule'),
  ];
  for (const [title, text] of rows) lines.push(`${title.padEnd(10)}${text}`);
  if (clusters.length > 0) lines.push('', ...clusterLines(clusters, options));
  const out = [
    ...excluded.map((way) => [way.cluster, wayText(way)] as const),
    ...spared.map(({ cluster, says }) => [cluster, says] as const),
  ];
  if (out.length > 0 || excludedMore > 0) lines.push('', 'NOT IN', ...columns(limited(out, options)));
  const hidden = out.length - limited(out, options).length + excludedMore;
  if (hidden > 0) lines.push(`  and ${hidden} more; name one with --cluster`);
  const question = excluded.flatMap(({ questions }) => questions).find((one) => !BY_ITSELF.test(one));
  if (question !== undefined) lines.push('', `Ask further: navarch why ${options.asked} --if "${question}"`);
  return `${lines.join('\n').replace(/\n{3,}/g, '\n\n')}\n`;
}

function limited<T>(list: readonly T[], { wide }: TextOptions): readonly T[] {
  return wide ? list : list.slice(0, LINES_MAX);
}

function firstLines(
  { severity, step, cluster, says, next, since }: Finding,
  { nowMs }: TextOptions,
): string[] {
  const age = ago(since, nowMs);
  const where = `${severity === 'stuck' ? 'Stuck' : 'Waiting'} at ${cluster === undefined ? `the ${step}` : cluster}`;
  const lines = [`${where}${age === undefined ? '' : ` for ${age}`}: ${says}.`];
  if (next !== undefined) lines.push(`  Next: ${next}.`);
  return lines;
}

function alsoLines({ says, cluster, since, next }: Finding, { nowMs }: TextOptions): string[] {
  const age = ago(since, nowMs);
  const where = cluster === undefined || says.includes(cluster) ? '' : `${cluster}: `;
  return [
    `  Also: ${where}${says}${age === undefined ? '' : ` (for ${age})`}.${next === undefined ? '' : ` ${sentence(next)}`}`,
  ];
}

function notesFor(findings: readonly Finding[], step: Finding['step']): (readonly [string, string])[] {
  return findings
    .filter((finding) => finding.severity === 'note' && finding.step === step)
    .map(({ says }) => ['', says]);
}

function policyRows({ policy, contest }: Explanation): (readonly [string, string])[] {
  if (policy === undefined) return [['POLICY', 'none']];
  return [['POLICY', `${policy}${contest === undefined ? '' : contestText(policy, contest)}`]];
}

function contestText(policy: string, { winner, match, priority = 0 }: PolicyDecision): string {
  if (!policy.endsWith(winner.name)) return '';
  const by = match === undefined ? '' : `selects it by ${match}`;
  return ` (${by}${priority === 0 ? '' : `, priority ${priority}`})`;
}

function scheduleRows(
  { schedule, scheduleNote }: Explanation,
  { nowMs }: TextOptions,
): (readonly [string, string])[] {
  if (schedule === undefined) return [];
  const age = ago(schedule.time, nowMs);
  const because = schedule.trigger === undefined ? '' : ` (${schedule.trigger})`;
  const rows: [string, string][] = [
    ['SCHEDULE', `${outcomeText(schedule)}${age === undefined ? '' : `, decided ${age} ago`}${because}`],
  ];
  for (const line of attemptTexts(schedule)) rows.push(['', line]);
  if (scheduleNote !== undefined) rows.push(['', scheduleNote]);
  return rows;
}

function outcomeText({ outcome, summary = '', message = '', affinityName }: ScheduleTrace): string {
  if (outcome !== 'Success') return `${outcome}: ${unstopped(message)}`;
  return `${summary}${affinityName === undefined ? '' : ` by the term ${affinityName}`}`;
}

function attemptTexts({ attempts }: ScheduleTrace): readonly string[] {
  return attempts.flatMap(({ affinityName, failure, divisions = [], selection, candidates = [] }) => {
    const lines: string[] = [];
    if (failure !== undefined && affinityName !== undefined)
      lines.push(`the term ${affinityName} did not do: ${unstopped(failure.message)}`);
    if (selection?.chosenGroups !== undefined)
      lines.push(
        `groups by ${selection.by}: ${listText(selection.chosenGroups)} of ${(selection.groups ?? []).map(({ name, score }) => `${name} ${score}`).join(', ')}`,
      );
    for (const division of divisions) {
      const text = divisionText(division);
      if (text !== undefined) lines.push(text);
    }
    const failed = candidates.flatMap(({ name, estimates = [] }) =>
      estimates.flatMap(({ estimator, error }) =>
        error === undefined ? [] : [`${estimator} for ${name}: ${error}`],
      ),
    );
    if (failed.length > 0) lines.push(`estimators that did not answer: ${listText(failed, 3)}`);
    return lines;
  });
}

const STRATEGIES: Readonly<Record<string, string>> = {
  Duplicated: 'every cluster gets all replicas',
  Aggregated: 'into as few clusters as have the room',
  StaticWeight: 'by the weights of the policy',
  DynamicWeight: 'by the room clusters have',
};

function divisionText({
  strategy,
  step,
  target,
  shares = [],
  kept = [],
  tier,
}: DivisionTrace): string | undefined {
  const how = STRATEGIES[strategy] ?? strategy;
  const at = tier === undefined || tier === 0 ? '' : `overflow ${tier}: `;
  if (step === undefined) return `${at}${how}`;
  if (step === 'keep') return `${at}${how}; the number was right, so all stayed as it was`;
  const parts = shares
    .slice(0, LINES_MAX)
    .map(({ name, weight, exact, replicas = 0 }) => `${name} ${weight} → ${exact ?? '?'} → ${replicas}`);
  const more = shares.length > LINES_MAX ? ` and ${shares.length - LINES_MAX} more` : '';
  const stayed = kept.length === 0 ? '' : `, added to what was there`;
  return `${at}${target ?? 0} replicas ${how}: ${parts.join(', ')}${more}${stayed}`;
}

function clusterLines(clusters: readonly ClusterStory[], options: TextOptions): readonly string[] {
  const rows = limited(clusters, options).map(
    ({ cluster, replicas, ready, says, overrides, requiredBy }) =>
      [
        cluster,
        replicas === undefined ? '' : `${ready ?? 0}/${replicas}`,
        [
          says,
          ...(overrides === undefined ? [] : [`overridden by ${listText(overrides)}`]),
          ...(requiredBy === undefined ? [] : [`needed there by ${listText(requiredBy)}`]),
        ].join('; '),
      ] as const,
  );
  const more = clusters.length - rows.length;
  return ['CLUSTERS', ...columns(rows), ...(more > 0 ? [`  and ${more} more; -o wide shows all`] : [])];
}

function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map(
    (row) =>
      `  ${row
        .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
        .filter((_, at) => (widths[at] ?? 0) > 0)
        .join('  ')}`,
  );
}

// The control plane puts these on and takes them off.
const BY_ITSELF = /^cluster \S+ untainted cluster\.karmada\.io\/(not-ready|unreachable)/;

function wayText({ reasons, questions, wouldGet, remedies }: WayIn): string {
  const why = listText(reasons.map(({ text }) => singular(text)));
  if (questions.length === 0) return `${why}; ${listText(remedies)}`;
  if (questions.every((question) => BY_ITSELF.test(question)))
    return `${why}, which goes by itself when the cluster is ready again`;
  const changes = listText(questions.map((question) => `"${question}"`));
  if (wouldGet === undefined) return `${why}; would fit with ${changes}, but get nothing`;
  const share = wouldGet.replicas === undefined ? 'would get it' : `would get ${wouldGet.replicas}`;
  return `${why}; ${share} with ${changes}`;
}

export function whatIfText({ object, supposed, answer, notes }: Supposition): string {
  const lines = [`If ${listText(supposed)}: ${answered(objectCalled(object), answer)}`];
  for (const note of notes) lines.push(`  ${sentence(note)}`);
  return `${lines.join('\n')}\n`;
}
