// A port of this machine that leads to one of a pod: each connection gets a channel of its own, as kubectl does it.
import { createServer, type Server, type Socket } from 'node:net';
import { OperatingError, errorMessage } from '../../base/index.ts';
import type { ConnectionSettings } from '../../client/index.ts';
import { openFrames } from './wire.ts';

export interface ForwardedPort {
  readonly port: number;
  close(): Promise<void>;
}

export interface ForwardTarget {
  readonly settings: ConnectionSettings;
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

const [DATA, ERROR] = [0, 1];
/** Both channels begin with the port, which is known. */
const HEAD_BYTES = 2;
/** LIMIT: bytes that wait for a slow reader before the other side is read no further. */
const WAITING_MAX = 1024 * 1024;

/** Listens until closed. Throws OperatingError PORT_TAKEN. */
export async function forwardPort(
  host: string,
  port: number,
  target: ForwardTarget,
  onProblem: (text: string) => void,
): Promise<ForwardedPort> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    connect(socket, target, onProblem).catch((error: unknown) => {
      onProblem(errorMessage(error));
      socket.destroy();
    });
  });
  await listen(server, host, port);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close() {
      for (const socket of open) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new OperatingError(
          'PORT_TAKEN',
          `port ${port} of ${host} cannot be used: ${error.code === 'EADDRINUSE' ? 'something else listens there' : error.message}`,
          'name another one with --port',
          { cause: error },
        ),
      ),
    );
    server.listen(port, host, () => resolve());
  });
}

async function connect(
  socket: Socket,
  { settings, namespace, pod, port }: ForwardTarget,
  onProblem: (text: string) => void,
): Promise<void> {
  socket.pause();
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/portforward`;
  const heads = new Map<number, number>();
  const frames = await openFrames(settings, path, [['ports', String(port)]], (channel = DATA, data) => {
    const missing = HEAD_BYTES - (heads.get(channel) ?? 0);
    const rest = missing > 0 ? data.subarray(Math.min(missing, data.length)) : data;
    heads.set(channel, (heads.get(channel) ?? 0) + (data.length - rest.length));
    if (rest.length === 0) return;
    if (channel === ERROR) onProblem(rest.toString('utf8'));
    else if (socket.writableLength > WAITING_MAX) {
      onProblem('what the pod sends is not read');
      socket.destroy();
    } else socket.write(rest);
  });
  socket.on('data', (chunk) => frames.send(DATA, chunk));
  socket.on('error', () => frames.close());
  socket.once('close', () => frames.close());
  void frames.closed.then(() => socket.end());
  socket.resume();
}
