// What `interpret --show-doc` says of each rule: which function a script defines, what it is given, and what it answers.
import { RULES, type Operation } from '../interpreter/index.ts';
import { print } from './command.ts';

interface Doc {
  readonly signature: string;
  readonly what: string;
  /** Name, and what it is. */
  readonly given: readonly (readonly [string, string])[];
  readonly answers: string;
  readonly example: readonly string[];
}

const DESIRED = ['desiredObj', 'the object as the hub wants it'] as const;
const OBSERVED = ['observedObj', 'the object as the member has it'] as const;

const DOCS: Readonly<Record<Operation, Doc>> = {
  Retain: {
    signature: 'Retain(desiredObj, observedObj)',
    what: 'Keeps fields of the member that the hub must not overwrite.',
    given: [DESIRED, OBSERVED],
    answers: 'the object to write',
    example: ['desiredObj.spec.paused = observedObj.spec.paused', 'return desiredObj'],
  },
  InterpretReplica: {
    signature: 'GetReplicas(desiredObj)',
    what: 'Tells how many replicas are wanted, and what each needs.',
    given: [DESIRED],
    answers: 'the number, and the requirements (nodeClaim, resourceRequest)',
    example: [
      "local kube = require('kube')",
      'return desiredObj.spec.replicas, kube.accuratePodRequirements(desiredObj.spec.template)',
    ],
  },
  InterpretComponent: {
    signature: 'GetComponents(desiredObj)',
    what: 'Tells the pod templates that an object of several has.',
    given: [DESIRED],
    answers: 'a list of components: name, replicas, replicaRequirements',
    example: ["return { { name = 'worker', replicas = desiredObj.spec.workers } }"],
  },
  ReviseReplica: {
    signature: 'ReviseReplica(desiredObj, desiredReplica)',
    what: 'Sets the replicas that fall to one cluster.',
    given: [DESIRED, ['desiredReplica', 'how many']],
    answers: 'the object with them',
    example: ['desiredObj.spec.replicas = desiredReplica', 'return desiredObj'],
  },
  InterpretStatus: {
    signature: 'ReflectStatus(observedObj)',
    what: 'Takes from the object in a member what the hub is to know of its status.',
    given: [OBSERVED],
    answers: 'the status to report',
    example: ['return { readyReplicas = observedObj.status.readyReplicas }'],
  },
  AggregateStatus: {
    signature: 'AggregateStatus(desiredObj, statusItems)',
    what: 'Adds up what members report.',
    given: [DESIRED, ['statusItems', 'a list of clusterName and status']],
    answers: 'the object with its status',
    example: [
      'local ready = 0',
      'for i = 1, #statusItems do ready = ready + (statusItems[i].status.readyReplicas or 0) end',
      'desiredObj.status = { readyReplicas = ready }',
      'return desiredObj',
    ],
  },
  InterpretHealth: {
    signature: 'InterpretHealth(observedObj)',
    what: 'Tells whether the object in a member is healthy.',
    given: [OBSERVED],
    answers: 'true or false',
    example: ['return observedObj.status.readyReplicas == observedObj.spec.replicas'],
  },
  InterpretDependency: {
    signature: 'GetDependencies(desiredObj)',
    what: 'Names what the object needs beside it in the same cluster.',
    given: [DESIRED],
    answers: 'a list of references: apiVersion, kind, namespace, and name or labelSelector',
    example: [
      "return { { apiVersion = 'v1', kind = 'ConfigMap', namespace = desiredObj.metadata.namespace, name = desiredObj.spec.configName } }",
    ],
  },
};

/** The documentation of a rule as comments of a script, with a script that does something. */
export function docLines(operation: Operation): readonly string[] {
  const { signature, what, given, answers, example } = DOCS[operation];
  return [
    what,
    ...given.map(([name, text]) => `@param ${name} ${text}`),
    `@return ${answers}`,
    `function ${signature}`,
    ...example.map((line) => `  ${line}`),
    'end',
  ];
}

/** @param operation the one that is asked about; undefined: all */
export function showDocs(operation: Operation | undefined): void {
  for (const rule of RULES) {
    if (operation !== undefined && rule.operation !== operation) continue;
    print(`${rule.operation} (spec.customizations.${rule.name}.luaScript)`);
    for (const line of docLines(rule.operation)) print(`    ${line}`);
    print('');
  }
}
