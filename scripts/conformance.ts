// Plays the recorded corpora (../shared/conformance, ../shared/scenarios) against the built product and holds
// the line: every case listed in test/recorded/passing.json must pass. The list may only grow.
//
//   npm run conformance                         the listed cases of every corpus (what CI runs), of memberKubectl some
//   npm run conformance -- --all                every case, also those not passing yet
//   npm run conformance -- --all --update       and add what passes to the list
//   npm run conformance -- kube --only 'watch/*'  one corpus (see `corpora`), some cases
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { freePort } from './free-port.ts';

const root = path.resolve(import.meta.dirname, '..');
const listFile = path.join(root, 'test', 'recorded', 'passing.json');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    all: { type: 'boolean' },
    update: { type: 'boolean' },
    only: { type: 'string' },
    shared: { type: 'string', default: path.join(root, '..', 'shared') },
    jobs: { type: 'string', default: '6' },
  },
});

type Corpus = 'kube' | 'inProcess' | 'kubectl' | 'scenarios' | 'member' | 'memberKubectl' | 'gated';
/** Requests and commands on the hub, through the in-process transport and on a member; then what a fleet does. */
const corpora: readonly Corpus[] = [
  'kube',
  'inProcess',
  'kubectl',
  'scenarios',
  'member',
  'memberKubectl',
  'gated',
];
/** What is run without `--all` where a corpus is on its second server: the server is the same program. */
const samples: Partial<Record<Corpus, RegExp>> = { memberKubectl: /^(apply|get|rollout)\// };
/** Gates that are on besides the default ones: in the plain runs, and in the run of cases that need one. */
const plainGates = ['Failover'];
const allGates = [
  'Failover',
  'StatefulFailoverInjection',
  'PropagationPolicyPreemption',
  'WorkloadAffinity',
  'MultiClusterService',
  'FederatedQuotaEnforcement',
  'ResourceQuotaEstimate',
  'MultiplePodTemplatesScheduling',
];

interface Outcome {
  readonly passed: Set<string>;
  readonly failures: Map<string, string[]>;
  readonly skipped: number;
}

function kubectl133(): string {
  const found = spawnSync('sh', ['-c', 'command -v kubectl'], { encoding: 'utf8' }).stdout.trim();
  if (found === '') return '';
  const versioned = path.join(path.dirname(realpathSync(found)), 'kubectl.1.33');
  return existsSync(versioned) ? versioned : found;
}

function runCases(corpus: Corpus, only: string, directory: string): Promise<Outcome> {
  const shared = values.shared;
  const requests = (...kubeconfig: string[]): string[] => [
    path.join(shared, 'conformance', 'run.mjs'),
    '--kubeconfig',
    path.join(directory, ...kubeconfig),
    '--verbose',
  ];
  const kubectl = (...kubeconfig: string[]): string[] => [
    path.join(shared, 'conformance', 'kubectl.mjs'),
    '--kubeconfig',
    path.join(directory, ...kubeconfig),
    '--verbose',
  ];
  const scenario = [
    path.join(shared, 'scenarios', 'run.mjs'),
    '--fleet',
    path.join(directory, 'fleet.json'),
    '--jobs',
    values.jobs,
  ];
  const commands: Record<Corpus, string[]> = {
    kube: requests('kubeconfig'),
    inProcess: requests('kubeconfig'),
    kubectl: kubectl('kubeconfig'),
    scenarios: scenario,
    member: requests('members', 'member1.kubeconfig'),
    memberKubectl: kubectl('members', 'member1.kubeconfig'),
    gated: [...scenario, '--gated'],
  };
  return new Promise((resolve) => {
    const child = spawn('node', [...commands[corpus], '--only', only], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, KUBECTL: kubectl133() },
    });
    const outcome: Outcome & { skipped: number } = { passed: new Set(), failures: new Map(), skipped: 0 };
    let rest = '';
    child.stdout.on('data', (data: Buffer) => {
      const lines = (rest + data.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const [, word = '', name = '', text = ''] = /^(ok|FAIL|SKIP)\s+([^\s:]+):?\s?(.*)$/.exec(line) ?? [];
        if (word === 'ok') outcome.passed.add(name);
        if (word === 'SKIP') outcome.skipped++;
        if (word === 'FAIL') outcome.failures.set(name, [...(outcome.failures.get(name) ?? []), text]);
      }
    });
    child.on('close', () => resolve(outcome));
  });
}

interface Served {
  readonly child: ChildProcess;
  readonly directory: string;
}

