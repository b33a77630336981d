// Calls to webhooks: one HTTPS POST of a review, answered by a review. Connections are kept for each target and trust.
import { Agent, buildConnector, request } from 'undici';
import type { Service } from '../../api/index.ts';
import { errorMessage, type Clock } from '../../base/index.ts';
import { encodeJson, goQuote, type Status } from '../../machinery/index.ts';
import { authority, goFailure } from './go-failures.ts';

/** admissionregistration.k8s.io/v1 and apiextensions.k8s.io/v1 WebhookClientConfig. */
export interface WebhookClientConfig {
  readonly url?: string;
  readonly service?: {
    readonly namespace: string;
    readonly name: string;
    readonly path?: string;
    readonly port?: number;
  };
  /** PEM, in base64. */
  readonly caBundle?: string;
}

/** A call that gave no review; `message` as kube-apiserver's client words it. */
export class WebhookCallError extends Error {
  override name = 'WebhookCallError';
}

/** LIMIT: no review is larger than what the API server takes itself, with room for a patch beside the object. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
/** LIMIT: targets whose connections are kept; the one that was not used for longest goes first. */
const MAX_TARGETS = 256;
const IDLE_MS = 60_000;

interface Place {
  readonly host: string;
  readonly port: number;
}

interface Target {
  /** What the request names; the certificate must be for this host. */
  readonly url: URL;
  /** Where to connect to, if not to the URL's host. */
  readonly locate?: () => Promise<Place | undefined>;
}

export interface WebhookClientOptions {
  readonly clock: Clock;
  readonly findService: (namespace: string, name: string) => Promise<Service | undefined>;
  /** What becomes of a call to a Service that is not found: it fails, or its name in the cluster's DNS is tried. */
  readonly unknownService: 'fail' | 'dns';
}

export class WebhookClient {
  readonly #options: WebhookClientOptions;
  readonly #agents = new Map<string, Agent>();
  readonly #closing = new AbortController();

  constructor(options: WebhookClientOptions) {
    this.#options = options;
  }

  /** The JSON that the webhook answers; throws a WebhookCallError when there is none in time. */
  async call(config: WebhookClientConfig, review: object, timeoutMs: number): Promise<unknown> {
    const target = this.#target(config);
    const { url } = target;
    url.searchParams.set('timeout', `${Math.ceil(timeoutMs / 1000)}s`);
    const port = Number(url.port === '' ? 443 : url.port);
    const shownHost = config.service === undefined ? url.host : authority(url.hostname, port);
    const shownUrl = `https://${shownHost}${url.pathname}${url.search}`;
    const timeout = new AbortController();
    const cancel = this.#options.clock.after(timeoutMs, () => timeout.abort());
    try {
      const response = await request(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: encodeJson(review),
        dispatcher: this.#agent(config, target),
        signal: AbortSignal.any([timeout.signal, this.#closing.signal]),
      });
      return answerOf(response.statusCode, await readAll(response.body));
    } catch (error) {
      if (error instanceof WebhookCallError) throw error;
      const why = timeout.signal.aborted ? 'context deadline exceeded' : goFailure(error, url.hostname, port);
      throw new WebhookCallError(`Post ${goQuote(shownUrl)}: ${why}`, { cause: error });
    } finally {
      cancel();
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('no more webhooks are called'));
    const agents = [...this.#agents.values()];
    this.#agents.clear();
    await Promise.all(agents.map((agent) => agent.destroy()));
  }

  #target({ url, service }: WebhookClientConfig): Target {
    if (service === undefined) {
      if (url === undefined || !URL.canParse(url)) {
        throw new WebhookCallError('either service or url must be set to a valid address');
      }
      return { url: new URL(url) };
    }
    const { name, namespace, path = '', port = 443 } = service;
    const named = new URL(`https://${name}.${namespace}.svc:${port}`);
    named.pathname = path;
    return { url: named, locate: () => this.#locate(namespace, name, port) };
  }

  /** Undefined: where its name says. */
  async #locate(namespace: string, name: string, port: number): Promise<Place | undefined> {
    const service = await this.#options.findService(namespace, name);
    if (service === undefined) {
      if (this.#options.unknownService === 'dns') return undefined;
      throw new Error(`service ${goQuote(name)} not found`);
    }
    const { spec } = service;
    const { type = 'ClusterIP', clusterIP = '', externalName = '' } = spec ?? {};
    if (type === 'ExternalName') return { host: externalName, port };
    if (clusterIP === 'None') throw new Error('cannot route to service with ClusterIP "None"');
    if (!(spec?.ports ?? []).some((one) => one.port === port)) {
      throw new Error(`no service port ${port} found for service ${goQuote(name)}`);
    }
    return { host: clusterIP, port };
  }

  #agent({ caBundle = '' }: WebhookClientConfig, { url, locate }: Target): Agent {
    const key = `${url.host} ${locate === undefined} ${caBundle}`;
    const known = this.#agents.get(key);
    if (known !== undefined) {
      this.#agents.delete(key);
      this.#agents.set(key, known);
      return known;
    }
    const ca = caBundle === '' ? undefined : Buffer.from(caBundle, 'base64').toString();
    const connect = buildConnector(ca === undefined ? {} : { ca });
    const agent = new Agent({
      keepAliveTimeout: IDLE_MS,
      connect(options, callback) {
        if (locate === undefined) return connect(options, callback);
        // Certificates are for the name of the service, wherever it is found.
        locate().then(
          (place) =>
            connect(
              place === undefined
                ? options
                : {
                    ...options,
                    hostname: place.host,
                    host: place.host,
                    port: String(place.port),
                    servername: url.hostname,
                  },
              callback,
            ),
          (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
        );
      },
    });
    this.#agents.set(key, agent);
    if (this.#agents.size > MAX_TARGETS) {
      const [oldest, unused] = this.#agents.entries().next().value!;
      this.#agents.delete(oldest);
      // Ends its connections when the calls that are under way have ended.
      unused.close().catch(() => undefined);
    }
    return agent;
  }
}

async function readAll(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > MAX_ANSWER_BYTES)
      throw new WebhookCallError(`response body is larger than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function answerOf(code: number, text: string): unknown {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    if (code < 300)
      throw new WebhookCallError(`couldn't get version/kind; json parse error: ${errorMessage(error)}`);
  }
  if (code >= 200 && code < 300) return json;
  const status = json as Partial<Status> | undefined;
  const told = status?.kind === 'Status' && status.message !== undefined ? status.message : undefined;
  throw new WebhookCallError(told ?? genericMessage(code, text.trim()));
}

const MESSAGES: Readonly<Record<number, string>> = {
  400: 'the server rejected our request for an unknown reason',
  401: 'the server has asked for the client to provide credentials',
  404: 'the server could not find the requested resource',
  405: 'the server does not allow this method on the requested resource',
  409: 'the server reported a conflict',
  415: 'the body of the request was in an unknown format - accepted media types include: ',
  422: 'the server rejected our request due to an error in our request',
  429: 'the server has received too many requests and has asked us to try again later',
  503: 'the server is currently unable to handle the request',
  504: 'the server was unable to return a response in the time allotted, but may still be processing the request',
};

function genericMessage(code: number, body: string): string {
  if (code === 403) return body === '' ? 'unknown' : body;
  if (Object.hasOwn(MESSAGES, code)) return MESSAGES[code]!;
  const shown = body === '' ? 'unknown' : body;
  if (code >= 500)
    return `an error on the server (${goQuote(shown)}) has prevented the request from succeeding`;
  return `the server responded with the status code ${code} but did not return more information`;
}
