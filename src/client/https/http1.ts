// Requests over HTTP/1.1, for servers and proxies that know nothing newer: one connection each, kept for the next.
import http from 'node:http';
import type { Duplex } from 'node:stream';
import type { Cancel } from '../../base/index.ts';
import type { Dialled } from './dial.ts';
import type { AnswerSink, Connection, WireRequest } from './exchange.ts';
import { toConnectionError } from './failure.ts';

export interface Http1Settings {
  readonly dial: () => Promise<Dialled>;
  readonly server: string;
  readonly url: URL;
  /** LIMIT: of connections at once; further requests wait. */
  readonly maxConnections: number;
}

class DialAgent extends http.Agent {
  private readonly dial: () => Promise<Dialled>;
  private first: Dialled | undefined;

  constructor(dial: () => Promise<Dialled>, first: Dialled, maxConnections: number) {
    super({ keepAlive: true, maxSockets: maxConnections, maxFreeSockets: 8 });
    this.dial = dial;
    this.first = first;
    first.socket.once('close', () => (this.first = undefined));
    // Until its first use nobody else listens.
    first.socket.on('error', () => undefined);
  }

  override createConnection(
    _options: unknown,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const { first } = this;
    this.first = undefined;
    const dialled = first === undefined ? this.dial() : Promise.resolve(first);
    dialled.then(
      ({ socket }) => callback?.(null, socket),
      (error: unknown) => callback?.(error as Error, undefined as unknown as Duplex),
    );
  }

  override destroy(): void {
    this.first?.socket.destroy();
    super.destroy();
  }
}

export class Http1Connection implements Connection {
  private readonly settings: Http1Settings;
  private readonly agent: DialAgent;
  private readonly underWay = new Set<(reason: Error) => void>();

  /** @param first a connection that has just been made */
  constructor(settings: Http1Settings, first: Dialled) {
    this.settings = settings;
    this.agent = new DialAgent(settings.dial, first, settings.maxConnections);
  }

  exchange(request: WireRequest, sink: AnswerSink): Cancel {
    let sent: http.ClientRequest | undefined;
    let over = false;
    const finish = (tell: () => void): void => {
      if (over) return;
      over = true;
      this.underWay.delete(breakOff);
      tell();
    };
    const breakOff = (reason: Error): void => {
      finish(() => sink.fail(reason));
      sent?.destroy();
    };
    const send = (retried: boolean): void => {
      let answered = false;
      const one = http.request({
        agent: this.agent,
        host: this.settings.url.hostname,
        port: this.settings.url.port,
        method: request.method,
        path: request.path,
        headers: {
          ...(request.headers as http.OutgoingHttpHeaders),
          host: this.settings.url.host,
          ...(request.body === undefined ? {} : { 'content-length': request.body.length }),
        },
      });
      sent = one;
      one.on('response', (response) => {
        answered = true;
        if (over) return;
        sink.head(response.statusCode ?? 0, response.headers);
        response.on('data', (chunk: Buffer) => {
          if (!over) sink.data(chunk);
        });
        response.on('end', () => finish(() => (response.complete ? sink.end() : sink.fail(this.cutOff()))));
        response.on('error', (error) => finish(() => sink.fail(this.failure(error))));
        response.on('close', () => finish(() => sink.fail(this.cutOff())));
      });
      one.on('error', (error) => {
        // A kept connection that the server was just closing: the request cannot have been read.
        if (!retried && !over && !answered && one.reusedSocket && request.method === 'GET') send(true);
        else finish(() => sink.fail(this.failure(error)));
      });
      one.end(request.body);
    };
    this.underWay.add(breakOff);
    send(false);
    return () => {
      finish(() => undefined);
      sent?.destroy();
    };
  }

  close(reason: Error): void {
    for (const breakOff of this.underWay) breakOff(reason);
    this.agent.destroy();
  }

  private failure(error: unknown): Error {
    return toConnectionError(error, this.settings.server);
  }

  private cutOff(): Error {
    return this.failure(Object.assign(new Error('the answer was cut off'), { code: 'ECONNRESET' }));
  }
}
