// The messages of upstream's estimator service (package github.com.karmada_io.karmada.pkg.estimator.pb), written and
// read by hand: nine small ones, whose values are Kubernetes' own protobuf that machinery knows.
// INVARIANT: what one side writes the other reads, field for field (messages.test.ts). proto3: what is zero or empty is
// not written. Fields that nobody here knows are skipped.
import type { Component, ReplicaRequirements } from '../api/index.ts';
import { Writer, decodeProtobufMessage, encodeProtobufMessage, readFields } from '../machinery/index.ts';
import type { ReplicasQuestion, SetsQuestion, UnschedulableQuestion } from '../scheduling/index.ts';

/** A question and the cluster it is meant for. */
export type Addressed<T> = T & { readonly cluster: string };

type AssumedWorkload = ReplicasQuestion['assumed'][number];
type Requirements = Pick<
  ReplicaRequirements,
  'nodeClaim' | 'resourceRequest' | 'priorityClassName' | 'namespace'
>;
type NodeClaim = NonNullable<ReplicaRequirements['nodeClaim']>;
type Tolerations = NonNullable<NodeClaim['tolerations']>;
type Amounts = NonNullable<ReplicaRequirements['resourceRequest']>;

const NODE_SELECTOR = 'k8s.io.api.core.v1.NodeSelector';
const TOLERATION = 'k8s.io.api.core.v1.Toleration';
const QUANTITY_TEXT = 1;
const NANOSECONDS = 1e6;

const decoder = new TextDecoder();

// ---- writing; a Writer goes from the last field to the first

function text(writer: Writer, field: number, value: string | undefined): void {
  if (value !== undefined && value !== '') writer.string(field, value);
}

function number(writer: Writer, field: number, value: number): void {
  if (value !== 0) writer.integer(field, value);
}

/** Sorted, so that equal messages have equal bytes. */
function map<T>(
  writer: Writer,
  field: number,
  entries: Readonly<Record<string, T>> | undefined,
  value: (item: T) => void,
): void {
  for (const key of Object.keys(entries ?? {})
    .sort()
    .toReversed()) {
    writer.part(field, () => {
      value(entries?.[key] as T);
      text(writer, 1, key);
    });
  }
}

function writeNodeClaim(writer: Writer, { hardNodeAffinity, nodeSelector, tolerations }: NodeClaim): void {
  for (const toleration of (tolerations ?? []).toReversed())
    writer.bytes(5, encodeProtobufMessage(TOLERATION, toleration));
  if (hardNodeAffinity !== undefined) writer.bytes(4, encodeProtobufMessage(NODE_SELECTOR, hardNodeAffinity));
  map(writer, 2, nodeSelector, (value) => text(writer, 2, value));
}

function writeAmounts(writer: Writer, field: number, amounts: Amounts | undefined): void {
  map(writer, field, amounts, (amount) => writer.part(2, () => writer.string(QUANTITY_TEXT, String(amount))));
}

function writeRequirements(writer: Writer, requirements: Requirements): void {
  const { nodeClaim, resourceRequest, priorityClassName, namespace } = requirements;
  writeAmounts(writer, 5, resourceRequest);
  text(writer, 4, priorityClassName);
  text(writer, 3, namespace);
  if (nodeClaim !== undefined) writer.part(1, () => writeNodeClaim(writer, nodeClaim));
}

function writeComponent(writer: Writer, { name, replicas, replicaRequirements }: Component): void {
  number(writer, 3, replicas);
  if (replicaRequirements !== undefined) {
    const { nodeClaim, resourceRequest, priorityClassName } = replicaRequirements;
    writer.part(2, () => {
      writeAmounts(writer, 4, resourceRequest);
      text(writer, 3, priorityClassName);
      if (nodeClaim !== undefined) writer.part(1, () => writeNodeClaim(writer, nodeClaim));
    });
  }
  text(writer, 1, name);
}

function writeComponents(writer: Writer, field: number, components: readonly Component[]): void {
  for (const component of components.toReversed())
    writer.part(field, () => writeComponent(writer, component));
}

