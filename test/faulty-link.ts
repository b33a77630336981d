// A TCP link that can be made to fail in the ways of real networks, between a hub and a member. It runs in a process of its
// own, so that a test that waits for a command does not hold it up: node faulty-link.ts TARGET-PORT, faults as messages.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';

export type LinkFault =
  | { readonly kind: 'none' }
  /** Connections are cut, and new ones refused. */
  | { readonly kind: 'cut' }
  /** Everything vanishes: connections stand, and nothing arrives. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'delayed'; readonly byMs: number }
  /** What the server says is no TLS any more. */
  | { readonly kind: 'garbled' };

export interface FaultyLink {
  readonly port: number;
  set(fault: LinkFault): void;
  close(): Promise<void>;
}

export async function startFaultyLink(targetPort: number): Promise<FaultyLink> {
  const child = fork(import.meta.filename, [String(targetPort)], { execArgv: [] });
  const [port] = (await once(child, 'message')) as [number];
  return {
    port,
    set: (fault) => void child.send(fault),
    async close() {
      child.kill();
      await once(child, 'close');
    },
  };
}

function serve(targetPort: number): void {
  let fault: LinkFault = { kind: 'none' };
  const sockets = new Set<net.Socket>();
  const forward = (from: net.Socket, to: net.Socket, garbles: boolean): void => {
    from.on('data', (data) => {
      const send = (bytes: Buffer | string): void => void (to.destroyed || to.write(bytes));
      switch (fault.kind) {
        case 'silent':
          return;
        case 'delayed':
          setTimeout(() => send(data), fault.byMs);
          return;
        case 'garbled':
          send(garbles ? Buffer.alloc(data.length, 0x5a) : data);
          return;
        default:
          send(data);
      }
    });
    from.on('close', () => to.destroy());
    from.on('error', () => to.destroy());
  };
  const server = net.createServer((client) => {
    if (fault.kind === 'cut') return void client.destroy();
    const upstream = net.connect(targetPort, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
    forward(client, upstream, false);
    forward(upstream, client, true);
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as net.AddressInfo).port));
  process.on('message', (next: LinkFault) => {
    fault = next;
    if (next.kind === 'cut') for (const socket of sockets) socket.destroy();
  });
  process.on('disconnect', () => process.exit(0));
}

if (process.argv[1] === import.meta.filename) serve(Number(process.argv[2]));
