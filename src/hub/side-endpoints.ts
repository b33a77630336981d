// Metrics and health of a process that serves no Kubernetes API: plain HTTP on addresses of their own, as upstream's
// processes have them.
import { createServer, type Server } from 'node:http';
import { OperatingError, errorMessage } from '../base/index.ts';

export interface SideEndpoint {
  /** The flag that says where, for error messages. */
  readonly flag: string;
  /** `host:port` or `:port`; `0` or nothing: not at all. */
  readonly address: string;
  /** The answer for a path; undefined: there is no such path. */
  readonly answer: (path: string) => { readonly status: number; readonly text: string } | undefined;
}

/** Host and port of a flag's value; undefined when it switches the endpoint off. Throws OperatingError BAD_FLAG. */
export function parseBindAddress(
  flag: string,
  address: string,
): { readonly host: string; readonly port: number } | undefined {
  if (address === '' || address === '0') return undefined;
  const [, bracketed, plain, digits = ''] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(address) ?? [];
  const port = Number(digits);
  if (digits === '' || port > 65_535) {
    throw new OperatingError(
      'BAD_FLAG',
      `--${flag} is no address to listen on: "${address}"`,
      'write it like :8080 or 127.0.0.1:8080, or 0 for not at all',
    );
  }
  return { host: bracketed ?? plain ?? '', port };
}

/** Serves until it is closed; resolves when all of them listen. */
export async function serveSideEndpoints(
  endpoints: readonly SideEndpoint[],
): Promise<{ close(): Promise<void> }> {
  const servers: Server[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(
      servers.map((server) => {
        server.closeAllConnections();
        return new Promise<void>((resolve) => void server.close(() => resolve()));
      }),
    );
  };
  try {
    for (const endpoint of endpoints) {
      const at = parseBindAddress(endpoint.flag, endpoint.address);
      if (at !== undefined) servers.push(await listen(endpoint, at.host, at.port));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { close };
}

function listen({ flag, address, answer }: SideEndpoint, host: string, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    const [path = ''] = (request.url ?? '').split('?', 1);
    const found = request.method === 'GET' || request.method === 'HEAD' ? answer(path) : undefined;
    response.writeHead(found?.status ?? 404, { 'content-type': 'text/plain; version=0.0.4' });
    response.end(found?.text ?? '404 page not found\n');
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new OperatingError(
          'CANNOT_LISTEN',
          `--${flag} ${address} cannot be listened on: ${errorMessage(error)}`,
          'choose another address, or 0 for not at all',
          { cause: error },
        ),
      ),
    );
    server.listen({ port, ...(host === '' ? {} : { host }) }, () => resolve(server));
  });
}
