// The API server behind one APIService: whether it answers, what it serves, and requests handed on to it. It is told
// who a request comes from by the headers of an authenticating proxy, and believes them because of our certificate.
import type { APIService } from '../../api/index.ts';
import { errorMessage, type Clock, type Random } from '../../base/index.ts';
import { goQuote, type UserInfo } from '../../machinery/index.ts';
import { readWhole } from '../answers.ts';
import type { ApiRequest, ApiResponse } from '../contract.ts';
import type { ObjectAccess } from '../object-access.ts';
import { UpstreamError, forward } from '../proxy/forward.ts';
import { plainText } from '../refusals.ts';
import { connectTo, type Upstream, type UpstreamConnections } from '../proxy/upstream.ts';
import type { KeyPair } from '../security/certificates.ts';
import { authority } from '../webhooks/go-failures.ts';
import { isAvailable, serviceOf, type Availability, type ServiceReference } from './api-service.ts';
import { listedResources, type ListedResource } from './remote-discovery.ts';
import { checkService, locate, readService, type Location } from './service-location.ts';

export interface RemoteEnvironment {
  readonly objects: ObjectAccess;
  readonly connections: UpstreamConnections;
  /** Who we are to other API servers. */
  readonly certificate: KeyPair;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborts when the server closes. */
  readonly closing: AbortSignal;
}

const AGGREGATOR: UserInfo = { name: 'system:kube-aggregator', groups: ['system:masters'] };
const PASSED: Availability = { status: 'True', reason: 'Passed', message: 'all checks passed' };
// COMPAT: upstream's; several endpoints are asked at once, and one that answers is enough.
const PROBE_TIMEOUT_MS = 5_000;
const PROBES = 5;
const READ_TIMEOUT_MS = 30_000;

/** What a remote API server says about itself, as far as it could be read. */
export interface RemoteDescription {
  readonly resources: readonly ListedResource[];
  /** The address of its OpenAPI v3 document for the group version; undefined: it has none. */
  readonly openApiV3: string | undefined;
  readonly openApiV2: unknown;
}

export class RemoteService {
  readonly apiService: APIService;
  readonly reference: ServiceReference;
  readonly group: string;
  readonly version: string;
  /** The last that could be read. */
  description: RemoteDescription | undefined;
  /** Whether the description is older than the last attempt to read it. */
  stale = true;
  readonly #environment: RemoteEnvironment;
  readonly #upstream: Upstream;

  constructor(apiService: APIService, environment: RemoteEnvironment) {
    this.apiService = apiService;
    this.#environment = environment;
    const { group = '', version = '' } = apiService.spec ?? {};
    this.group = group;
    this.version = version;
    const reference = serviceOf(apiService);
    if (reference === undefined) throw new TypeError(`${apiService.metadata.name} is served locally`);
    this.reference = reference;
    this.#upstream = this.#upstreamOf(apiService);
  }

  /** Equal for as long as requests go to the same server in the same way. */
  get upstreamKey(): string {
    return this.#upstream.key;
  }

  get available(): boolean {
    return isAvailable(this.apiService);
  }

  /** The same server under a newer version of the object. */
  continuedBy(apiService: APIService): RemoteService {
    const next = new RemoteService(apiService, this.#environment);
    next.description = this.description;
    next.stale = this.stale;
    return next;
  }

  /** Hands a request on, as the user it comes from. */
  async forward(request: ApiRequest, path: string): Promise<ApiResponse> {
    if (!this.available) return plainText(503, 'service unavailable');
    try {
      return await forward(this.#environment.connections, request, {
        upstream: this.#upstream,
        path,
        headers: proxyHeaders(request.user),
      });
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      return plainText(503, `error trying to reach service: ${error.message}`);
    }
  }

