// Forwarded ports over a connection. kubectl speaks SPDY, from 1.31 on inside a WebSocket; browsers and the JavaScript
// client speak plain WebSockets, with two channels a port.
import type { Duplex } from 'node:stream';
import { badRequest } from '../../machinery/index.ts';
import type { ApiRequest, ApiResponse } from '../contract.ts';
import type { UpgradedConnection } from '../listen/exchange.ts';
import {
  acceptSpdy,
  acceptWebSocket,
  chooseSpdyProtocol,
  chooseSubprotocol,
  createWebSocketStream,
  mustUpgrade,
} from './negotiate.ts';
import { MessageQueue, closeWebSocket } from './remote-command.ts';
import { SpdyConnection, type SpdyStream } from './spdy.ts';

export interface PortStreams {
  readonly input: AsyncIterable<Uint8Array>;
  readonly write: (bytes: Uint8Array) => Promise<void>;
}

/** Talks through one connection to a port; resolves with why there was none, if so. */
export type ServePort = (port: number, streams: PortStreams) => Promise<string | undefined>;

const PROTOCOL = 'portforward.k8s.io';
const TUNNEL = `SPDY/3.1+${PROTOCOL}`;
const CHANNELS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
/** LIMIT: ports of one plain WebSocket; each takes two of its channels. */
const PORTS_MAX = 64;

/** Answers a request to forward ports. Throws a StatusError when its connection cannot be used for that. */
export function portForward(request: ApiRequest, serve: ServePort): ApiResponse {
  if (mustUpgrade(request) === 'spdy') {
    const protocol = chooseSpdyProtocol(request, [PROTOCOL]);
    return {
      kind: 'upgrade',
      async run(connection) {
        acceptSpdy(connection, protocol);
        await overSpdy(connection.socket, connection.head, serve);
      },
    };
  }
  const protocol = chooseSubprotocol(request, [TUNNEL, ...CHANNELS]);
  if (protocol === TUNNEL) {
    return {
      kind: 'upgrade',
      async run(connection) {
        const socket = await acceptWebSocket(connection, protocol);
        await overSpdy(createWebSocketStream(socket), Buffer.alloc(0), serve);
      },
    };
  }
  const ports = portsOf(request.query);
  return { kind: 'upgrade', run: (connection) => overChannels(connection, protocol, ports, serve) };
}

function portsOf(query: URLSearchParams): readonly number[] {
  const texts = query.getAll('ports').flatMap((one) => one.split(','));
  if (texts.length === 0) throw badRequest('query parameter "ports" is required');
  const ports = texts.map(Number);
  const wrong = ports.findIndex((port) => !Number.isInteger(port) || port < 1 || port > 65_535);
  if (wrong >= 0) throw badRequest(`unable to parse ${JSON.stringify(texts[wrong])} as a port: invalid port`);
  if (ports.length > PORTS_MAX) throw badRequest(`at most ${PORTS_MAX} ports can be forwarded at once`);
  return ports;
}

/** Streams come in pairs of one request: what went wrong, and the data. */
async function overSpdy(socket: Duplex, head: Buffer, serve: ServePort): Promise<void> {
  const halves = new Map<string, SpdyStream>();
  const spdy = new SpdyConnection(socket, head, (stream) => {
    const { requestid = '', streamtype = '' } = stream.headers;
    const other = halves.get(requestid);
    if (other === undefined) {
      halves.set(requestid, stream);
      return;
    }
    halves.delete(requestid);
    const [error, data] = streamtype === 'data' ? [other, stream] : [stream, other];
    void servePair(Number(stream.headers['port']), error, data, serve);
  });
  await spdy.closed;
}

async function servePair(port: number, error: SpdyStream, data: SpdyStream, serve: ServePort): Promise<void> {
  try {
    const failure = await serve(port, { input: data.read(), write: (bytes) => data.write(bytes) });
    if (failure !== undefined) await error.write(Buffer.from(failure));
  } catch {
    // The connection broke; there is nobody to tell.
  } finally {
    data.end();
    error.end();
  }
}

async function overChannels(
  connection: UpgradedConnection,
  protocol: string | undefined,
  ports: readonly number[],
  serve: ServePort,
): Promise<void> {
  const socket = await acceptWebSocket(connection, protocol);
  const queues = ports.map(() => new MessageQueue(socket));
  socket.on('error', () => undefined);
  socket.on('close', () => {
    for (const queue of queues) queue.end();
  });
  socket.on('message', (message: Buffer) => {
    const channel = message[0] ?? 0;
    if (channel % 2 === 0) queues[channel / 2]?.push(message.subarray(1));
  });
  const send = (channel: number, bytes: Uint8Array): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.send(Buffer.concat([Uint8Array.of(channel), bytes]), () => resolve());
    return promise;
  };
  await Promise.all(
    ports.map(async (port, index) => {
      // COMPAT: both channels of a port begin with its number.
      const number = Buffer.alloc(2);
      number.writeUInt16LE(port);
      await send(2 * index, number);
      await send(2 * index + 1, number);
      const failure = await serve(port, {
        input: queues[index]!.read(),
        write: (bytes) => send(2 * index, bytes),
      });
      if (failure !== undefined) await send(2 * index + 1, Buffer.from(failure));
    }),
  );
  await closeWebSocket(socket);
}
