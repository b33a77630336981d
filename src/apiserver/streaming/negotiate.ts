// From a request that asks for it to a connection of several streams: the protocols of Kubernetes' remote commands.
import { WebSocketServer, createWebSocketStream, type WebSocket } from 'ws';
import { goQuote, StatusError } from '../../machinery/index.ts';
import type { ApiRequest } from '../contract.ts';
import type { UpgradedConnection } from '../listen/exchange.ts';

/** LIMIT: of one message; clients send what they read at once. */
const MESSAGE_MAX_BYTES = 4 * 1024 * 1024;

function listed(header: string | undefined): readonly string[] {
  return (header ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

/** Refuses a request that is none to upgrade its connection. COMPAT: kubelet's message. */
export function mustUpgrade(request: ApiRequest): 'spdy' | 'websocket' {
  if (request.upgrade === 'websocket') return 'websocket';
  if (request.upgrade === 'spdy/3.1') return 'spdy';
  throw new StatusError(400, 'BadRequest', 'Upgrade request required', {});
}

/** The first of ours that the client takes as well; throws a 403 StatusError when there is none. */
export function chooseSpdyProtocol(request: ApiRequest, ours: readonly string[]): string {
  const theirs = listed(request.headers['x-stream-protocol-version']);
  const found = ours.find((one) => theirs.includes(one));
  if (found !== undefined) return found;
  const show = (names: readonly string[]): string => `[${names.join(' ')}]`;
  const message = `unable to upgrade: unable to negotiate protocol: client supports ${show(theirs)}, server accepts ${show(ours)}`;
  throw new StatusError(403, 'Forbidden', message, {});
}

export function acceptSpdy({ socket }: UpgradedConnection, protocol: string): void {
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
  );
}

/** The first of ours that the client takes as well; undefined: it named none. Throws a 400 StatusError. */
export function chooseSubprotocol(request: ApiRequest, ours: readonly string[]): string | undefined {
  // A bearer token may travel among them.
  const theirs = listed(request.headers['sec-websocket-protocol']).filter(
    (one) => !one.startsWith('base64url.bearer.authorization.k8s.io.'),
  );
  if (theirs.length === 0) return undefined;
  const found = ours.find((one) => theirs.includes(one));
  if (found !== undefined) return found;
  throw new StatusError(
    400,
    'BadRequest',
    `unsupported WebSocket protocols: ${theirs.map(goQuote).join(', ')}`,
    {},
  );
}

/** Answers the handshake. Rejects when the request is no good one. */
export function acceptWebSocket(
  { request, socket, head }: UpgradedConnection,
  subprotocol: string | undefined,
): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const server = new WebSocketServer({
      noServer: true,
      maxPayload: MESSAGE_MAX_BYTES,
      handleProtocols: () => subprotocol ?? false,
    });
    socket.once('close', () => reject(new Error('the client left')));
    server.handleUpgrade(request, socket, head, resolve);
  });
}

/** A WebSocket whose binary messages are one stream of bytes. */
export { createWebSocketStream };
