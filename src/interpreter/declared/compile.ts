// A ResourceInterpretation made into rules. Whatever is wrong with it is found here, as errors that name the field; the
// rules that come out can only fail on the objects that they are about.
import type {
  Component,
  JsonObject,
  JsonValue,
  KubeObject,
  ResourceInterpretation,
} from '../../api/index.ts';
import { errorMessage } from '../../base/index.ts';
import {
  compileExpression,
  expressionJson,
  expressionValue,
  fieldError,
  type FieldError,
} from '../../machinery/index.ts';
import { checkedRequirements } from '../answers.ts';
import type { Dependency } from '../interpreter.ts';
import type { KindRules } from '../kind-rules.ts';
import { podDependencies } from '../native/pod-dependencies.ts';
import { podRequirements } from '../native/pod-requirements.ts';
import { objectAt } from '../native/read.ts';
import { generations } from '../third-party/kind-parts.ts';
import { aggregate } from './combine.ts';
import { PathError, parsePath, write, type Path } from './path.ts';

type Spec = ResourceInterpretation['spec'];
type Count = NonNullable<Spec['replicas']>;
type Read<T> = (object: KubeObject) => T;

/** LIMIT: what one run of one expression may cost, as for admission policies. */
const RUN_COST_MAX = 1_000_000;
const REPLICAS_MAX = 2_147_483_647;
/** LIMIT: objects of one kind that one object may name. */
const NAMES_MAX = 1_000;

class Compiler {
  readonly errors: FieldError[] = [];

  path(text: string, at: string): Path | undefined {
    try {
      return parsePath(text);
    } catch (error) {
      if (!(error instanceof PathError)) throw error;
      this.errors.push(fieldError.invalid(at, text, error.message));
      return undefined;
    }
  }

  /** A path to one place; below `.status` or just not there. */
  place(text: string, at: string, inStatus: boolean): Path | undefined {
    const path = this.path(text, at);
    if (path === undefined) return undefined;
    const refuse = (why: string): undefined => void this.errors.push(fieldError.invalid(at, text, why));
    if (path.fields === undefined) return refuse('must lead to one field, not into lists');
    if (inStatus)
      return path.root === 'status' && path.fields.length > 1 ? path : refuse('must lead into .status');
    if (['apiVersion', 'kind', 'metadata', 'status'].includes(path.root))
      return refuse(`must not lead into .${path.root}`);
    return path;
  }

  /** A path to one place, if it is one: what is wrong with it is said elsewhere, or is no fault. */
  quietPlace(text: string): Path | undefined {
    const seen = this.errors.length;
    const path = this.place(text, '', false);
    this.errors.length = seen;
    return path;
  }

  /** @param types what it may give, as CEL calls it */
  expression(text: string, at: string, types: readonly string[], what: string): Read<JsonValue> | undefined {
    try {
      const compiled = compileExpression(text, ['object']);
      const { type } = compiled;
      if (type !== 'dyn' && !types.some((one) => type === one || type.startsWith(`${one}(`))) {
        this.errors.push(fieldError.invalid(at, text, `must give ${what}, not ${type}`));
        return undefined;
      }
      return (object) => {
        const { value, error } = compiled.run(
          { object: expressionValue(object as unknown as JsonValue) },
          RUN_COST_MAX,
        );
        if (value === undefined || error !== undefined)
          throw new Error(`expression '${text}' resulted in error: ${error?.message ?? 'no value'}`);
        return expressionJson(value);
      };
    } catch (error) {
      this.errors.push(fieldError.invalid(at, text, `compilation failed: ${errorMessage(error)}`));
      return undefined;
    }
  }

  /** Says so when not exactly one of two is there. */
  one(a: unknown, b: unknown, names: string, at: string): boolean {
    if ((a === undefined) !== (b === undefined)) return true;
    this.errors.push(fieldError.required(at, `exactly one of ${names} is required`));
    return false;
  }

  count(count: Count, at: string): Read<number> {
    const { path: pathText, expression: text, default: otherwise } = count;
    if (!this.one(pathText, text, 'path and expression', at)) return () => 0;
    const path = pathText === undefined ? undefined : this.path(pathText, `${at}.path`);
    const expression =
      text === undefined
        ? undefined
        : this.expression(text, `${at}.expression`, ['int', 'uint', 'double'], 'a number');
    return (object) => {
      const [value = otherwise] = path === undefined ? [expression?.(object)] : path.find(object);
      if (value === undefined) throw new Error(`there is no number of replicas at ${pathText ?? ''}`);
      if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= REPLICAS_MAX)
        return value;
      throw new Error(`${shown(value)} is no number of replicas`);
    };
  }
}

