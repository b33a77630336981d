// Upstream's estimator service over gRPC: its three calls, a server for one member and a client of one server.
// The deadline of a call comes from the caller; a late or broken server is an error of that call and of no other.
import type * as grpcJs from '@grpc/grpc-js';
import type {
  ChannelCredentials,
  Client,
  ServerCredentials,
  ServerUnaryCall,
  ServiceDefinition,
  sendUnaryData,
} from '@grpc/grpc-js';
import { OperatingError, errorMessage, type Clock } from '../base/index.ts';
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

type Grpc = typeof grpcJs;

/** Only where it is needed: most commands and most hubs start without it. */
function loadGrpc(): Promise<Grpc> {
  return import('@grpc/grpc-js');
}

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
  readonly encode: (question: Addressed<Q>) => Buffer;
  readonly decode: (bytes: Uint8Array) => Addressed<Q>;
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
  readonly clock: Clock;
  /** Milliseconds since any time, as exact as can be told. */
  readonly elapsedMs: () => number;
  /** Told of every call when it is over. */
  readonly served: (call: EstimatorCallName, ok: boolean, milliseconds: number) => void;
}

export interface EstimatorServer {
  readonly port: number;
  close(): Promise<void>;
}

export async function startEstimatorServer(options: EstimatorServerOptions): Promise<EstimatorServer> {
  const { estimator } = options;
  const grpc = await loadGrpc();
  const server = new grpc.Server();
  server.addService(
    {
      MaxAvailableReplicas: method(REPLICAS),
      MaxAvailableComponentSets: method(SETS),
      GetUnschedulableReplicas: method(UNSCHEDULABLE),
    },
    {
      MaxAvailableReplicas: answering<ReplicasQuestion>(
        grpc,
        options,
        'MaxAvailableReplicas',
        (question, call) => estimator.maxReplicas(question, call),
      ),
      MaxAvailableComponentSets: answering<SetsQuestion>(
        grpc,
        options,
        'MaxAvailableComponentSets',
        (question, call) => estimator.maxComponentSets(question, call),
      ),
      GetUnschedulableReplicas: answering<UnschedulableQuestion>(
        grpc,
        options,
        'GetUnschedulableReplicas',
        (question, call) => estimator.unschedulableReplicas(question, call),
      ),
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    const address = `${options.host.includes(':') ? `[${options.host}]` : options.host}:${options.port}`;
    server.bindAsync(address, serverCredentials(grpc, options.tls), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(cannotListen(address, error));
    });
  });
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        // Calls under way are answered; who holds the line longer is cut off.
        const cancelCut = options.clock.after(SHUTDOWN_GRACE_MS, () => server.forceShutdown());
        server.tryShutdown(() => {
          cancelCut();
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

function serverCredentials(grpc: Grpc, tls: ServerTls | undefined): ServerCredentials {
  if (tls === undefined) return grpc.ServerCredentials.createInsecure();
  const { certificate, key, clientAuthority } = tls;
  /** COMPAT: upstream's estimator speaks no TLS older than 1.3. */
  class Tls13 extends grpc.ServerCredentials {
    override _equals(other: ServerCredentials): boolean {
      return this === other;
    }
  }
  return new Tls13(
    { requestCert: clientAuthority !== undefined, minVersion: 'TLSv1.3' },
    {
      cert: certificate,
      key,
      minVersion: 'TLSv1.3',
      ...(clientAuthority === undefined ? {} : { ca: clientAuthority }),
    },
  );
}

type Handler<Q> = (call: ServerUnaryCall<Addressed<Q>, number>, reply: sendUnaryData<number>) => void;

function answering<Q>(
  { status }: Grpc,
  { clusterName, served, elapsedMs }: EstimatorServerOptions,
  name: EstimatorCallName,
  answer: (question: Addressed<Q>, call: EstimateCall) => Promise<number>,
): Handler<Q> {
  return (call, reply) => {
    const startedMs = elapsedMs();
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
        served(name, true, elapsedMs() - startedMs);
        reply(null, value);
      },
      (error: unknown) => {
        served(name, false, elapsedMs() - startedMs);
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
  let opened: Promise<{ readonly grpc: Grpc; readonly client: Client }> | undefined;
  const open = async (): Promise<{ readonly grpc: Grpc; readonly client: Client }> => {
    const grpc = await loadGrpc();
    return { grpc, client: new grpc.Client(address, clientCredentials(grpc, tls), CHANNEL_OPTIONS) };
  };
  const ask = async <Q>(codec: Codec<Q>, question: Q, call: EstimateCall): Promise<number> => {
    const { grpc, client } = await (opened ??= open());
    call.signal.throwIfAborted();
    return askOnce(grpc, client, codec, { ...question, cluster }, call).catch((error: unknown) => {
      throw new Error(`${codec.path.split('/').at(-1)} at ${address}: ${errorMessage(error)}`);
    });
  };
  return {
    maxReplicas: (question, call) => ask(REPLICAS, question, call),
    maxComponentSets: (question, call) => ask(SETS, question, call),
    unschedulableReplicas: (question, call) => ask(UNSCHEDULABLE, question, call),
    close: () => void opened?.then(({ client }) => client.close()).catch(() => undefined),
  };
}

const CHANNEL_OPTIONS = {
  'grpc.max_reconnect_backoff_ms': RECONNECT_MAX_MS,
  // A proxy of the environment is not for what stands in the same network.
  'grpc.enable_http_proxy': 0,
};

function askOnce<Q>(
  grpc: Grpc,
  client: Client,
  { path, encode }: Codec<Q>,
  question: Addressed<Q>,
  { signal, object }: EstimateCall,
): Promise<number> {
  const metadata = new grpc.Metadata();
  metadata.set(OBJECT_KEY, object);
  return new Promise((resolve, reject) => {
    const cancel = (): void => call.cancel();
    const call = client.makeUnaryRequest(path, encode, decodeAnswer, question, metadata, (error, answer) => {
      signal.removeEventListener('abort', cancel);
      if (error === null) resolve(answer ?? 0);
      else reject(new Error(signal.aborted ? errorMessage(signal.reason) : error.details));
    });
    signal.addEventListener('abort', cancel, { once: true });
  });
}

function clientCredentials({ credentials }: Grpc, tls: ClientTls | undefined): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure();
  const bytes = (pem: string | undefined): Buffer | null => (pem === undefined ? null : Buffer.from(pem));
  const { authority, identity, insecureSkipVerify } = tls;
  return credentials.createSsl(bytes(authority), bytes(identity?.key), bytes(identity?.certificate), {
    rejectUnauthorized: !insecureSkipVerify,
    ...(insecureSkipVerify ? { checkServerIdentity: () => undefined } : {}),
  });
}