  /** Whether it can be used right now. */
  async check(): Promise<Availability> {
    const facts = await readService(this.#environment.objects, this.reference);
    const refused = checkService(facts, this.reference);
    if (refused !== undefined) return refused;
    const probes = Array.from({ length: facts.slices.length === 0 ? 1 : PROBES }, async () => {
      const location = locate(facts, this.reference, this.#environment.random.fraction());
      if (location === undefined) throw new Error(`service ${goQuote(this.reference.name)} has no address`);
      await this.#probe(location);
    });
    try {
      await Promise.any(probes);
      return PASSED;
    } catch (error) {
      const last = error instanceof AggregateError ? (error.errors.at(-1) as unknown) : error;
      return { status: 'False', reason: 'FailedDiscoveryCheck', message: errorMessage(last) };
    }
  }

  /** Reads what it serves. */
  async describe(): Promise<void> {
    try {
      const { group, version } = this;
      const resources = listedResources(await this.#get(`/apis/${group}/${version}`));
      if (resources === undefined) throw new Error('the answer is no list of resources');
      const index = (await this.#getIfThere('/openapi/v3')) as
        | { paths?: Record<string, { serverRelativeURL?: string }> }
        | undefined;
      const openApiV3 = index?.paths?.[`apis/${group}/${version}`]?.serverRelativeURL;
      const openApiV2 = await this.#getIfThere('/openapi/v2');
      const next = { resources, openApiV3, openApiV2 };
      if (JSON.stringify(next) !== JSON.stringify(this.description)) this.description = next;
      this.stale = false;
    } catch {
      // What was read last is shown on, and marked as old; the condition says why nothing newer comes.
      this.stale = true;
    }
  }

  /** @throws Error as upstream words it */
  async #probe({ host, port }: Location): Promise<void> {
    const { certificate } = this.#environment;
    const url = new URL(`https://${authority(host, port)}`);
    const path = `/apis/${this.group}/${this.version}`;
    const shown = `https://${authority(host, port)}${path}`;
    const failed = `failing or missing response from ${shown}`;
    // COMPAT: the probe says whether the server answers, not whether its certificate is good.
    const upstream = { key: `probe ${url.href}`, url, insecureSkipTlsVerify: true, certificate };
    let status: number;
    try {
      ({ status } = await this.#read(upstream, path, PROBE_TIMEOUT_MS));
    } catch (error) {
      throw new Error(`${failed}: Get ${goQuote(shown)}: ${errorMessage(error)}`, { cause: error });
    }
    if (status < 200 || status >= 300) throw new Error(`${failed}: bad status from ${shown}: ${status}`);
  }

  async #get(path: string): Promise<unknown> {
    const { status, body } = await this.#read(this.#upstream, path, READ_TIMEOUT_MS);
    if (status !== 200) throw new Error(`GET ${path} was answered with ${status}`);
    return body;
  }

  async #getIfThere(path: string): Promise<unknown> {
    const { status, body } = await this.#read(this.#upstream, path, READ_TIMEOUT_MS);
    return status === 200 ? body : undefined;
  }

  async #read(
    upstream: Upstream,
    path: string,
    timeoutMs: number,
  ): Promise<{ readonly status: number; readonly body: unknown }> {
    const { connections, clock, closing } = this.#environment;
    const late = new AbortController();
    const cancel = clock.after(timeoutMs, () => late.abort(new Error('context deadline exceeded')));
    const signal = AbortSignal.any([late.signal, closing]);
    try {
      const request: ApiRequest = {
        method: 'GET',
        path,
        query: new URLSearchParams(),
        headers: { accept: 'application/json' },
        body: undefined,
        user: AGGREGATOR,
        signal,
      };
      const headers = proxyHeaders(AGGREGATOR);
      const response = await forward(connections, request, { upstream, path, headers });
      return await readWhole(response, signal);
    } finally {
      cancel();
    }
  }

  #upstreamOf({ spec, metadata }: APIService): Upstream {
    const { namespace, name, port } = this.reference;
    const { caBundle = '', insecureSkipTLSVerify = false } = spec ?? {};
    const { certificate } = this.#environment;
    const ca = Buffer.from(caBundle, 'base64').toString();
    return {
      key: JSON.stringify([metadata.name, metadata.uid, this.reference, caBundle, insecureSkipTLSVerify]),
      url: new URL(`https://${name}.${namespace}.svc:${port}`),
      ...(ca === '' ? {} : { ca }),
      insecureSkipTlsVerify: insecureSkipTLSVerify,
      certificate,
      connect: () => this.#connect(),
    };
  }

  async #connect(): ReturnType<typeof connectTo> {
    const { objects, random } = this.#environment;
    const facts = await readService(objects, this.reference);
    const location = locate(facts, this.reference, random.fraction());
    if (location === undefined) throw new Error(`service ${goQuote(this.reference.name)} has no address`);
    return connectTo(location.host, location.port);
  }
}

/** COMPAT: kube-aggregator's headers, of which kube-system/extension-apiserver-authentication tells. */
function proxyHeaders({
  name,
  uid,
  groups,
  extra = {},
}: UserInfo): Readonly<Record<string, string | readonly string[]>> {
  return {
    'x-remote-user': name,
    ...(uid === undefined ? {} : { 'x-remote-uid': uid }),
    ...(groups.length === 0 ? {} : { 'x-remote-group': groups }),
    ...Object.fromEntries(
      Object.entries(extra).map(([key, values]) => [`x-remote-extra-${encodeURIComponent(key)}`, values]),
    ),
  };
}
