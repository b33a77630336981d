// Answers /openapi/v2 and /openapi/v3. Documents are built when they are asked for and kept until what they are about
// changes; a change of one custom resource leaves the documents of other groups alone.
//
// The hash in the v3 index is made from what a document is made from, so the index costs no document. Equal
// servers give equal hashes.
import { createHash } from 'node:crypto';
import { builtinSchemaJson, formatApiVersion } from '../../api/index.ts';
import type { Clock } from '../../base/index.ts';
import { StatusError } from '../../machinery/index.ts';
import type { AggregatedApis } from '../aggregation/aggregator.ts';
import type { ApiRequest, ApiResponse } from '../contract.ts';
import type { ResourceDefinition } from '../resource.ts';
import { documentV2, documentV2Json } from './document-v2.ts';
import { discoveryDocument, groupVersionDocument } from './document-v3.ts';
import { documentV2Protobuf } from './gnostic.ts';
import { mergeV2 } from './merge-v2.ts';
import type { OpenApiResource } from './operations.ts';

const JSON_TYPE = 'application/json';
/** COMPAT: asked for with `@`, which is no media type, hence answered with a dot. */
const PROTOBUF_ASKED = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
const PROTOBUF_TYPE = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/** Moves the hashes when the way documents are written changes. */
const FORMAT = 1;

/** LIMIT: documents kept at once. A client reads one after another; several hundred groups would cost too much memory. */
const KEPT_DOCUMENTS = 64;

const YEAR_MS = 365 * 24 * 3600 * 1000;

/** What is served right now; the registry of the API server. */
export interface OpenApiSource {
  /** Moves with every change. */
  readonly generation: number;
  definitions(): readonly ResourceDefinition[];
}

interface Part {
  readonly resources: readonly OpenApiResource[];
  readonly hash: string;
}

export class OpenApiDocuments {
  readonly #source: OpenApiSource;
  readonly #version: string;
  readonly #clock: Clock;
  readonly #aggregated: AggregatedApis | undefined;
  #generation = '';
  /** By path: `api`, `apis`, `apis/apps`, `apis/apps/v1`. */
  #parts = new Map<string, Part>();
  #all: Part = { resources: [], hash: '' };
  #remotes: ReturnType<AggregatedApis['remotes']> = [];
  /** By path and hash; the least recently used first. */
  readonly #documents = new Map<string, Uint8Array>();

  /** @param serverVersion what `/version` says, e.g. `v1.36.2` */
  constructor(source: OpenApiSource, serverVersion: string, clock: Clock, aggregated?: AggregatedApis) {
    this.#source = source;
    this.#version = serverVersion;
    this.#clock = clock;
    this.#aggregated = aggregated;
  }

  /** The answer to a GET of a path under /openapi/; undefined: there is no such path. */
  respond(request: Pick<ApiRequest, 'path' | 'query' | 'headers'>): ApiResponse | undefined {
    const path = request.path.replace(/\/+$/, '');
    if (path === '/openapi/v2') return this.#respondV2(request.headers);
    if (path === '/openapi/v3') return this.#index();
    if (!path.startsWith('/openapi/v3/')) return undefined;
    return this.#respondV3(path.slice('/openapi/v3/'.length), request);
  }