function writeAssumed(writer: Writer, field: number, assumed: readonly AssumedWorkload[]): void {
  for (const { namespace, components } of assumed.toReversed()) {
    writer.part(field, () => {
      writeComponents(writer, 2, components);
      text(writer, 1, namespace);
    });
  }
}

function written(write: (writer: Writer) => void): Buffer {
  const writer = new Writer();
  write(writer);
  return Buffer.from(writer.finish());
}

export function encodeReplicasQuestion({
  cluster,
  requirements,
  assumed,
}: Addressed<ReplicasQuestion>): Buffer {
  return written((writer) => {
    writeAssumed(writer, 3, assumed);
    if (requirements !== undefined) writer.part(2, () => writeRequirements(writer, requirements));
    text(writer, 1, cluster);
  });
}

export function encodeSetsQuestion({
  cluster,
  components,
  namespace,
  assumed,
}: Addressed<SetsQuestion>): Buffer {
  return written((writer) => {
    writeAssumed(writer, 4, assumed);
    text(writer, 3, namespace);
    writeComponents(writer, 2, components);
    text(writer, 1, cluster);
  });
}

export function encodeUnschedulableQuestion(question: Addressed<UnschedulableQuestion>): Buffer {
  const { cluster, resource, thresholdMs } = question;
  return written((writer) => {
    // LIMIT: exact up to 104 days.
    number(writer, 3, Math.round(thresholdMs * NANOSECONDS));
    writer.part(2, () => {
      text(writer, 4, resource.name);
      text(writer, 3, resource.namespace);
      text(writer, 2, resource.kind);
      text(writer, 1, resource.apiVersion);
    });
    text(writer, 1, cluster);
  });
}

/** All three answers are one int32. */
export function encodeAnswer(answer: number): Buffer {
  return written((writer) => number(writer, 1, answer));
}

// ---- reading

interface Field {
  readonly bytes: Uint8Array;
  readonly integer: number;
}

const NO_BYTES = new Uint8Array();

/** The last of each field that is not repeated counts, as protobuf has it. */
function read(bytes: Uint8Array, fields: Readonly<Record<number, (field: Field) => void>>): void {
  for (const { number: field, value } of readFields(bytes)) {
    const isBytes = value instanceof Uint8Array;
    fields[field]?.({
      bytes: isBytes ? value : NO_BYTES,
      integer: isBytes ? 0 : Number(BigInt.asIntN(64, value)),
    });
  }
}

function readEntry(bytes: Uint8Array): readonly [key: string, value: Uint8Array] {
  let key = '';
  let value: Uint8Array = NO_BYTES;
  read(bytes, {
    1: (field) => (key = decoder.decode(field.bytes)),
    2: (field) => (value = field.bytes),
  });
  return [key, value];
}

function readQuantity(bytes: Uint8Array): string {
  let quantity = '0';
  read(bytes, { [QUANTITY_TEXT]: (field) => (quantity = decoder.decode(field.bytes)) });
  return quantity;
}

function readNodeClaim(bytes: Uint8Array): NodeClaim {
  const nodeSelector: [string, string][] = [];
  const tolerations: Tolerations[number][] = [];
  let hardNodeAffinity: NodeClaim['hardNodeAffinity'];
  read(bytes, {
    2: (field) => {
      const [key, value] = readEntry(field.bytes);
      nodeSelector.push([key, decoder.decode(value)]);
    },
    4: (field) => {
      hardNodeAffinity = decodeProtobufMessage(NODE_SELECTOR, field.bytes) as unknown as NonNullable<
        NodeClaim['hardNodeAffinity']
      >;
    },
    5: (field) => void tolerations.push(decodeProtobufMessage(TOLERATION, field.bytes)),
  });
  return {
    ...(hardNodeAffinity === undefined ? {} : { hardNodeAffinity }),
    ...(nodeSelector.length === 0 ? {} : { nodeSelector: Object.fromEntries(nodeSelector) }),
    ...(tolerations.length === 0 ? {} : { tolerations }),
  };
}

