// The storage thread. It keeps fsyncs off the thread that answers requests, and serves any number of stores.
// Entry point of its own: scripts/build.ts bundles it beside the program.
import { parentPort } from 'node:worker_threads';
import { assert, errorMessage, OperatingError } from '../base/index.ts';
import { RecordFile } from './record-file.ts';
import { transferOf, unpackRecords } from './worker-protocol.ts';
import type { Call, PlainError, Reply, StoreRequest, StoreResult } from './worker-protocol.ts';

const files = new Map<number, RecordFile>();

function fileOf(store: number): RecordFile {
  const file = files.get(store);
  assert(file !== undefined, `store ${store} is not open`);
  return file;
}

function perform(store: number, request: StoreRequest): StoreResult<StoreRequest['type']> {
  switch (request.type) {
    case 'open': {
      const file = new RecordFile(request.directory, request.durability, request.sizeLimitBytes);
      files.set(store, file);
      return { compactedRevision: file.compactedRevision };
    }
    case 'read':
      return fileOf(store).read(request.afterRevision);
    case 'append': {
      const { records, compactedRevision, forgotten } = request;
      fileOf(store).append({ records: unpackRecords(records), compactedRevision, forgotten });
      return undefined;
    }
    case 'size':
      return { bytes: fileOf(store).sizeBytes() };
    case 'copy':
      return { revision: fileOf(store).copyTo(request.file) };
    case 'close': {
      const file = fileOf(store);
      files.delete(store);
      file.close();
      return undefined;
    }
  }
}

function plainError(error: unknown): PlainError {
  if (error instanceof OperatingError) {
    return { code: error.code, message: error.message, nextStep: error.nextStep };
  }
  return {
    code: 'STORE_FAILED',
    message: errorMessage(error),
    nextStep: 'start again and report this message',
  };
}

function answer({ call, store, request }: Call): Reply {
  try {
    return { call, ok: true, result: perform(store, request) };
  } catch (error) {
    return { call, ok: false, error: plainError(error) };
  }
}

assert(parentPort !== null, 'worker.ts is the entry point of a thread');
const port = parentPort;
port.on('message', (call: Call) => {
  const reply = answer(call);
  const records =
    reply.ok && reply.result !== undefined && 'records' in reply.result ? reply.result.records : undefined;
  port.postMessage(reply, records === undefined ? [] : transferOf(records));
});
