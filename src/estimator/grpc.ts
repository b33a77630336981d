// Upstream's estimator service over gRPC: its three calls, a server for one member and a client of one server.
// The deadline of a call comes from the caller; a late or broken server is an error of that call and of no other.
import {
  Client,
  Metadata,
  Server,
  ServerCredentials,
  credentials,
  status,
  type ChannelCredentials,
  type ServiceDefinition,
  type ServerUnaryCall,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { OperatingError, errorMessage } from '../base/index.ts';
import type {
  AccurateEstimator,
  EstimateCall,
  ReplicasQuestion,
  SetsQuestion,
  UnschedulableQuestion,
} from '../scheduling/index.ts';
import {
  decodeAnswer,
  decodeReplicasQuestion,
  decodeSetsQuestion,
  decodeUnschedulableQuestion,
  encodeAnswer,
  encodeReplicasQuestion,
  encodeSetsQuestion,
  encodeUnschedulableQuestion,
  type Addressed,
} from './messages.ts';

const SERVICE = 'github.com.karmada_io.karmada.pkg.estimator.service.Estimator';
/** What the call is about, for the server's log. */
const OBJECT_KEY = 'object';

export const ESTIMATOR_CALLS = [
  'MaxAvailableReplicas',
  'MaxAvailableComponentSets',
  'GetUnschedulableReplicas',
] as const;
export type EstimatorCallName = (typeof ESTIMATOR_CALLS)[number];

interface Codec<Q> {
  readonly path: string;
  encode(question: Addressed<Q>): Buffer;
  decode(bytes: Uint8Array): Addressed<Q>;
}

const REPLICAS: Codec<ReplicasQuestion> = {
  path: `/${SERVICE}/MaxAvailableReplicas`,
  encode: encodeReplicasQuestion,
  decode: decodeReplicasQuestion,
};
const SETS: Codec<SetsQuestion> = {
  path: `/${SERVICE}/MaxAvailableComponentSets`,
  encode: encodeSetsQuestion,
  decode: decodeSetsQuestion,
};
const UNSCHEDULABLE: Codec<UnschedulableQuestion> = {
  path: `/${SERVICE}/GetUnschedulableReplicas`,
  encode: encodeUnschedulableQuestion,
  decode: decodeUnschedulableQuestion,
};

function method<Q>({ path, encode, decode }: Codec<Q>): ServiceDefinition[string] {
  return {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: encode,
    requestDeserialize: decode,
    responseSerialize: encodeAnswer,
    responseDeserialize: decodeAnswer,
  };
}

// ---- server

/** PEM. */
export interface ServerTls {
  readonly certificate: string;
  readonly key: string;
  /** Whose clients are taken; undefined: anybody. */
  readonly clientAuthority: string | undefined;
}

export interface EstimatorServerOptions {
  readonly clusterName: string;
  readonly estimator: AccurateEstimator;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Undefined: in the clear. */
  readonly tls: ServerTls | undefined;
  /** Told of every call when it is over. */
  served(call: EstimatorCallName, ok: boolean, milliseconds: number): void;
}

export interface EstimatorServer {
  readonly port: number;
  close(): Promise<void>;
}

export async function startEstimatorServer(options: EstimatorServerOptions): Promise<EstimatorServer> {
  const { estimator } = options;
  const server = new Server();
  server.addService(
    {
      MaxAvailableReplicas: method(REPLICAS),
      MaxAvailableComponentSets: method(SETS),
      GetUnschedulableReplicas: method(UNSCHEDULABLE),
    },
    {
      MaxAvailableReplicas: answering<ReplicasQuestion>(options, 'MaxAvailableReplicas', (question, call) =>
        estimator.maxReplicas(question, call),
      ),
      MaxAvailableComponentSets: answering<SetsQuestion>(
        options,
        'MaxAvailableComponentSets',
        (question, call) => estimator.maxComponentSets(question, call),
      ),
      GetUnschedulableReplicas: answering<UnschedulableQuestion>(
        options,
        'GetUnschedulableReplicas',
        (question, call) => estimator.unschedulableReplicas(question, call),
      ),
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    const address = `${options.host.includes(':') ? `[${options.host}]` : options.host}:${options.port}`;
    server.bindAsync(address, serverCredentials(options.tls), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(cannotListen(address, error));
    });
  });
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        // Calls under way are answered; who holds the line longer is cut off.
        const cut = setTimeout(() => server.forceShutdown(), SHUTDOWN_GRACE_MS);
        server.tryShutdown(() => {
          clearTimeout(cut);
          resolve();
        });
      }),
  };
}

const SHUTDOWN_GRACE_MS = 2000;

