// Answers the paths by which clients find out what is served. Documents are kept until the registry moves, or what other
// API servers serve through this one.
import { createHash } from 'node:crypto';
import type { AggregatedApis } from '../aggregation/aggregator.ts';
import { defaultPriority } from '../aggregation/api-service.ts';
import { encodeJson } from '../../machinery/index.ts';
import type { ApiRequest, ApiResponse } from '../contract.ts';
import { negotiate } from '../negotiation.ts';
import type { ResourceRegistry } from '../registry.ts';
import { encodeYaml } from '../yaml-text.ts';
import {
  aggregatedDiscovery,
  apiGroupDocument,
  apiGroupList,
  apiResourceList,
  apiVersions,
  servedGroups,
  type ServedGroup,
} from './documents.ts';

const JSON_TYPE = 'application/json';
// LIMIT: discovery has no protobuf form here; who asks for it gets JSON, and is told so.
const FORMATS = ['json', 'yaml', 'protobuf'] as const;

interface Document {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

export class Discovery {
  readonly #registry: ResourceRegistry;
  readonly #aggregated: AggregatedApis | undefined;
  #generation = '';
  #groups: readonly ServedGroup[] = [];
  readonly #documents = new Map<string, Document>();

  constructor(registry: ResourceRegistry, aggregated?: AggregatedApis) {
    this.#registry = registry;
    this.#aggregated = aggregated;
  }

  /** Undefined: the path is none of discovery's. */
  respond({
    method,
    path,
    headers,
  }: Pick<ApiRequest, 'method' | 'path' | 'headers'>): ApiResponse | undefined {
    if (method !== 'GET' && method !== 'HEAD') return undefined;
    const segments = path.split('/').filter((segment) => segment !== '');
    const [root, first, second, ...more] = segments;
    if ((root !== 'api' && root !== 'apis') || more.length > 0) return undefined;
    if (root === 'api' && second !== undefined) return undefined;
    this.#refresh();
    if (first === undefined) return this.#root(root === 'api', headers);
    const group = root === 'api' ? '' : first;
    const version = root === 'api' ? first : second;
    const served = this.#groups.find((one) => one.group === group);
    if (served === undefined) return undefined;
    if (version === undefined) return this.#plain(`group ${group}`, headers, () => apiGroupDocument(served));
    const found = served.versions.find((one) => one.version === version);
    if (found === undefined) return undefined;
    return this.#plain(`version ${group}/${version}`, headers, () =>
      apiResourceList(group, version, found.definitions),
    );
  }

  #root(core: boolean, headers: ApiRequest['headers']): ApiResponse {
    const { discovery: form } = negotiate(headers['accept'], false, {
      formats: FORMATS,
      transforms: false,
      discovery: true,
    });
    if (form === undefined) {
      return this.#plain(`root ${String(core)}`, headers, () =>
        core
          ? apiVersions(this.#groups, headers['host'] ?? headers[':authority'] ?? '')
          : apiGroupList(this.#groups),
      );
    }
    const type = `${JSON_TYPE};g=apidiscovery.k8s.io;v=${form};as=APIGroupDiscoveryList`;
    return this.#answer(`aggregated ${form} ${String(core)}`, headers, type, () =>
      aggregatedDiscovery(this.#groups, core, `apidiscovery.k8s.io/${form}`),
    );
  }

  /** A document that can be had as JSON or YAML. */
  #plain(name: string, headers: ApiRequest['headers'], build: () => unknown): ApiResponse {
    const offer = { formats: FORMATS, transforms: false };
    const { format } = negotiate(headers['accept'], false, offer);
    if (format !== 'yaml') return this.#answer(name, headers, JSON_TYPE, build);
    const encode = (document: unknown): Uint8Array => Buffer.from(encodeYaml(document), 'utf8');
    return this.#answer(`${name} as YAML`, headers, 'application/yaml', build, encode);
  }

  #answer(
    name: string,
    headers: ApiRequest['headers'],
    contentType: string,
    build: () => unknown,
    encode: (document: unknown) => Uint8Array = (document) => encodeJson(Object.freeze(document)),
  ): ApiResponse {
    let document = this.#documents.get(name);
    if (document === undefined) {
      const bytes = encode(build());
      document = { bytes, etag: `"${createHash('sha512').update(bytes).digest('hex').toUpperCase()}"` };
      this.#documents.set(name, document);
    }
    const { bytes, etag } = document;
    const extra = { etag, vary: 'Accept' };
    if (headers['if-none-match'] === etag)
      return { kind: 'bytes', status: 304, contentType, bytes: new Uint8Array(), headers: extra };
    return { kind: 'bytes', status: 200, contentType, bytes, headers: extra };
  }

  #refresh(): void {
    const generation = `${this.#registry.generation} ${this.#aggregated?.generation ?? 0}`;
    if (this.#generation === generation) return;
    this.#generation = generation;
    const remotes = (this.#aggregated?.remotes() ?? []).map(({ group, version, description, stale }) => {
      return { group, version, resources: description?.resources ?? [], stale };
    });
    this.#groups = servedGroups(this.#registry.definitions(), remotes, (group, version, custom) =>
      this.#aggregated === undefined
        ? defaultPriority(group, version, custom)
        : this.#aggregated.priority(group, version, custom),
    );
    this.#documents.clear();
  }
}
