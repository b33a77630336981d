// Connections that stay open: bodies that are read while they come, and channels to a process in a pod. The transport of
// the client room answers whole bodies; these two are all that a command line needs beyond that.
import { Agent, Headers, ProxyAgent, request, WebSocket, type Dispatcher } from 'undici';
import type { ConnectionSettings } from '../../client/index.ts';
import { statusErrorFrom, toConnectionError } from '../../client/index.ts';
import { CommandError } from '../shell/index.ts';

type Query = readonly (readonly [name: string, value: string])[];

interface Wire {
  readonly dispatcher: Dispatcher;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly url: URL;
}

async function wireTo(settings: ConnectionSettings, path: string, query: Query): Promise<Wire> {
  const credentials = (await settings.credentials?.get()) ?? {
    token: settings.bearerToken,
    certificate:
      settings.clientCert === undefined || settings.clientKey === undefined
        ? undefined
        : { cert: settings.clientCert, key: settings.clientKey },
    basic: undefined,
  };
  const tls = {
    ...(settings.ca === undefined ? {} : { ca: settings.ca }),
    ...credentials.certificate,
    ...(settings.serverName === undefined ? {} : { servername: settings.serverName }),
    rejectUnauthorized: settings.insecureSkipTlsVerify !== true,
  };
  const proxy = settings.proxyUrl ?? settings.environmentProxyUrl;
  // A stream that is silent is no stream that is broken.
  const timeouts = { bodyTimeout: 0, headersTimeout: 0 };
  const dispatcher =
    proxy === undefined
      ? new Agent({ connect: tls, ...timeouts })
      : new ProxyAgent({ uri: proxy, requestTls: tls, ...timeouts });
  const headers: Record<string, string | string[]> = { 'user-agent': 'navarch' };
  if (credentials.token !== undefined) headers['authorization'] = `Bearer ${credentials.token}`;
  else if (credentials.basic !== undefined) {
    const { username, password } = credentials.basic;
    headers['authorization'] = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  }
  const { impersonate } = settings;
  if (impersonate !== undefined) {
    headers['impersonate-user'] = impersonate.user;
    if (impersonate.uid !== undefined) headers['impersonate-uid'] = impersonate.uid;
    if ((impersonate.groups ?? []).length > 0) headers['impersonate-group'] = [...(impersonate.groups ?? [])];
  }
  const url = new URL(`${settings.server.replace(/\/+$/, '')}${path}`);
  for (const [name, value] of query) url.searchParams.append(name, value);
  return { dispatcher, headers, url };
}

/** Calls `onData` for each piece of the body as it comes. Throws StatusError for a refusal. */
export async function readStream(
  settings: ConnectionSettings,
  path: string,
  query: Query,
  onData: (chunk: Buffer) => void,
): Promise<void> {
  const { dispatcher, headers, url } = await wireTo(settings, path, query);
  try {
    const answer = await request(url, { dispatcher, headers }).catch((error: unknown) => {
      throw toConnectionError(error, url.origin);
    });
    if (answer.statusCode >= 400) {
      const text = await answer.body.text();
      throw statusErrorFrom(answer.statusCode, parsed(text));
    }
    for await (const chunk of answer.body) onData(chunk as Buffer);
  } finally {
    await dispatcher.destroy();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

// ---- channels: Kubernetes' remote command protocol over a WebSocket

const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const [STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE] = [0, 1, 2, 3, 4, 255];

export interface ChannelSink {
  stdout(chunk: Buffer): void;
  stderr(chunk: Buffer): void;
}

export interface Channel {
  /** Resolves when the other side ends, with the Status it ended with. */
  readonly ended: Promise<unknown>;
  stdin(chunk: Buffer): void;
  closeStdin(): void;
  resize(columns: number, rows: number): void;
  close(): void;
}

/** A WebSocket whose messages begin with the number of a channel. */
export interface Frames {
  readonly protocol: string;
  /** Resolves when the other side, or this one, has closed it. */
  readonly closed: Promise<undefined>;
  send(channel: number | undefined, data: Uint8Array): void;
  close(): void;
}

/** Opens it; throws StatusError or CommandError when the server refuses. */
export async function openFrames(
  settings: ConnectionSettings,
  path: string,
  query: Query,
  onFrame: (channel: number | undefined, data: Buffer) => void,
): Promise<Frames> {
  const { dispatcher, headers, url } = await wireTo(settings, path, query);
  url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:';
  const all = new Headers();
  for (const [name, values] of Object.entries(headers))
    for (const value of [values].flat()) all.append(name, value);
  const socket = new WebSocket(url, { protocols: PROTOCOLS, dispatcher, headers: all });
  socket.binaryType = 'arraybuffer';
  const closed = Promise.withResolvers<undefined>();
  const opened = Promise.withResolvers<undefined>();
  socket.addEventListener('open', () => opened.resolve(undefined));
  socket.addEventListener('error', () =>
    opened.reject(new CommandError('the server did not open the channel')),
  );
  socket.addEventListener('message', ({ data }) => {
    const bytes = Buffer.from(data as ArrayBuffer);
    onFrame(bytes[0], bytes.subarray(1));
  });
  socket.addEventListener('close', () => {
    closed.resolve(undefined);
    void dispatcher.destroy();
  });
  try {
    await opened.promise;
  } catch (error) {
    // A WebSocket tells nothing of why; the plain request does.
    await refusal(settings, path, query);
    throw error;
  }
  return {
    protocol: socket.protocol,
    closed: closed.promise,
    send(channel, data) {
      if (socket.readyState === WebSocket.OPEN)
        socket.send(Buffer.concat([Buffer.from([channel ?? 0]), data]));
    },
    close: () => socket.close(),
  };
}

/** Opens a channel; throws StatusError or CommandError when the server refuses. */
export async function openChannel(
  settings: ConnectionSettings,
  path: string,
  query: Query,
  sink: ChannelSink,
): Promise<Channel> {
  let status: unknown;
  const frames = await openFrames(settings, path, query, (channel, rest) => {
    if (channel === STDOUT) sink.stdout(rest);
    else if (channel === STDERR) sink.stderr(rest);
    else if (channel === ERROR && rest.length > 0) status = parsed(rest.toString('utf8'));
  });
  return {
    ended: frames.closed.then(() => status),
    stdin: (chunk) => frames.send(STDIN, chunk),
    closeStdin: () => {
      if (frames.protocol === PROTOCOLS[0]) frames.send(CLOSE, Buffer.from([STDIN ?? 0]));
    },
    resize: (columns, rows) =>
      frames.send(RESIZE, Buffer.from(JSON.stringify({ Width: columns, Height: rows }))),
    close: () => frames.close(),
  };
}

async function refusal(settings: ConnectionSettings, path: string, query: Query): Promise<void> {
  await readStream(settings, path, query, () => undefined);
}
