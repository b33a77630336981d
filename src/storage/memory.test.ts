import { createMemoryStorage } from './memory.ts';
import { modelSuite } from './suite-model.ts';
import { thingCodec, type OpenStorage } from './suite-things.ts';
import { storageSuite } from './suite.ts';

const open: OpenStorage = async (options) => createMemoryStorage(thingCodec, options);

storageSuite('memory', open);
modelSuite('memory', 200, open);