  #respondV2(headers: ApiRequest['headers']): ApiResponse {
    const protobuf = wantsProtobuf(headers['accept'] ?? '');
    this.#refresh();
    const { resources, hash } = this.#all;
    const etag = `"${hash}${protobuf ? '-P' : ''}"`;
    const shared = { etag, vary: 'Accept' };
    if (headers['if-none-match'] === etag) return notModified(shared);
    const bytes = this.#document(`v2 ${protobuf ? 'protobuf' : 'json'}`, hash, () => {
      const document = this.#remotes.reduce(
        (merged, { group, version, description }) => mergeV2(merged, description?.openApiV2, group, version),
        documentV2(this.#version, resources),
      );
      return protobuf ? documentV2Protobuf(document) : Buffer.from(documentV2Json(document));
    });
    const contentType = protobuf ? PROTOBUF_TYPE : JSON_TYPE;
    return { kind: 'bytes', status: 200, contentType, bytes, headers: shared };
  }

  #index(): ApiResponse {
    this.#refresh();
    const paths = new Map(
      [...this.#parts].map(([path, { hash }]) => [path, `/openapi/v3/${path}?hash=${hash}`]),
    );
    for (const { group, version, description } of this.#remotes) {
      // The other server answers for its document itself.
      if (description?.openApiV3 !== undefined) paths.set(`apis/${group}/${version}`, description.openApiV3);
    }
    const object = {
      paths: Object.fromEntries([...paths].map(([path, url]) => [path, { serverRelativeURL: url }])),
    };
    return { kind: 'object', status: 200, object };
  }

  #respondV3(
    path: string,
    { query, headers }: Pick<ApiRequest, 'query' | 'headers'>,
  ): ApiResponse | undefined {
    this.#refresh();
    const part = this.#parts.get(path);
    if (part === undefined) return undefined;
    const asked = query.get('hash');
    if (asked !== null && asked !== '' && asked !== part.hash) {
      const location = `/openapi/v3/${path}?hash=${part.hash}`;
      return {
        kind: 'bytes',
        status: 301,
        contentType: 'text/plain',
        bytes: new Uint8Array(),
        headers: { location },
      };
    }
    const etag = `"${part.hash}"`;
    const shared = {
      etag,
      vary: 'Accept',
      // Under its hash a document never changes.
      ...(asked === part.hash
        ? {
            'cache-control': 'public, immutable',
            expires: new Date(this.#clock.now() + YEAR_MS).toUTCString(),
          }
        : {}),
    };
    if (headers['if-none-match'] === etag) return notModified(shared);
    const bytes = this.#document(path, part.hash, () =>
      Buffer.from(
        part.resources.length === 0
          ? discoveryDocument(this.#version, path)
          : groupVersionDocument(this.#version, path, part.resources),
      ),
    );
    return { kind: 'bytes', status: 200, contentType: JSON_TYPE, bytes, headers: shared };
  }

  #document(path: string, hash: string, build: () => Uint8Array): Uint8Array {
    const key = `${path} ${hash}`;
    const bytes = this.#documents.get(key) ?? build();
    this.#documents.delete(key);
    this.#documents.set(key, bytes);
    for (const oldest of this.#documents.keys()) {
      if (this.#documents.size <= KEPT_DOCUMENTS) break;
      this.#documents.delete(oldest);
    }
    return bytes;
  }

  #refresh(): void {
    const generation = `${this.#source.generation} ${this.#aggregated?.generation ?? 0}`;
    if (generation === this.#generation) return;
    this.#generation = generation;
    this.#remotes = this.#aggregated?.remotes() ?? [];
    const byPath = new Map<string, OpenApiResource[]>([
      ['api', []],
      ['apis', []],
    ]);
    for (const definition of this.#source.definitions()) {
      const { group } = definition;
      for (const version of definition.versions) {
        if (!version.served) continue;
        const path = `${group === '' ? 'api' : 'apis'}/${formatApiVersion({ group, version: version.name })}`;
        if (group !== '') byPath.set(`apis/${group}`, []);
        const resources = byPath.get(path);
        if (resources === undefined) byPath.set(path, [{ definition, version }]);
        else resources.push({ definition, version });
      }
    }
    const parts = [...byPath].sort(([a], [b]) => (a < b ? -1 : 1));
    this.#parts = new Map(parts.map(([path, resources]) => [path, this.#part(path, resources)]));
    this.#all = {
      resources: parts.flatMap(([, resources]) => resources),
      hash: digest(
        [
          ...[...this.#parts.values()].map(({ hash }) => hash),
          ...this.#remotes.map(({ description }) => JSON.stringify(description?.openApiV2)),
        ].join(),
      ),
    };
    const current = new Set([...this.#parts].map(([path, { hash }]) => `${path} ${hash}`));
    for (const key of this.#documents.keys()) {
      if (!current.has(key) && !key.endsWith(this.#all.hash)) this.#documents.delete(key);
    }
  }

  /** The part as it was when none of its resources changed. */
  #part(path: string, resources: readonly OpenApiResource[]): Part {
    const known = this.#parts.get(path);
    const same =
      known?.resources.length === resources.length &&
      known.resources.every(
        ({ definition, version }, index) =>
          definition === resources[index]?.definition && version === resources[index].version,
      );
    return same ? known : { resources, hash: digest(describe(this.#version, path, resources)) };
  }
}

/** Everything that the document of a group version depends on. */
function describe(serverVersion: string, path: string, resources: readonly OpenApiResource[]): string {
  return JSON.stringify([
    FORMAT,
    serverVersion,
    path,
    resources.map(({ definition, version }) => [
      definition.resource,
      definition.kind,
      definition.listKind,
      definition.namespaced,
      definition.verbs,
      Object.entries(definition.subresources).map(([name, { kind, verbs }]) => [name, kind ?? null, verbs]),
      version.definition,
      builtinSchemaJson(version.definition) === undefined ? version.schema : null,
    ]),
  ]);
}

function digest(text: string): string {
  return createHash('sha512').update(text).digest('hex').toUpperCase();
}

function notModified(headers: Readonly<Record<string, string>>): ApiResponse {
  return { kind: 'bytes', status: 304, contentType: JSON_TYPE, bytes: new Uint8Array(), headers };
}

/** Chooses between JSON and protobuf by the Accept header; throws 406 when the client takes neither. */
function wantsProtobuf(accept: string): boolean {
  const clauses = accept
    .split(',')
    .map((clause) => {
      const [type = '', ...parameters] = clause.split(';').map((part) => part.trim().toLowerCase());
      const quality = parameters.find((one) => one.startsWith('q='));
      return { type, quality: quality === undefined ? 1 : Number(quality.slice(2)) };
    })
    .filter(({ type, quality }) => type !== '' && quality > 0)
    .sort((a, b) => b.quality - a.quality);
  if (clauses.length === 0) return false;
  for (const { type } of clauses) {
    if (type === PROTOBUF_ASKED || type === PROTOBUF_TYPE) return true;
    if (type === JSON_TYPE || type === 'application/*' || type === '*/*') return false;
  }
  const message = `only the following media types are accepted: ${JSON_TYPE}, ${PROTOBUF_TYPE}`;
  throw new StatusError(406, 'NotAcceptable', message);
}
