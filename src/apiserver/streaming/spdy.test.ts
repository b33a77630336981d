import assert from 'node:assert/strict';
import { adler32 } from './testing/adler32.ts';
import { Duplex, PassThrough } from 'node:stream';
import { test } from 'node:test';
import { createDeflate, constants } from 'node:zlib';
import { DICTIONARY, DICTIONARY_ID, HeaderReader, HeaderWriter } from './spdy-headers.ts';
import { SpdyConnection, type SpdyStream } from './spdy.ts';

test('the dictionary is the one that the protocol names', () => {
  assert.equal(DICTIONARY.length, 1423);
  assert.equal(adler32(DICTIONARY), DICTIONARY_ID);
});

test('headers arrive as they were sent, block after block of one compressor', async () => {
  const writer = new HeaderWriter();
  const reader = new HeaderReader();
  for (const headers of [
    {},
    { streamtype: 'stdin', port: '80' },
    { streamtype: 'stdin' },
    { x: 'y'.repeat(20_000) },
  ]) {
    assert.deepEqual(await reader.decode(writer.encode(headers)), headers);
  }
  reader.close();
});

test('headers of a real compressor are read, with names in lower case', async () => {
  const deflate = createDeflate({ dictionary: DICTIONARY });
  const reader = new HeaderReader();
  for (const value of ['error', 'data', 'data']) {
    const plain = Buffer.alloc(4 + 4 + 10 + 4 + value.length);
    plain.writeUInt32BE(1);
    plain.writeUInt32BE(10, 4);
    plain.write('Streamtype', 8);
    plain.writeUInt32BE(value.length, 18);
    plain.write(value, 22);
    deflate.write(plain);
    const block = await new Promise<Buffer>((resolve) => {
      deflate.flush(constants.Z_SYNC_FLUSH, () => resolve(deflate.read() as Buffer));
    });
    assert.deepEqual(await reader.decode(block), { streamtype: value });
  }
  reader.close();
});

test('a broken header block is refused', async () => {
  const reader = new HeaderReader();
  await assert.rejects(reader.decode(Buffer.from('this is no zlib stream')));
});

// ---- connections

function controlFrame(type: number, payload: Buffer, flags = 0): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(0x8003);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE(payload.length, 4);
  head.writeUInt8(flags, 4);
  return Buffer.concat([head, payload]);
}

function dataFrame(id: number, text: string, last = false): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(id);
  head.writeUInt32BE(text.length, 4);
  head.writeUInt8(last ? 1 : 0, 4);
  return Buffer.concat([head, Buffer.from(text)]);
}

function opened(id: number, writer: HeaderWriter, headers: Record<string, string>): Buffer {
  const ids = Buffer.alloc(10);
  ids.writeUInt32BE(id);
  return controlFrame(1, Buffer.concat([ids, writer.encode(headers)]));
}

interface World {
  readonly socket: Duplex;
  readonly input: PassThrough;
  readonly output: PassThrough;
  readonly streams: SpdyStream[];
  readonly connection: SpdyConnection;
}

function connected(): World {
  const input = new PassThrough();
  const output = new PassThrough();
  const socket = Duplex.from({ readable: input, writable: output });
  const streams: SpdyStream[] = [];
  const connection = new SpdyConnection(socket, Buffer.alloc(0), (stream) => void streams.push(stream));
  return { socket, input, output, streams, connection };
}

test('streams carry what is theirs, however the bytes are cut', async () => {
  const { input, streams } = connected();
  const writer = new HeaderWriter();
  const bytes = Buffer.concat([
    opened(1, writer, { streamtype: 'stdin' }),
    opened(3, writer, { streamtype: 'data' }),
    dataFrame(1, 'a'),
    dataFrame(3, 'x'),
    dataFrame(1, 'b', true),
    dataFrame(3, 'y', true),
    dataFrame(9, 'nobody opened this'),
  ]);
  for (const byte of bytes) input.write(Uint8Array.of(byte));
  const textOf = async (index: number): Promise<string> => {
    while (streams[index] === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
    let text = '';
    for await (const chunk of streams[index].read()) text += String(chunk);
    return text;
  };
  assert.deepEqual(await Promise.all([textOf(0), textOf(1)]), ['ab', 'xy']);
  assert.deepEqual(
    streams.map(({ headers }) => headers['streamtype']),
    ['stdin', 'data'],
  );
});

test('a ping comes back, and a reply to each stream before its data', async () => {
  const { input, output, streams } = connected();
  const writer = new HeaderWriter();
  input.write(controlFrame(6, Buffer.from([0, 0, 0, 7])));
  input.write(opened(5, writer, {}));
  while (streams.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await streams[0]!.write(Buffer.from('hello'));
  streams[0]!.end();
  await new Promise((resolve) => setTimeout(resolve, 5));
  const sent = output.read() as Buffer;
  assert.deepEqual(sent.subarray(0, 12), controlFrame(6, Buffer.from([0, 0, 0, 7])));
  assert.equal(sent.readUInt32BE(12), 0x80030002);
  const end = Buffer.concat([dataFrame(5, 'hello'), dataFrame(5, '', true)]);
  assert.deepEqual(sent.subarray(sent.length - end.length), end);
});

for (const [name, bytes] of [
  ['a frame beyond the limit', Buffer.from([0, 0, 0, 1, 0, 0xff, 0xff, 0xff])],
  ['headers that are none', controlFrame(1, Buffer.from('0123456789 not compressed'))],
] as const) {
  test(`${name} ends the connection, and nothing else`, async () => {
    const { input, connection } = connected();
    input.write(bytes);
    await connection.closed;
  });
}
