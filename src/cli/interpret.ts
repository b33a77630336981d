// `interpret`: checks what ResourceInterpreterCustomizations and ResourceInterpretations say of kinds, or runs one operation
// on objects in files, without any server.
import { Option, type Command } from 'commander';
import { gvkOf, type JsonValue, type KubeObject, type ResourceInterpretation } from '../api/index.ts';
import { errorMessage, formatTime, systemClock } from '../base/index.ts';
import { formatYaml } from '../client/index.ts';
import {
  Customizations,
  Interpretations,
  RULES,
  interpretationErrors,
  operationsOf,
  scriptComplaint,
  scriptOf,
  type InterpreterLayer,
  type Operation,
  type StatusItem,
} from '../interpreter/index.ts';
import { print, withHub, type SetExitCode } from './command.ts';
import {
  isDeclared,
  readItems,
  readObject,
  readTellings,
  type Given,
  type Telling,
} from './interpret-files.ts';
import { showDocs } from './interpret-docs.ts';
import { editInFile, editOnHub } from './interpret-edit.ts';
import { NOTHING_NAMED, withSession, type HubFlags } from './objects/index.ts';
import { CommandError, listOption, upstreamCommand } from './shell/index.ts';

interface InterpretFlags extends HubFlags {
  readonly edit?: boolean;
  readonly showDoc?: boolean;
  readonly output: string;
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

  # What scripts are given, and what they answer
  %s interpret --show-doc

  # Edit the scripts of a customization in a file, and of one of the control plane
  %s interpret -f customization.yaml --edit
  %s interpret --edit my-customization

  # Run one operation on an object in a file
  %s interpret -f customization.yaml --observed-file deployment.yaml --operation InterpretReplica`;

type Results = readonly (readonly [name: string, value: JsonValue])[];

export function interpretCommand(exit: SetExitCode): Command {
  // COMPAT: takes the flags of the other commands, since wrappers pass them always; no server is asked.
  return (
    withHub(upstreamCommand('interpret', { group: 'Troubleshooting', examples: EXAMPLES }))
      .description('check what customizations say of kinds, or run one operation of them')
      .addOption(
        listOption('-f, --filename <file>', 'files or directories with customizations; - for standard input'),
      )
      .option('-R, --recursive', 'look into directories within directories too')
      .option('--operation <name>', `what to run: ${RULES.map(({ operation }) => operation).join(', ')}`)
      .argument('[customization]', 'with --edit: one of the control plane, instead of one in a file')
      .option('--check', 'only check, and say what is wrong')
      .option('--edit', 'edit the scripts of one customization, in a file or on the control plane')
      .option('--show-doc', 'print what scripts are given and what they answer; with --operation of one')
      .addOption(
        new Option('-o, --output <format>', 'how results are printed')
          .choices(['yaml', 'json'])
          .default('yaml'),
      )
      // COMPAT: they shape what upstream says after an edit; here that is one line.
      .addOption(new Option('--template <text>').hideHelp())
      .addOption(new Option('--allow-missing-template-keys [bool]').hideHelp())
      .addOption(new Option('--show-managed-fields').hideHelp())
      .option('--observed-file <file>', 'the object as a member has it; - for standard input')
      .option('--desired-file <file>', 'the object as it is to be; - for standard input')
      .option('--status-file <file>', 'what members report, for AggregateStatus; - for standard input')
      .option('--desired-replica <number>', 'for ReviseReplica')
      .action(async (name: string | undefined, flags: InterpretFlags) => {
        if (flags.showDoc === true) {
          showDocs(flags.operation === undefined ? undefined : operationOf(flags.operation));
          return exit(0);
        }
        if (flags.edit === true) {
          await edit(name, flags);
          return exit(0);
        }
        if (flags.filename.length === 0) throw new CommandError(NOTHING_NAMED);
        const given = await readTellings(flags.filename, flags.recursive === true);
        exit(flags.check === true ? check(given) : await execute(given, flags));
      })
  );
}

async function edit(name: string | undefined, flags: InterpretFlags): Promise<void> {
  if (flags.check === true) throw new CommandError("you can't set both --check and --edit options");
  const [file, ...more] = flags.filename;
  if (more.length > 0 || (file === undefined) === (name === undefined))
    throw new CommandError(
      '--edit is for one customization: one file with -f, or the name of one of the control plane',
    );
  if (file !== undefined) return editInFile(file);
  await withSession(flags, ({ client }) => editOnHub(client, (name ?? '').replace(/^[^/]*\//, '')));
}

function check(given: readonly Given[]): number {
  let failures = 0;
  for (const { source, telling, complaint: why } of given) {
    print('-----------------------------------');
    print(`SOURCE: ${source}`);
    if (telling === undefined) {
      failures++;
      print(why);
      continue;
    }
    const { target } = telling.spec;
    print(`TARGET: ${target.apiVersion} ${target.kind}`);
    print('RULERS:');
    const complaint = isDeclared(telling)
      ? complaintsAboutFields(telling)
      : (operation: Operation): string | undefined => complaintAboutScript(telling, operation);
    for (const { operation } of RULES) {
      const verdict = complaint(operation);
      if (verdict !== undefined && verdict !== '') failures++;
      const shown = verdict === undefined ? 'UNSET' : verdict === '' ? 'PASS' : `ERROR: ${verdict.trimEnd()}`;
      print(`    ${operation}: ${shown}`);
    }
  }
  return failures === 0 ? 0 : 1;
}

/** Undefined: there is none; empty: there is nothing to complain about. */
function complaintAboutScript(
  customization: Exclude<Telling, ResourceInterpretation>,
  operation: Operation,
): string | undefined {
  const rule = RULES.find((one) => one.operation === operation);
  const script = rule === undefined ? '' : scriptOf(customization, rule);
  return script === '' ? undefined : (scriptComplaint(script) ?? '');
}

/** Which fields an operation is said by. */
const FIELDS: Readonly<Record<Operation, readonly string[]>> = {
  Retain: ['retention'],
  InterpretReplica: ['replicas', 'requirements'],
  InterpretComponent: ['components'],
  ReviseReplica: ['revision'],
  InterpretStatus: ['status'],
  AggregateStatus: ['aggregation'],
  InterpretHealth: ['health'],
  InterpretDependency: ['dependencies'],
};

function complaintsAboutFields(
  interpretation: ResourceInterpretation,
): (operation: Operation) => string | undefined {
  const errors = interpretationErrors(interpretation);
  const operations = operationsOf(interpretation);
  return (operation) => {
    const found = errors.filter(({ path }) =>
      FIELDS[operation].some((field) => new RegExp(`^spec\\.${field}\\b`).test(path)),
    );
    if (found.length > 0) return found.map(({ path, message }) => `${path}: ${message}`).join('; ');
    return operations.includes(operation) ? '' : undefined;
  };
}

/** What a rule makes of what it is given. COMPAT: that it fails is an answer too, and the exit code is 0. */
async function execute(given: readonly Given[], flags: InterpretFlags): Promise<number> {
  const operation = operationOf(flags.operation);
  const tellings = given.map(({ telling, complaint }) => {
    if (telling !== undefined) return telling;
    throw new CommandError(`fail to get customization object: ${complaint}`);
  });
  const desired = await readObject(flags.desiredFile, 'desired');
  const observed = await readObject(flags.observedFile, 'observed');
  const items = await readItems(flags.statusFile);
  const replicas = replicasOf(flags.desiredReplica);
  let results: Results;
  try {
    const subject = subjectOf(operation, desired, observed);
    const layer = layerOf(tellings, subject, operation);
    results = await run(operation, layer, { observed, subject, items, replicas });
  } catch (error) {
    process.stderr.write(`Execute ${operation} error: ${errorMessage(error)}\n`);
    return 0;
  }
  results.forEach(([name, value], index) => {
    if (flags.output === 'json') return print(JSON.stringify({ [name]: value }, null, 2));
    print('---');
    print(`# [${index + 1}/${results.length}] ${name}:`);
    print(formatYaml(value).trimEnd());
  });
  return 0;
}