function startProduct(gates: readonly string[]): Promise<Served> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'navarch-recorded-'));
  const port = freePort();
  return started(directory, [
    path.join(root, 'bin', 'navarch.mjs'),
    'up',
    '--members',
    '3',
    '--simulate',
    'none',
    '--data-dir',
    directory,
    '--port',
    String(port),
    '--member-base-port',
    String(port + 1),
    '--feature-gates',
    gates.map((gate) => `${gate}=true`).join(','),
    '--controllers',
    '*,hpaScaleTargetMarker,deploymentReplicasSyncer',
    '--enable-no-execute-taint-eviction=true',
    '--resource-eviction-rate',
    '1000',
    '--allow-no-execute-taint-policy=true',
  ]);
}

function startBridge(): Promise<Served> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'navarch-recorded-'));
  return started(directory, [path.join(root, 'scripts', 'in-process-bridge.ts'), directory]);
}

/** Resolves when the program says that it is ready. */
async function started(directory: string, command: readonly string[]): Promise<Served> {
  const child = spawn('node', command, { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise<void>((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString();
      if (/ready in/i.test(output)) resolve();
    });
    child.on('close', (code) => reject(new Error(`${command[0]} ended with code ${code}:\n${output}`)));
  });
  return { child, directory };
}

async function stop({ child, directory }: Served): Promise<void> {
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGTERM');
  await closed;
  rmSync(directory, { recursive: true, force: true });
}

/** Runs one corpus; what failed of the listed cases is tried once more alone, since bounds are in real time. */
async function judge(corpus: Corpus, listed: readonly string[], directory: string): Promise<Outcome> {
  const outcome = await runCases(
    corpus,
    values.only ?? (values.all === true ? '*' : listed.join(',')),
    directory,
  );
  const again = listed.filter((name) => outcome.failures.has(name));
  if (again.length === 0) return outcome;
  const second = await runCases(corpus, again.join(','), directory);
  for (const name of second.passed) {
    outcome.failures.delete(name);
    outcome.passed.add(name);
  }
  return outcome;
}

const lists = JSON.parse(readFileSync(listFile, 'utf8')) as Record<Corpus, string[]>;
if (!existsSync(values.shared)) {
  console.log(`No recorded corpora at ${values.shared}; nothing to compare.`);
  process.exit(0);
}
const chosen = corpora.filter((corpus) => positionals.length === 0 || positionals.includes(corpus));

/** The cases that must pass, of those that are run. */
function listed(corpus: Corpus): readonly string[] {
  const sample = values.all === true ? undefined : samples[corpus];
  return sample === undefined ? lists[corpus] : lists[corpus].filter((name) => sample.test(name));
}

/** Corpora that share a server. */
const groups: readonly { readonly of: readonly Corpus[]; readonly start: () => Promise<Served> }[] = [
  {
    of: ['kube', 'kubectl', 'scenarios', 'member', 'memberKubectl'],
    start: () => startProduct(plainGates),
  },
  { of: ['inProcess'], start: startBridge },
  { of: ['gated'], start: () => startProduct(allGates) },
];
let totalPassed = 0;
let totalFailed = 0;
for (const { of, start } of groups) {
  const wanted = of.filter(
    (corpus) =>
      chosen.includes(corpus) &&
      (values.all === true || values.only !== undefined || listed(corpus).length > 0),
  );
  if (wanted.length === 0) continue;
  const served = await start();
  try {
    for (const corpus of wanted) {
      const from = performance.now();
      const outcome = await judge(corpus, listed(corpus), served.directory);
      const mustPass = new Set(lists[corpus]);
      const lost = [...outcome.failures.keys()].filter((name) => mustPass.has(name));
      const report = values.all === true || values.only !== undefined ? [...outcome.failures.keys()] : lost;
      for (const name of report)
        for (const text of outcome.failures.get(name) ?? []) console.log(`FAIL ${corpus} ${name}: ${text}`);
      const seconds = Math.round((performance.now() - from) / 1000);
      console.log(
        `${corpus}: ${outcome.passed.size} passed, ${outcome.failures.size} failed (${lost.length} of them listed) in ${seconds} s`,
      );
      totalPassed += outcome.passed.size;
      totalFailed += lost.length;
      if (values.update === true) {
        lists[corpus] = [...new Set([...lists[corpus], ...outcome.passed])].sort();
        writeFileSync(listFile, `${JSON.stringify(lists, null, 1)}\n`);
      }
    }
  } finally {
    await stop(served);
  }
}
console.log(`${totalPassed} passed, ${totalFailed} failed`);
process.exit(totalFailed === 0 ? 0 : 1);