function cannotListen(address: string, error: Error): OperatingError {
  return new OperatingError(
    'CANNOT_LISTEN',
    `the estimator cannot listen on ${address}: ${errorMessage(error)}`,
    'choose another --server-port, or stop what holds this one',
    { cause: error },
  );
}

function serverCredentials(tls: ServerTls | undefined): ServerCredentials {
  return tls === undefined ? ServerCredentials.createInsecure() : new Tls13(tls);
}

/** COMPAT: upstream's estimator speaks no TLS older than 1.3. */
class Tls13 extends ServerCredentials {
  constructor({ certificate, key, clientAuthority }: ServerTls) {
    const context = {
      cert: certificate,
      key,
      minVersion: 'TLSv1.3',
      ...(clientAuthority === undefined ? {} : { ca: clientAuthority }),
    } as const;
    super({ requestCert: clientAuthority !== undefined, minVersion: 'TLSv1.3' }, context);
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

type Handler<Q> = (call: ServerUnaryCall<Addressed<Q>, number>, reply: sendUnaryData<number>) => void;

function answering<Q>(
  { clusterName, served }: EstimatorServerOptions,
  name: EstimatorCallName,
  answer: (question: Addressed<Q>, call: EstimateCall) => Promise<number>,
): Handler<Q> {
  return (call, reply) => {
    const startedMs = performance.now();
    const abort = new AbortController();
    call.on('cancelled', () => abort.abort(new Error('the caller has gone')));
    const [object = ''] = call.metadata.get(OBJECT_KEY);
    const run = async (): Promise<number> => {
      const { cluster } = call.request;
      if (cluster !== clusterName)
        throw new Error(`cluster name does not match, got: ${cluster}, desire: ${clusterName}`);
      return answer(call.request, { signal: abort.signal, object: String(object) });
    };
    run().then(
      (value) => {
        served(name, true, performance.now() - startedMs);
        reply(null, value);
      },
      (error: unknown) => {
        served(name, false, performance.now() - startedMs);
        // COMPAT: plain errors of a Go server have this code.
        reply({ code: status.UNKNOWN, details: errorMessage(error) });
      },
    );
  };
}

// ---- client

/** PEM. */
export interface ClientTls {
  /** Undefined with `insecureSkipVerify`. */
  readonly authority: string | undefined;
  /** For servers that ask who calls. */
  readonly identity: { readonly certificate: string; readonly key: string } | undefined;
  readonly insecureSkipVerify: boolean;
}

export interface EstimatorConnection extends AccurateEstimator {
  close(): void;
}

/** LIMIT: how long reconnecting waits after failures. */
const RECONNECT_MAX_MS = 10_000;

/**
 * A client of the estimator of `cluster` at `address` (`host:port`). Connects at the first call.
 * @param tls undefined: in the clear
 */
export function connectEstimator(
  cluster: string,
  address: string,
  tls: ClientTls | undefined,
): EstimatorConnection {
  const client = new Client(address, clientCredentials(tls), {
    'grpc.max_reconnect_backoff_ms': RECONNECT_MAX_MS,
    // A proxy of the environment is not for what stands in the same network.
    'grpc.enable_http_proxy': 0,
  });
  const ask = <Q>(codec: Codec<Q>, question: Q, { signal, object }: EstimateCall): Promise<number> =>
    new Promise((resolve, reject) => {
      const metadata = new Metadata();
      metadata.set(OBJECT_KEY, object);
      const call = client.makeUnaryRequest(
        codec.path,
        codec.encode,
        decodeAnswer,
        { ...question, cluster },
        metadata,
        (error, answer) => {
          signal.removeEventListener('abort', cancel);
          if (error !== null)
            reject(new Error(`${codec.path.split('/').at(-1)} at ${address}: ${error.details}`));
          else resolve(answer ?? 0);
        },
      );
      const cancel = (): void => call.cancel();
      if (signal.aborted) cancel();
      else signal.addEventListener('abort', cancel, { once: true });
    });
  return {
    maxReplicas: (question, call) => ask(REPLICAS, question, call),
    maxComponentSets: (question, call) => ask(SETS, question, call),
    unschedulableReplicas: (question, call) => ask(UNSCHEDULABLE, question, call),
    close: () => client.close(),
  };
}

function clientCredentials(tls: ClientTls | undefined): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure();
  const bytes = (pem: string | undefined): Buffer | null => (pem === undefined ? null : Buffer.from(pem));
  return credentials.createSsl(
    bytes(tls.authority),
    bytes(tls.identity?.key),
    bytes(tls.identity?.certificate),
    {
      rejectUnauthorized: !tls.insecureSkipVerify,
      ...(tls.insecureSkipVerify ? { checkServerIdentity: () => undefined } : {}),
    },
  );
}
