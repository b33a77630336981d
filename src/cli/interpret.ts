// `interpret`: checks the scripts of ResourceInterpreterCustomizations, or runs one of them on objects in files, without
// any server.
import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import {
  gvkOf,
  type JsonObject,
  type JsonValue,
  type KubeObject,
  type ResourceInterpreterCustomization,
} from '../api/index.ts';
import { OperatingError, errorMessage, systemClock } from '../base/index.ts';
import { formatYaml, parseYamlDocuments } from '../client/index.ts';
import {
  Customizations,
  RULES,
  scriptComplaint,
  scriptOf,
  type InterpreterLayer,
  type Operation,
  type StatusItem,
} from '../interpreter/index.ts';
import { print, withHub, type SetExitCode } from './command.ts';
import { CommandError, listOption, upstreamCommand } from './shell/index.ts';

interface InterpretFlags {
  readonly filename: readonly string[];
  readonly recursive?: boolean;
  readonly operation?: string;
  readonly check?: boolean;
  readonly observedFile?: string;
  readonly desiredFile?: string;
  readonly statusFile?: string;
  readonly desiredReplica?: string;
}

const EXAMPLES = `
  # Check whether every script compiles
  %s interpret -f customization.yaml --check

  # Run one operation on an object in a file
  %s interpret -f customization.yaml --observed-file deployment.yaml --operation InterpretReplica`;

type Results = readonly (readonly [name: string, value: JsonValue])[];

export function interpretCommand(exit: SetExitCode): Command {
  // COMPAT: takes the flags of the other commands, since wrappers pass them always; no server is asked.
  return withHub(upstreamCommand('interpret', { group: 'Troubleshooting', examples: EXAMPLES }))
    .description('check the scripts of ResourceInterpreterCustomizations, or run one of them')
    .addOption(
      listOption('-f, --filename <file>', 'files or directories with customizations; - for standard input'),
    )
    .option('-R, --recursive', 'look into directories within directories too')
    .option('--operation <name>', `what to run: ${RULES.map(({ operation }) => operation).join(', ')}`)
    .option('--check', 'only compile every script')
    .option('--observed-file <file>', 'the object as a member has it; - for standard input')
    .option('--desired-file <file>', 'the object as it is to be; - for standard input')
    .option('--status-file <file>', 'what members report, for AggregateStatus; - for standard input')
    .option('--desired-replica <number>', 'for ReviseReplica')
    .action(async (flags: InterpretFlags) => {
      if (flags.filename.length === 0)
        throw new CommandError('must specify customizations with -f, --filename');
      const customizations = await readCustomizations(flags);
      exit(flags.check === true ? check(customizations) : await execute(customizations, flags));
    });
}

function check(customizations: readonly ResourceInterpreterCustomization[]): number {
  let failures = 0;
  for (const customization of customizations) {
    const { target } = customization.spec;
    print('-----------------------------------');
    print(`SOURCE: ${customization.metadata.name ?? ''}`);
    print(`TARGET: ${target.apiVersion} ${target.kind}`);
    print('RULERS:');
    for (const rule of RULES) {
      const script = scriptOf(customization, rule);
      const complaint = script === '' ? undefined : scriptComplaint(script);
      if (complaint !== undefined) failures++;
      const verdict =
        script === '' ? 'UNSET' : complaint === undefined ? 'PASS' : `ERROR: ${complaint.trimEnd()}`;
      print(`    ${rule.operation}: ${verdict}`);
    }
  }
  return failures === 0 ? 0 : 1;
}

async function execute(
  customizations: readonly ResourceInterpreterCustomization[],
  flags: InterpretFlags,
): Promise<number> {
  const operation = operationOf(flags.operation);
  const interpreter = new Customizations({ now: () => systemClock.now(), print });
  interpreter.load(customizations);
  const desired = await readObject(flags.desiredFile, 'desired-file');
  const observed = await readObject(flags.observedFile, 'observed-file');
  const subject = desired ?? observed;
  if (subject === undefined) throw missing(operation, '--observed-file or --desired-file');
  if (!interpreter.layer.has(gvkOf(subject), operation)) {
    throw new OperatingError(
      'NO_SUCH_RULE',
      `no customization has ${operation} for ${subject.apiVersion} ${subject.kind}`,
      'compare the target of the customizations with the object',
    );
  }
  let results: Results;
  try {
    results = await run(operation, interpreter.layer, { desired, observed, subject }, flags);
  } catch (error) {
    if (error instanceof OperatingError) throw error;
    throw new OperatingError(
      'SCRIPT_FAILED',
      `${operation}: ${errorMessage(error).trimEnd()}`,
      'correct the script',
      {
        cause: error,
      },
    );
  }
  results.forEach(([name, value], index) => {
    print('---');
    print(`# [${index + 1}/${results.length}] ${name}:`);
    print(formatYaml(value).trimEnd());
  });
  return 0;
}

interface Objects {
  readonly desired: KubeObject | undefined;
  readonly observed: KubeObject | undefined;
  /** The one that is given; the desired one of two. */
  readonly subject: KubeObject;
}

