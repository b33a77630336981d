// Requests that nobody sends on purpose, from a seed: half right paths, queries and bodies, so that they get past the
// first check and find the next one.
import { builtinResources, type BuiltinResource } from '../../api/index.ts';

export interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

/** The same numbers for the same seed. */
export class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  /** From 0 up to, but not including, `below`. */
  roll(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  }
  pick<T>(items: readonly T[]): T {
    return items[this.roll(items.length)]!;
  }
  /** True in one of `n` cases. */
  once(n: number): boolean {
    return this.roll(n) === 0;
  }
}

const METHODS = ['GET', 'GET', 'POST', 'POST', 'PUT', 'PATCH', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'BREW'];
const NAMES = [
  'a',
  'b',
  'c',
  'A_b',
  '..',
  '%2e%2e',
  'x'.repeat(300),
  'ä',
  '%00',
  '%',
  'a%2Fb',
  '__proto__',
  'constructor',
  ' ',
];
const NAMESPACES = ['default', 'default', 'shop', 'none', '', '%2F', '__proto__'];
const ROOTS = [
  '/',
  '/api',
  '/apis',
  '/version',
  '/openapi/v2',
  '/openapi/v3',
  '/openapi/v3/apis/apps/v1',
  '/healthz',
  '/livez/none',
  '/metrics',
  '/apis/apps',
  '/apis/none/v1',
  '/api/v1/',
  '//api/v1',
  '/api/v1/namespaces/default/pods/a/exec',
  '/.well-known/openid-configuration',
];
const TEXTS = [
  '',
  '0',
  '1',
  '-1',
  'true',
  'x',
  'a=b',
  'a in (b',
  '!a',
  'metadata.name=a',
  'spec.none=1',
  '999999999999999999999',
  'All',
  'Strict',
  'NotOlderThan',
  '%00',
  '\u0000',
  '🙂',
  'x'.repeat(2000),
  '__proto__',
  '1s',
  '-1s',
  '1h',
  'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhIn0',
];
const PARAMETERS = [
  'labelSelector',
  'fieldSelector',
  'limit',
  'continue',
  'resourceVersion',
  'resourceVersionMatch',
  'dryRun',
  'fieldManager',
  'fieldValidation',
  'force',
  'propagationPolicy',
  'gracePeriodSeconds',
  'orphanDependents',
  'pretty',
  'timeout',
  'timeoutSeconds',
  'sendInitialEvents',
  'allowWatchBookmarks',
  'none',
  '__proto__',
];
const TYPES = [
  'application/json',
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/merge-patch+json',
  'application/json-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
  'text/plain',
  '',
  'application/json; charset=utf-16',
  ';;;',
];
const PATCH_TYPES = TYPES.slice(4, 8);
const ACCEPTS = [
  'application/json',
  '*/*',
  'application/yaml',
  'application/json;as=Table;g=meta.k8s.io;v=v1',
  'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
  'application/vnd.kubernetes.protobuf',
  'text/html',
  ';q=',
  'application/json;as=Table;g=meta.k8s.io;v=v9',
];
const KEYS = [
  'metadata',
  'spec',
  'status',
  'data',
  'name',
  'namespace',
  'labels',
  'annotations',
  'finalizers',
  'ownerReferences',
  'managedFields',
  'replicas',
  'selector',
  'template',
  'containers',
  'kind',
  'apiVersion',
  '__proto__',
  'constructor',
  'toString',
  '',
  'a',
  '$patch',
  '$setElementOrder/containers',
  '$retainKeys',
  'resourceVersion',
  'uid',
  'generateName',
  'creationTimestamp',
  'deletionTimestamp',
  'items',
  'ports',
  'volumes',
  'rules',
  'matchLabels',
];
const VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  2 ** 31,
  9007199254740991,
  1e300,
  '',
  'a',
  'A B',
  '1',
  '1Gi',
  '10m',
  '2026-01-01T00:00:00Z',
  'x'.repeat(500),
  [],
  {},
  [null],
  [{}],
  { a: null },
];

const resources: readonly BuiltinResource[] = builtinResources();

export class RequestFuzzer {
  readonly #dice: Dice;
  constructor(seed: number) {
    this.#dice = new Dice(seed);
  }