/** @param numbers of the fields, which differ between the two messages of requirements */
function readRequirements(
  bytes: Uint8Array,
  numbers: {
    readonly namespace?: number;
    readonly priorityClassName: number;
    readonly resourceRequest: number;
  },
): Requirements {
  const amounts: [string, string][] = [];
  let nodeClaim: NodeClaim | undefined;
  let namespace = '';
  let priorityClassName = '';
  read(bytes, {
    1: (field) => (nodeClaim = readNodeClaim(field.bytes)),
    [numbers.priorityClassName]: (field: Field) => (priorityClassName = decoder.decode(field.bytes)),
    [numbers.resourceRequest]: (field: Field) => {
      const [resource, quantity] = readEntry(field.bytes);
      amounts.push([resource, readQuantity(quantity)]);
    },
    ...(numbers.namespace === undefined
      ? {}
      : { [numbers.namespace]: (field: Field) => (namespace = decoder.decode(field.bytes)) }),
  });
  return {
    ...(nodeClaim === undefined ? {} : { nodeClaim }),
    ...(amounts.length === 0 ? {} : { resourceRequest: Object.fromEntries(amounts) }),
    ...(namespace === '' ? {} : { namespace }),
    ...(priorityClassName === '' ? {} : { priorityClassName }),
  };
}

const OF_REPLICAS = { namespace: 3, priorityClassName: 4, resourceRequest: 5 };
const OF_COMPONENTS = { priorityClassName: 3, resourceRequest: 4 };

function readComponent(bytes: Uint8Array): Component {
  let name = '';
  let replicas = 0;
  let replicaRequirements: Component['replicaRequirements'];
  read(bytes, {
    1: (field) => (name = decoder.decode(field.bytes)),
    2: (field) => (replicaRequirements = readRequirements(field.bytes, OF_COMPONENTS)),
    3: (field) => (replicas = field.integer),
  });
  return { name, replicas, ...(replicaRequirements === undefined ? {} : { replicaRequirements }) };
}

function readAssumed(bytes: Uint8Array): AssumedWorkload {
  let namespace = '';
  const components: Component[] = [];
  read(bytes, {
    1: (field) => (namespace = decoder.decode(field.bytes)),
    2: (field) => void components.push(readComponent(field.bytes)),
  });
  return { namespace, components };
}

export function decodeReplicasQuestion(bytes: Uint8Array): Addressed<ReplicasQuestion> {
  let cluster = '';
  let requirements: Requirements | undefined;
  const assumed: AssumedWorkload[] = [];
  read(bytes, {
    1: (field) => (cluster = decoder.decode(field.bytes)),
    2: (field) => (requirements = readRequirements(field.bytes, OF_REPLICAS)),
    3: (field) => void assumed.push(readAssumed(field.bytes)),
  });
  return { cluster, requirements, assumed };
}

export function decodeSetsQuestion(bytes: Uint8Array): Addressed<SetsQuestion> {
  let cluster = '';
  let namespace = '';
  const components: Component[] = [];
  const assumed: AssumedWorkload[] = [];
  read(bytes, {
    1: (field) => (cluster = decoder.decode(field.bytes)),
    2: (field) => void components.push(readComponent(field.bytes)),
    3: (field) => (namespace = decoder.decode(field.bytes)),
    4: (field) => void assumed.push(readAssumed(field.bytes)),
  });
  return { cluster, components, namespace, assumed };
}

export function decodeUnschedulableQuestion(bytes: Uint8Array): Addressed<UnschedulableQuestion> {
  let cluster = '';
  let thresholdMs = 0;
  const resource = { apiVersion: '', kind: '', namespace: '', name: '' };
  read(bytes, {
    1: (field) => (cluster = decoder.decode(field.bytes)),
    2: (field) =>
      read(field.bytes, {
        1: (part) => (resource.apiVersion = decoder.decode(part.bytes)),
        2: (part) => (resource.kind = decoder.decode(part.bytes)),
        3: (part) => (resource.namespace = decoder.decode(part.bytes)),
        4: (part) => (resource.name = decoder.decode(part.bytes)),
      }),
    // COMPAT: upstream takes a threshold below zero for none.
    3: (field) => (thresholdMs = Math.max(field.integer / NANOSECONDS, 0)),
  });
  return { cluster, resource, thresholdMs };
}

export function decodeAnswer(bytes: Uint8Array): number {
  let answer = 0;
  read(bytes, { 1: (field) => (answer = field.integer) });
  return answer;
}
