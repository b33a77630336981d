import { createMemoryStorage } from './memory.ts';
import { thingCodec } from './suite-things.ts';
import { storageSuite } from './suite.ts';

storageSuite('memory', async (options) => createMemoryStorage(thingCodec, options));
