// The outermost layer: what ResourceInterpreterCustomizations say by scripts. Those that are in force are loaded as a
// whole; each change of one makes a new index, and only scripts that were not there before are compiled.
import {
  formatApiVersion,
  type Component,
  type GroupVersionKind,
  type JsonValue,
  type KubeObject,
  type ResourceInterpreterCustomization,
} from '../api/index.ts';
import { assert } from '../base/index.ts';
import { unitedDependencies } from './answers.ts';
import {
  asComponents,
  asDependencies,
  asHealth,
  asObject,
  asReplicas,
  asStatus,
} from './customization-results.ts';
import { RULES, scriptOf } from './customization-rules.ts';
import type { Dependency, InterpreterLayer, Operation, Replicas, StatusItem } from './interpreter.ts';
import { compileLua, type LuaOptions, type LuaProgram, type LuaValue } from './lua/index.ts';

/** A script that does not compile fails each call: its error is final, as that of any layer. */
type Script = () => LuaProgram;
type Scripts = ReadonlyMap<Operation, readonly Script[]>;

export class Customizations {
  readonly layer: InterpreterLayer;
  readonly #options: LuaOptions;
  #loaded: readonly ResourceInterpreterCustomization[] = [];
  /** By `<apiVersion> <kind>`. */
  #index: ReadonlyMap<string, Scripts> = new Map();
  #compiled: ReadonlyMap<string, Script> = new Map();

  constructor(options: LuaOptions = {}) {
    this.#options = options;
    this.layer = this.#createLayer();
  }

  /** What is in force. */
  get loaded(): readonly ResourceInterpreterCustomization[] {
    return this.#loaded;
  }

  /** Replaces all. */
  load(customizations: readonly ResourceInterpreterCustomization[]): void {
    const compiled = new Map<string, Script>();
    const index = new Map<string, Map<Operation, Script[]>>();
    for (const customization of inOrder(customizations)) {
      const { target } = customization.spec;
      const name = `${target.apiVersion} ${target.kind}`;
      const scripts = index.get(name) ?? new Map<Operation, Script[]>();
      index.set(name, scripts);
      for (const rule of RULES) {
        const text = scriptOf(customization, rule);
        const others = scripts.get(rule.operation);
        // The first one counts, but for dependencies, which add up.
        if (text === '' || (others !== undefined && rule.operation !== 'InterpretDependency')) continue;
        const script = compiled.get(text) ?? this.#compiled.get(text) ?? compile(text);
        compiled.set(text, script);
        scripts.set(rule.operation, [...(others ?? []), script]);
      }
    }
    this.#loaded = customizations;
    this.#compiled = compiled;
    this.#index = index;
  }

  #scripts(kind: string, operation: Operation): readonly Script[] {
    return this.#index.get(kind)?.get(operation) ?? [];
  }

  #call(object: KubeObject, operation: Operation, args: readonly (JsonValue | undefined)[]): LuaValue[] {
    const [script] = this.#scripts(`${object.apiVersion} ${object.kind}`, operation);
    assert(script !== undefined, `no script has ${operation} for ${object.apiVersion} ${object.kind}`);
    return this.#run(script, operation, args);
  }

  #run(script: Script, operation: Operation, args: readonly (JsonValue | undefined)[]): LuaValue[] {
    const rule = RULES.find((one) => one.operation === operation);
    return script().call(rule?.function ?? operation, args, this.#options);
  }

  #createLayer(): InterpreterLayer {
    return {
      has: (kind: GroupVersionKind, operation) =>
        this.#index.get(`${formatApiVersion(kind)} ${kind.kind}`)?.has(operation) === true,
      replicas: (object): Replicas => asReplicas(this.#call(object, 'InterpretReplica', [json(object)])),
      components: (object): readonly Component[] =>
        asComponents(this.#call(object, 'InterpretComponent', [json(object)])),
      revise: (object, replicas): KubeObject =>
        asObject(this.#call(object, 'ReviseReplica', [json(object), replicas]), [json(object)]),
      retain: (desired, observed): KubeObject =>
        asObject(this.#call(desired, 'Retain', [json(desired), json(observed)]), [
          json(desired),
          json(observed),
        ]),
      status: (observed): JsonValue => asStatus(this.#call(observed, 'InterpretStatus', [json(observed)])),
      aggregate: (template, items): KubeObject =>
        asObject(this.#call(template, 'AggregateStatus', [json(template), itemsArgument(items)]), []),
      health: (observed): boolean => asHealth(this.#call(observed, 'InterpretHealth', [json(observed)])),
      dependencies: (object): readonly Dependency[] =>
        unitedDependencies(
          this.#scripts(`${object.apiVersion} ${object.kind}`, 'InterpretDependency').map((script) =>
            asDependencies(this.#run(script, 'InterpretDependency', [json(object)])),
          ),
        ),
    };
  }
}

function inOrder(
  customizations: readonly ResourceInterpreterCustomization[],
): readonly ResourceInterpreterCustomization[] {
  const nameOf = (one: ResourceInterpreterCustomization): string => one.metadata.name ?? '';
  return [...customizations].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0));
}

function compile(text: string): Script {
  let program: LuaProgram | undefined;
  return () => (program ??= compileLua(text));
}

function json(object: KubeObject): JsonValue {
  return object as unknown as JsonValue;
}

/** COMPAT: no items are nil and not an empty list, because upstream does not store an empty one. */
function itemsArgument(items: readonly StatusItem[]): JsonValue | undefined {
  return items.length === 0 ? undefined : (items as unknown as JsonValue);
}