function shown(value: JsonValue): string {
  const text = JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

// ---- the rules, one after the other

function replicas(
  compiler: Compiler,
  { replicas: counted, requirements }: Spec,
): Pick<KindRules, 'replicas'> {
  if (counted === undefined) {
    if (requirements !== undefined)
      compiler.errors.push(fieldError.required('spec.replicas', 'requirements are those of replicas'));
    return {};
  }
  const count = compiler.count(counted, 'spec.replicas');
  const needs = requirements === undefined ? undefined : requirementsOf(compiler, requirements);
  return {
    replicas: (object) => ({ replicas: count(object), requirements: needs?.(object) }),
  };
}

function requirementsOf(
  compiler: Compiler,
  { podTemplatePath, resources }: NonNullable<Spec['requirements']>,
): Read<ReturnType<typeof podRequirements>> | undefined {
  const at = 'spec.requirements';
  if (!compiler.one(podTemplatePath, resources, 'podTemplatePath and resources', at)) return undefined;
  if (podTemplatePath !== undefined) return podsAt(compiler, podTemplatePath, `${at}.podTemplatePath`);
  const amounts = Object.entries(resources ?? {}).map(([resource, text]) => {
    const path = `${at}.resources[${resource}]`;
    const expression = compiler.expression(text, path, ['string', 'int', 'uint', 'double'], 'a quantity');
    return [resource, expression] as const;
  });
  return (object) => {
    const asked = amounts.map(([resource, amount]) => [resource, amount?.(object)] as const);
    return asked.length === 0
      ? undefined
      : checkedRequirements({ resourceRequest: Object.fromEntries(asked) });
  };
}

function podsAt(compiler: Compiler, text: string, at: string): Read<ReturnType<typeof podRequirements>> {
  const path = compiler.path(text, at);
  return (object) => podRequirements(objectAt(path?.find(object)[0], 'spec') ?? {});
}

function components(
  compiler: Compiler,
  { components: listed }: Spec,
): Pick<KindRules, 'components' | 'withComponent'> {
  if (listed === undefined) return {};
  const places = new Map<string, Path | undefined>();
  const parts = listed.map(({ name, replicas: count, podTemplatePath }, i): Read<Component> => {
    const at = `spec.components[${i}]`;
    if (listed.findIndex((one) => one.name === name) < i)
      compiler.errors.push(fieldError.duplicate(`${at}.name`, name));
    const counted = compiler.count(count, `${at}.replicas`);
    if (count.path !== undefined) places.set(name, compiler.quietPlace(count.path));
    const pods =
      podTemplatePath === undefined ? undefined : podsAt(compiler, podTemplatePath, `${at}.podTemplatePath`);
    return (object) => {
      const replicaRequirements = pods?.(object);
      return {
        name,
        replicas: counted(object),
        ...(replicaRequirements === undefined ? {} : { replicaRequirements }),
      };
    };
  });
  return {
    components: (object) => parts.map((part) => part(object)),
    withComponent: (object, name, replicas) => {
      const path = places.get(name);
      return path === undefined ? undefined : changed(object, path, replicas);
    },
  };
}

function revision(compiler: Compiler, { revision: set, replicas: counted }: Spec): Pick<KindRules, 'revise'> {
  const [text, at] =
    set === undefined ? [counted?.path, 'spec.replicas.path'] : [set.path, 'spec.revision.path'];
  if (text === undefined) return {};
  // What is wrong with the path of the replicas has been said of it there.
  const path = set === undefined ? compiler.quietPlace(text) : compiler.place(text, at, false);
  if (path === undefined && set === undefined) return {};
  return { revise: (object, wanted) => changed(object, path, wanted) };
}

function changed(object: KubeObject, path: Path | undefined, value: JsonValue): KubeObject {
  if (path === undefined) return object;
  return write(object as unknown as JsonObject, path, value) as unknown as KubeObject;
}

function retention(compiler: Compiler, { retention: kept }: Spec): Pick<KindRules, 'retain'> {
  if (kept === undefined) return {};
  const paths = kept.paths.map((text, i) => compiler.place(text, `spec.retention.paths[${i}]`, false));
  return {
    retain: (desired, observed) =>
      paths.reduce((next, path) => {
        const [value] = path?.find(observed) ?? [];
        return value === undefined ? next : changed(next, path, value);
      }, desired),
  };
}

function status(compiler: Compiler, { status: reported }: Spec): Pick<KindRules, 'status'> {
  if (reported === undefined) return {};
  const paths = reported.paths.map((text, i) => compiler.place(text, `spec.status.paths[${i}]`, true));
  return {
    status(observed) {
      const picked = paths.reduce<JsonObject>((all, path) => {
        const [value] = path?.find(observed) ?? [];
        return path === undefined || value === undefined ? all : write(all, path, value);
      }, {});
      const found = objectAt(picked, 'status') ?? {};
      return reported.generations === true && objectAt(observed, 'status') !== undefined
        ? { ...found, ...generations(observed) }
        : found;
    },
  };
}

function aggregation(
  compiler: Compiler,
  { aggregation: made, status: reported }: Spec,
): Pick<KindRules, 'aggregate'> {
  if (made === undefined) return {};
  const at = 'spec.aggregation';
  const fields = made.fields.flatMap(({ path: text, combine }, i) => {
    const path = compiler.place(text, `${at}.fields[${i}].path`, true);
    if (made.fields.findIndex((one) => one.path === text) < i)
      compiler.errors.push(fieldError.duplicate(`${at}.fields[${i}].path`, text));
    return path === undefined ? [] : [{ path, combine }];
  });
  const observed = made.observedGeneration === true;
  if (observed && reported?.generations !== true)
    compiler.errors.push(
      fieldError.invalid(`${at}.observedGeneration`, true, 'needs spec.status.generations: true'),
    );
  return { aggregate: (template, items) => aggregate(template, items, fields, observed) };
}

function health(compiler: Compiler, { health: healthy }: Spec): Pick<KindRules, 'health'> {
  if (healthy === undefined) return {};
  const expression = compiler.expression(
    healthy.expression,
    'spec.health.expression',
    ['bool'],
    'true or false',
  );
  return {
    health(object) {
      const verdict = expression?.(object);
      if (typeof verdict === 'boolean') return verdict;
      throw new Error(`${shown(verdict ?? null)} is neither true nor false`);
    },
  };
}

type Reference = NonNullable<NonNullable<Spec['dependencies']>['references']>[number];

function reference(compiler: Compiler, one: Reference, at: string): Read<readonly Dependency[]> {
  const { apiVersion, kind, path: pathText, expression: text } = one;
  if (!compiler.one(pathText, text, 'path and expression', at)) return () => [];
  const path = pathText === undefined ? undefined : compiler.path(pathText, `${at}.path`);
  const expression =
    text === undefined
      ? undefined
      : compiler.expression(text, `${at}.expression`, ['string', 'list'], 'a name or a list of names');
  return (object) => {
    const names = path === undefined ? [expression?.(object) ?? []].flat() : path.find(object);
    const odd = names.find((name) => typeof name !== 'string');
    if (odd !== undefined) throw new Error(`${shown(odd)} is no name of a ${kind}`);
    if (names.length > NAMES_MAX) throw new Error(`more than ${NAMES_MAX} names of a ${kind}`);
    const { namespace } = object.metadata;
    return [...new Set(names as readonly string[])]
      .filter((name) => name !== '')
      .map((name) => ({ apiVersion, kind, ...(namespace === undefined ? {} : { namespace }), name }));
  };
}

function dependencies(compiler: Compiler, { dependencies: needed }: Spec): Pick<KindRules, 'dependencies'> {
  if (needed === undefined) return {};
  const at = 'spec.dependencies';
  const { podTemplatePaths = [], references = [] } = needed;
  if (podTemplatePaths.length + references.length === 0)
    compiler.errors.push(fieldError.required(at, 'podTemplatePaths or references are required'));
  const templates = podTemplatePaths.map((text, i) => compiler.path(text, `${at}.podTemplatePaths[${i}]`));
  const named = references.map((one, i) => reference(compiler, one, `${at}.references[${i}]`));
  return {
    dependencies: (object) => [
      ...templates
        .flatMap((path) => path?.find(object) ?? [])
        .flatMap((template) =>
          podDependencies(objectAt(template, 'spec') ?? {}, object.metadata.namespace ?? ''),
        ),
      ...named.flatMap((one) => one(object)),
    ],
  };
}

export interface Compiled {
  readonly rules: KindRules;
  /** What is wrong; rules of an interpretation with errors are of no use. */
  readonly errors: readonly FieldError[];
}

export function compileInterpretation({ spec }: ResourceInterpretation): Compiled {
  const compiler = new Compiler();
  const rules = {
    ...replicas(compiler, spec),
    ...components(compiler, spec),
    ...revision(compiler, spec),
    ...retention(compiler, spec),
    ...status(compiler, spec),
    ...aggregation(compiler, spec),
    ...health(compiler, spec),
    ...dependencies(compiler, spec),
  };
  if (compiler.errors.length === 0 && Object.keys(rules).length === 0)
    compiler.errors.push(fieldError.required('spec', 'nothing is said of the kind'));
  return { rules, errors: compiler.errors };
}