  next(): FuzzRequest {
    const dice = this.#dice;
    const method = dice.pick(METHODS);
    const resource = dice.pick(resources);
    const path = dice.once(12) ? dice.pick(ROOTS) : this.#path(resource, method);
    const body =
      ['POST', 'PUT', 'PATCH', 'DELETE'].includes(method) || dice.once(10)
        ? this.#body(resource, method)
        : undefined;
    const type = method === 'PATCH' && !dice.once(5) ? dice.pick(PATCH_TYPES) : dice.pick(TYPES);
    const headers: Record<string, string> = {};
    if (body !== undefined && type !== '') headers['content-type'] = type;
    if (dice.once(3)) headers['accept'] = dice.pick(ACCEPTS);
    if (dice.once(20)) headers['content-encoding'] = 'gzip';
    if (dice.once(30)) headers['impersonate-user'] = dice.pick(NAMES).replaceAll(/[^\x20-\x7e]/g, '?');
    if (dice.once(30)) headers['if-none-match'] = '"x"';
    return { method, path, query: this.#query(), headers, body };
  }

  #path({ group, version, plural, namespaced, subresources }: BuiltinResource, method: string): string {
    const dice = this.#dice;
    const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
    const inside = namespaced && !dice.once(10) ? `/namespaces/${dice.pick(NAMESPACES)}` : '';
    const named = method === 'POST' ? dice.once(4) : !dice.once(4);
    const name = named ? `/${dice.pick(NAMES)}` : '';
    const names = subresources.map((one) => one.name);
    const sub = named && dice.once(4) ? `/${dice.pick([...names, 'status', 'scale', 'none'])}` : '';
    return `${root}${inside}/${plural}${name}${sub}`;
  }

  #query(): string {
    const dice = this.#dice;
    if (dice.once(2)) return '';
    const query = new URLSearchParams();
    for (let n = dice.roll(4); n > 0; n--) query.append(dice.pick(PARAMETERS), dice.pick(TEXTS));
    return query.toString();
  }

  #body(resource: BuiltinResource, method: string): Uint8Array {
    const dice = this.#dice;
    if (dice.once(15)) return this.#bytes();
    if (dice.once(25)) return Buffer.from(this.#brokenText());
    const json = method === 'PATCH' && dice.once(2) ? this.#jsonPatch() : this.#object(resource);
    return Buffer.from(JSON.stringify(json));
  }

  #bytes(): Uint8Array {
    const dice = this.#dice;
    const bytes = Uint8Array.from({ length: dice.roll(300) }, () => dice.roll(256));
    // The envelope of protobuf, and of gzip.
    if (dice.once(2)) return Buffer.concat([Buffer.from('k8s\0'), bytes]);
    return dice.once(3) ? Buffer.concat([Buffer.from([0x1f, 0x8b]), bytes]) : bytes;
  }

  #brokenText(): string {
    const dice = this.#dice;
    return dice.pick([
      '',
      '{',
      '[',
      'null',
      '"a"',
      '{"a":1,"a":2}',
      '['.repeat(20_000),
      '{"a":'.repeat(11_000),
      '{"metadata":{"name":9007199254740993}}',
      '{"a":1e999}',
      'a: &a [*a]',
      'a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]',
      '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
      '\u{feff}{}',
      '{"metadata":{"name":"\\ud800"}}',
      '- a\n- b',
      '--- {}\n--- {}',
    ]);
  }

  #jsonPatch(): unknown {
    const dice = this.#dice;
    const pointer = (): string =>
      dice.pick([
        '',
        '/',
        '/metadata',
        '/metadata/labels',
        '/metadata/labels/a',
        '/spec/replicas',
        '/metadata/finalizers/0',
        '/metadata/finalizers/-',
        '/__proto__/x',
        '/spec/template/spec/containers/99',
        '/a~2b',
        'x',
      ]);
    const op = (): unknown => ({
      op: dice.pick(['add', 'remove', 'replace', 'move', 'copy', 'test', 'none']),
      path: pointer(),
      ...(dice.once(3) ? { from: pointer() } : {}),
      ...(dice.once(4) ? {} : { value: this.#value(2) }),
    });
    return Array.from({ length: dice.roll(5) }, op);
  }

  #object({ group, version, kind }: BuiltinResource): unknown {
    const dice = this.#dice;
    const object = this.#fields(3);
    if (!dice.once(5)) object['apiVersion'] = group === '' ? version : `${group}/${version}`;
    if (!dice.once(5)) object['kind'] = kind;
    if (!dice.once(6))
      object['metadata'] = { ...this.#fields(2), name: dice.pick(['a', 'b', 'c', dice.pick(NAMES)]) };
    return object;
  }

  #fields(depth: number): Record<string, unknown> {
    const dice = this.#dice;
    // JSON text with any key, `__proto__` too.
    const fields = Object.create(null) as Record<string, unknown>;
    for (let n = dice.roll(5); n > 0; n--) fields[dice.pick(KEYS)] = this.#value(depth);
    return fields;
  }

  #value(depth: number): unknown {
    const dice = this.#dice;
    if (depth === 0 || dice.once(2)) return dice.pick(VALUES);
    if (dice.once(3)) return Array.from({ length: dice.roll(4) }, () => this.#value(depth - 1));
    return this.#fields(depth - 1);
  }
}