async function run(
  operation: Operation,
  layer: InterpreterLayer,
  { desired, observed, subject }: Objects,
  flags: InterpretFlags,
): Promise<Results> {
  switch (operation) {
    case 'Retain':
      if (desired === undefined || observed === undefined) {
        throw missing(operation, '--desired-file and --observed-file');
      }
      return [['retained', asJson(await layer.retain(desired, observed))]];
    case 'InterpretReplica': {
      const { replicas, requirements } = await layer.replicas(subject);
      return [
        ['replica', replicas],
        ['requires', asJson(requirements ?? null)],
      ];
    }
    case 'InterpretComponent':
      return [['components', asJson(await layer.components(subject))]];
    case 'ReviseReplica':
      return [['revised', asJson(await layer.revise(subject, replicasOf(flags.desiredReplica)))]];
    case 'InterpretStatus':
      return [['status', (await layer.status(subject)) ?? null]];
    case 'AggregateStatus':
      if (flags.statusFile === undefined) throw missing(operation, '--status-file');
      return [
        ['aggregatedStatus', asJson(await layer.aggregate(subject, await readItems(flags.statusFile)))],
      ];
    case 'InterpretHealth':
      return [['healthy', await layer.health(subject)]];
    case 'InterpretDependency':
      return [['dependencies', asJson(await layer.dependencies(subject))]];
  }
}

function asJson(value: unknown): JsonValue {
  return value as JsonValue;
}

function missing(operation: Operation, flags: string): OperatingError {
  return new OperatingError('BAD_FLAG', `${operation} needs ${flags}`, `add ${flags}`);
}

function operationOf(text: string | undefined): Operation {
  const known = RULES.map(({ operation }) => operation).join(', ');
  if (text === undefined || text === '') {
    throw new OperatingError(
      'NO_OPERATION',
      'operation is not set for executing',
      `add --operation, one of ${known}`,
    );
  }
  const rule = RULES.find(({ operation }) => operation.toLowerCase() === text.toLowerCase());
  if (rule !== undefined) return rule.operation;
  throw new OperatingError('UNKNOWN_OPERATION', `there is no operation "${text}"`, `use one of ${known}`);
}

function replicasOf(text: string | undefined): number {
  if (text === undefined) throw missing('ReviseReplica', '--desired-replica');
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new OperatingError(
    'BAD_FLAG',
    `--desired-replica is no number of replicas: "${text}"`,
    'write it like 3',
  );
}

// ---- files

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file === '-' ? '/dev/stdin' : file, 'utf8');
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

function unreadable(file: string, cause: unknown): OperatingError {
  return new OperatingError(
    'FILE_UNREADABLE',
    `cannot read ${file}: ${errorMessage(cause)}`,
    'name another file',
    {
      cause,
    },
  );
}

/** The files that a name stands for: itself, or those of a directory. */
async function filesOf(name: string, recursive: boolean): Promise<readonly string[]> {
  if (name === '-') return [name];
  try {
    if (!(await stat(name)).isDirectory()) return [name];
    const found = await readdir(name, { recursive });
    return found
      .filter((file) => /\.(ya?ml|json)$/.test(file))
      .sort()
      .map((file) => path.join(name, file));
  } catch (cause) {
    throw unreadable(name, cause);
  }
}

async function readCustomizations({
  filename,
  recursive,
}: InterpretFlags): Promise<readonly ResourceInterpreterCustomization[]> {
  const customizations: ResourceInterpreterCustomization[] = [];
  for (const name of filename) {
    for (const file of await filesOf(name, recursive === true)) {
      for (const document of parseYamlDocuments(await readText(file), file)) {
        customizations.push(customizationOf(document, file));
      }
    }
  }
  return customizations;
}

function customizationOf(document: unknown, file: string): ResourceInterpreterCustomization {
  const { kind, spec, metadata } = (document ?? {}) as Partial<ResourceInterpreterCustomization>;
  const whole = kind === 'ResourceInterpreterCustomization' && metadata !== undefined;
  if (whole && spec?.target !== undefined && spec.customizations !== undefined) {
    return document as ResourceInterpreterCustomization;
  }
  throw new OperatingError(
    'NOT_A_CUSTOMIZATION',
    `${file} holds something else than a whole ResourceInterpreterCustomization`,
    'give it spec.target and spec.customizations, or leave it out',
  );
}

async function readObject(file: string | undefined, flag: string): Promise<KubeObject | undefined> {
  if (file === undefined) return undefined;
  const documents = parseYamlDocuments(await readText(file), file);
  const [object] = documents as readonly JsonObject[];
  if (
    documents.length === 1 &&
    typeof object?.['apiVersion'] === 'string' &&
    typeof object['kind'] === 'string'
  ) {
    return { metadata: {}, ...object } as unknown as KubeObject;
  }
  throw new OperatingError(
    'NOT_AN_OBJECT',
    `--${flag} ${file} is not one object`,
    'name a file with one object',
  );
}

async function readItems(file: string): Promise<readonly StatusItem[]> {
  const items = parseYamlDocuments(await readText(file), file) as readonly Partial<StatusItem>[];
  if (items.every(({ clusterName }) => typeof clusterName === 'string'))
    return items as readonly StatusItem[];
  throw new OperatingError(
    'NOT_A_STATUS',
    `--status-file ${file} must hold documents with a clusterName and a status`,
    'write them as in status.aggregatedStatus of a binding',
  );
}
