import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { openFileStorage } from './file.ts';
import { StorageWorker } from './storage-worker.ts';
import { thingCodec } from './suite-things.ts';
import { storageSuite } from './suite.ts';

const directories = mkdtempSync(path.join(tmpdir(), 'navarch-storage-'));
const worker = new StorageWorker();
let stores = 0;
after(async () => {
  await worker.close();
  rmSync(directories, { recursive: true });
});

storageSuite('file', (options) => {
  const directory = path.join(directories, String(++stores));
  return openFileStorage({ ...options, directory, codec: thingCodec, durability: 'process', worker });
});
