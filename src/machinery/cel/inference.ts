// Type parameters and what they turn out to stand for, while an expression is being checked.
import { DYN, CelType, listOf, mapOf, sameType, typeOfType, typeParam } from './types.ts';

type Bindings = Map<string, CelType>;

export class Inference {
  #bindings: Bindings = new Map();
  #fresh = 0;

  freshParam(): CelType {
    return typeParam(`_var${this.#fresh++}`);
  }

  /** Whether values of the first types may stand where the second are wanted. What that binds is kept if so. */
  assign(from: readonly CelType[], to: readonly CelType[]): boolean {
    const bindings: Bindings = new Map(this.#bindings);
    if (!assignAll(bindings, from, to)) return false;
    this.#bindings = bindings;
    return true;
  }

  /** The type with every bound parameter filled in. @param open what becomes of the unbound ones */
  resolve(type: CelType, open: 'kept' | 'dyn' = 'kept'): CelType {
    return substitute(this.#bindings, type, open);
  }

  /** The same types with parameters that nothing else has. */
  instantiate(types: readonly CelType[], params: readonly string[]): readonly CelType[] {
    if (params.length === 0) return types;
    const fresh: Bindings = new Map(params.map((name) => [name, this.freshParam()]));
    return types.map((type) => substitute(fresh, type, 'kept'));
  }
}

function substitute(bindings: Bindings, type: CelType, open: 'kept' | 'dyn'): CelType {
  if (type.kind === 'param') {
    const bound = bindings.get(type.name);
    if (bound !== undefined) return substitute(bindings, bound, open);
    return open === 'dyn' ? DYN : type;
  }
  if (type.parameters.length === 0) return type;
  const parameters = type.parameters.map((parameter) => substitute(bindings, parameter, open));
  if (type.kind === 'list') return listOf(parameters[0]!);
  if (type.kind === 'map') return mapOf(parameters[0]!, parameters[1]!);
  if (type.kind === 'type') return typeOfType(parameters[0]!);
  return new CelType(type.kind, type.name, parameters);
}

function assignAll(bindings: Bindings, from: readonly CelType[], to: readonly CelType[]): boolean {
  return from.length === to.length && from.every((type, index) => assignOne(bindings, type, to[index]!));
}

const isOpen = ({ kind }: CelType): boolean => kind === 'dyn' || kind === 'error';

function assignOne(bindings: Bindings, from: CelType, to: CelType): boolean {
  if (to.kind === 'param') {
    const outcome = bind(bindings, to, from);
    if (outcome === 'bound') return true;
    if (outcome === 'taken') return false;
  }
  if (from.kind === 'param') return bind(bindings, from, to) === 'bound';
  if (isOpen(from) || isOpen(to)) return true;
  if (from.kind === 'null') return acceptsNull(to);
  if (to.kind === 'null') return acceptsNull(from);
  if (from.kind === 'type') return to.kind === 'type';
  return (
    from.kind === to.kind && from.name === to.name && assignAll(bindings, from.parameters, to.parameters)
  );
}

function acceptsNull({ kind }: CelType): boolean {
  return ['null', 'opaque', 'object', 'duration', 'timestamp'].includes(kind);
}

/** `taken`: the parameter already stands for something else. `recursive`: it would contain itself. */
function bind(bindings: Bindings, param: CelType, type: CelType): 'bound' | 'taken' | 'recursive' {
  if (sameType(param, type)) return 'bound';
  const known = bindings.get(param.name);
  if (known === undefined) {
    if (occursIn(bindings, param, type)) return 'recursive';
    bindings.set(param.name, type);
    return 'bound';
  }
  if (sameType(type, known)) return 'bound';
  if (!assignOne(bindings, type, known)) return 'taken';
  const wider = mostGeneral(type, known);
  if (!occursIn(bindings, param, wider)) bindings.set(param.name, wider);
  return 'bound';
}

function occursIn(bindings: Bindings, param: CelType, type: CelType): boolean {
  if (sameType(param, type)) return true;
  if (type.kind === 'param') {
    const bound = bindings.get(type.name);
    return bound !== undefined && occursIn(bindings, param, bound);
  }
  return type.parameters.some((parameter) => occursIn(bindings, param, parameter));
}

/** Of two types that go together, the one that says less. */
export function mostGeneral(a: CelType, b: CelType): CelType {
  return saysNoMore(a, b) ? a : b;
}

function saysNoMore(a: CelType, b: CelType): boolean {
  if (a.kind === 'dyn' || a.kind === 'param') return true;
  if (b.kind === 'dyn' || b.kind === 'param' || a.kind !== b.kind) return false;
  if (a.kind === 'type') return true;
  return (
    a.name === b.name &&
    a.parameters.length === b.parameters.length &&
    a.parameters.every((parameter, index) => saysNoMore(parameter, b.parameters[index]!))
  );
}
