// Header blocks of SPDY/3.1: pairs of names and values, compressed in one zlib stream a direction and connection. We
// send ours as stored blocks, which need no compressor and cost a few bytes; what comes is inflated.
import { constants, createInflate, type Inflate } from 'node:zlib';

const WORDS =
  'options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow authorization cache-control connection content-base content-encoding content-language content-length content-location content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie keep-alive origin';
const TAIL =
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.';

function sized(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** The protocol's dictionary: both ends prime their compressors with it. */
export const DICTIONARY: Buffer = Buffer.concat([
  ...WORDS.split(' ').map((word) => sized(word.replace('_', ' '))),
  Buffer.from(TAIL, 'latin1'),
]);
/** Adler-32 of the dictionary. */
export const DICTIONARY_ID = 0xe3c6a7c2;

export type SpdyHeaders = Readonly<Record<string, string>>;

/** LIMIT: of one header block; streams of Kubernetes have three short headers. */
const HEADERS_MAX_BYTES = 64 * 1024;
// LIMIT: what a stored block can hold.
const STORED_MAX_BYTES = 0xffff;

export class HeaderWriter {
  #started = false;

  encode(headers: SpdyHeaders): Buffer {
    const pairs = Object.entries(headers);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(pairs.length);
    const plain = Buffer.concat([count, ...pairs.flat().map(sized)]);
    if (plain.length > STORED_MAX_BYTES) throw new RangeError('too many headers');
    const head = Buffer.alloc(5);
    head.writeUInt16LE(plain.length, 1);
    head.writeUInt16LE(~plain.length & 0xffff, 3);
    // An empty stored block makes the reader hand out what it has.
    const flush = Buffer.from([0, 0, 0, 0xff, 0xff]);
    const parts = [head, plain, flush];
    if (!this.#started) {
      const start = Buffer.alloc(6);
      // Deflate with a window of 32 KiB and a dictionary.
      start.writeUInt16BE(0x7820);
      start.writeUInt32BE(DICTIONARY_ID, 2);
      parts.unshift(start);
      this.#started = true;
    }
    return Buffer.concat(parts);
  }
}

export class HeaderReader {
  readonly #inflate: Inflate = createInflate({ dictionary: DICTIONARY, finishFlush: constants.Z_SYNC_FLUSH });

  /** Blocks must be handed in one after the other. Rejects when the block is broken. */
  async decode(block: Buffer): Promise<SpdyHeaders> {
    if (block.length > HEADERS_MAX_BYTES) throw new RangeError('the header block is too large');
    const plain = await new Promise<Buffer>((resolve, reject) => {
      this.#inflate.once('error', reject);
      this.#inflate.write(block);
      this.#inflate.flush(constants.Z_SYNC_FLUSH, () => {
        this.#inflate.off('error', reject);
        const chunks: Buffer[] = [];
        for (;;) {
          const chunk = this.#inflate.read() as Buffer | null;
          if (chunk === null) break;
          chunks.push(chunk);
        }
        resolve(Buffer.concat(chunks));
      });
    });
    return parsePairs(plain);
  }

  close(): void {
    this.#inflate.on('error', () => undefined);
    this.#inflate.close();
  }
}

function parsePairs(plain: Buffer): SpdyHeaders {
  let at = 0;
  const readText = (): string => {
    const length = plain.readUInt32BE(at);
    if (length > plain.length - at - 4) throw new RangeError('a header reaches beyond its block');
    at += 4 + length;
    return plain.toString('latin1', at - length, at);
  };
  const count = plain.readUInt32BE(at);
  at += 4;
  const headers: [string, string][] = [];
  for (let i = 0; i < count; i++) headers.push([readText().toLowerCase(), readText()]);
  return Object.fromEntries(headers);
}
