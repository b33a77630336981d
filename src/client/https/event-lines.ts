// Cuts a watch stream into its events: JSON values, one a line, that arrive in chunks cut anywhere, even inside a
// character. Complete lines are decoded together, as one chunk often brings many.
import { deepFreeze, type KubeObject, type WatchEvent } from '../../api/index.ts';
import { freezeDecoded } from '../../machinery/index.ts';
import { ConnectionError } from '../errors.ts';

// LIMIT: kube-apiserver refuses objects far smaller than this; what is longer is no event.
const LINE_MAX_BYTES = 64 * 1024 * 1024;
const NEWLINE = 0x0a;

export class EventLines {
  private readonly onEvent: (event: WatchEvent<KubeObject>) => void;
  /** The beginning of a line whose end has not come. */
  private pieces: Buffer[] = [];
  private piecesBytes = 0;

  constructor(onEvent: (event: WatchEvent<KubeObject>) => void) {
    this.onEvent = onEvent;
  }

  /** Whether the stream stands at the beginning of a line. */
  get isComplete(): boolean {
    return this.piecesBytes === 0;
  }

  /** Throws ConnectionError for what is no event. */
  push(chunk: Buffer): void {
    const last = chunk.lastIndexOf(NEWLINE);
    if (last < 0) {
      this.keep(chunk);
      return;
    }
    const complete = chunk.subarray(0, last + 1);
    const bytes = this.piecesBytes === 0 ? complete : Buffer.concat([...this.pieces, complete]);
    this.pieces = [];
    this.piecesBytes = 0;
    if (last + 1 < chunk.length) this.keep(chunk.subarray(last + 1));
    this.decode(bytes.toString('utf8'));
  }

  private keep(rest: Buffer): void {
    this.pieces.push(rest);
    this.piecesBytes += rest.length;
    if (this.piecesBytes > LINE_MAX_BYTES)
      throw new ConnectionError('protocol', 'the watch stream has a line that is too long');
  }

  private decode(text: string): void {
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      if (end > start) this.onEvent(parseEvent(text.slice(start, end)));
      start = end + 1;
    }
  }
}

function parseEvent(line: string): WatchEvent<KubeObject> {
  let event: Partial<WatchEvent<KubeObject>>;
  try {
    event = JSON.parse(line) as Partial<WatchEvent<KubeObject>>;
  } catch (cause) {
    throw new ConnectionError(
      'protocol',
      `the watch stream has a line that is no JSON: ${line.slice(0, 80)}`,
      {
        cause,
      },
    );
  }
  if (typeof event?.type !== 'string' || typeof event.object !== 'object' || event.object === null)
    throw new ConnectionError(
      'protocol',
      `the watch stream has a line that is no event: ${line.slice(0, 80)}`,
    );
  freezeDecoded(event.object);
  return deepFreeze(event as WatchEvent<KubeObject>);
}
