// The static types of CEL, and how messages spell them.

export type Kind =
  | 'dyn'
  | 'error'
  | 'null'
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'duration'
  | 'timestamp'
  | 'list'
  | 'map'
  | 'object'
  | 'opaque'
  | 'type'
  | 'param';

/** For objects that have whatever field is asked for. */
export const ANY_FIELD: unique symbol = Symbol('any field');

/** Immutable. `parameters`: what a list holds, keys and values of a map, what an optional may hold. */
export class CelType {
  readonly kind: Kind;
  /** What expressions call the type, which for times is not what messages call it. */
  readonly name: string;
  readonly parameters: readonly CelType[];
  readonly #fields: ReadonlyMap<string, CelType> | typeof ANY_FIELD | undefined;

  constructor(
    kind: Kind,
    name: string,
    parameters: readonly CelType[] = [],
    fields?: ReadonlyMap<string, CelType> | typeof ANY_FIELD,
  ) {
    this.kind = kind;
    this.name = name;
    this.parameters = parameters;
    this.#fields = fields;
  }

  /** The type of a field of an object; undefined: there is no such field. */
  field(name: string): CelType | undefined {
    return this.#fields === ANY_FIELD ? DYN : this.#fields?.get(name);
  }

  /** As messages spell it: `list(int)`, `map(string, dyn)`. */
  get text(): string {
    if (this.kind === 'duration' || this.kind === 'timestamp') return this.kind;
    if (this.kind === 'null') return 'null';
    if (this.kind === 'error') return '!error!';
    if (this.parameters.length === 0) return this.name;
    return `${this.name}(${this.parameters.map((parameter) => parameter.text).join(', ')})`;
  }
}

export const DYN = new CelType('dyn', 'dyn');
export const ERROR = new CelType('error', 'error');
export const NULL = new CelType('null', 'null_type');
export const BOOL = new CelType('bool', 'bool');
export const INT = new CelType('int', 'int');
export const UINT = new CelType('uint', 'uint');
export const DOUBLE = new CelType('double', 'double');
export const STRING = new CelType('string', 'string');
export const BYTES = new CelType('bytes', 'bytes');
export const DURATION = new CelType('duration', 'google.protobuf.Duration');
export const TIMESTAMP = new CelType('timestamp', 'google.protobuf.Timestamp');
export const TYPE = new CelType('type', 'type');

export const listOf = (items: CelType): CelType => new CelType('list', 'list', [items]);
export const mapOf = (keys: CelType, values: CelType): CelType => new CelType('map', 'map', [keys, values]);
export const optionalOf = (type: CelType): CelType => new CelType('opaque', OPTIONAL_NAME, [type]);
export const typeOfType = (type: CelType): CelType => new CelType('type', 'type', [type]);
export const typeParam = (name: string): CelType => new CelType('param', name);
export const opaque = (name: string): CelType => new CelType('opaque', name);
export const objectOf = (name: string, fields: ReadonlyMap<string, CelType>): CelType =>
  new CelType('object', name, [], fields);

const OPTIONAL_NAME = 'optional_type';
export const isOptional = (type: CelType): boolean => type.kind === 'opaque' && type.name === OPTIONAL_NAME;
/** What an optional may hold, or the type itself. */
export const unwrapOptional = (type: CelType): CelType => (isOptional(type) ? type.parameters[0]! : type);

export function sameType(a: CelType, b: CelType): boolean {
  return (
    a === b ||
    (a.kind === b.kind &&
      a.name === b.name &&
      a.parameters.length === b.parameters.length &&
      a.parameters.every((parameter, index) => sameType(parameter, b.parameters[index]!)))
  );
}

/** Types whose names can stand in expressions, by that name. */
export const NAMED_TYPES: ReadonlyMap<string, CelType> = new Map(
  [
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    listOf(DYN),
    mapOf(DYN, DYN),
    NULL,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    optionalOf(DYN),
    opaque('net.IP'),
    opaque('net.CIDR'),
  ].map((type) => [type.name, type]),
);