/** The object that an operation is about. */
function subjectOf(
  operation: Operation,
  desired: KubeObject | undefined,
  observed: KubeObject | undefined,
): KubeObject {
  if (operation === 'Retain') {
    if (desired === undefined) throw new Error('desired, desired-file options are not set');
    if (observed === undefined) throw new Error('observed, observed-file options are not set');
    return desired;
  }
  if (desired !== undefined && observed !== undefined)
    throw new Error('you can not specify both desired-file and observed-file options');
  const subject = desired ?? observed;
  if (subject === undefined) throw new Error('desired-file, observed-file options are not set');
  return subject;
}

/** As in a control plane: what a script says goes before what is declared. */
function layerOf(tellings: readonly Telling[], subject: KubeObject, operation: Operation): InterpreterLayer {
  const customizations = new Customizations({ now: () => systemClock.now(), print });
  customizations.load(tellings.filter((telling) => !isDeclared(telling)));
  const interpretations = new Interpretations(() => formatTime(systemClock.now()));
  interpretations.load(tellings.filter(isDeclared));
  const found = [customizations.layer, interpretations.layer].find((one) =>
    one.has(gvkOf(subject), operation),
  );
  if (found === undefined) throw new Error('rule is not enabled');
  return found;
}

interface Arguments {
  readonly observed: KubeObject | undefined;
  readonly subject: KubeObject;
  readonly items: readonly StatusItem[];
  readonly replicas: number;
}

async function run(
  operation: Operation,
  layer: InterpreterLayer,
  { observed, subject, items, replicas: wanted }: Arguments,
): Promise<Results> {
  switch (operation) {
    case 'Retain':
      return [['retained', asJson(await layer.retain(subject, observed ?? subject))]];
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
      return [['revised', asJson(await layer.revise(subject, wanted))]];
    case 'InterpretStatus':
      return [['status', (await layer.status(subject)) ?? null]];
    case 'AggregateStatus':
      return [['aggregatedStatus', asJson(await layer.aggregate(subject, items))]];
    case 'InterpretHealth':
      return [['healthy', await layer.health(subject)]];
    case 'InterpretDependency':
      return [['dependencies', asJson(await layer.dependencies(subject))]];
  }
}

function asJson(value: unknown): JsonValue {
  return value as JsonValue;
}

function operationOf(text: string | undefined): Operation {
  if (text === undefined || text === '') throw new CommandError('operation is not set for executing');
  const rule = RULES.find(({ operation }) => operation.toLowerCase() === text.toLowerCase());
  if (rule !== undefined) return rule.operation;
  const known = RULES.map(({ operation }) => operation).join(', ');
  throw new CommandError(`operation ${text} is not supported. Use one of: ${known}`);
}

function replicasOf(text = '0'): number {
  if (/^-?\d{1,9}$/.test(text)) return Number(text);
  throw new CommandError(
    `invalid argument "${text}" for "--desired-replica" flag: strconv.ParseInt: parsing "${text}": invalid syntax`,
  );
}
