import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serve } from '../testing/served.ts';
import { Discovery } from './serve.ts';

test('what is served can be had as YAML too, and is refused in other forms', async () => {
  const { server } = await serve();
  const discovery = new Discovery(server.registry);
  const ask = (path: string, accept: string): ReturnType<Discovery['respond']> =>
    discovery.respond({ method: 'GET', path, headers: { accept } });
  for (const path of ['/apis', '/apis/apps', '/apis/apps/v1', '/api', '/api/v1']) {
    const answer = ask(path, 'application/yaml');
    assert(answer?.kind === 'bytes');
    assert.equal(answer.contentType, 'application/yaml');
    assert.match(Buffer.from(answer.bytes).toString(), /^kind: API/m);
    assert.throws(() => ask(path, 'text/html'), {
      message:
        '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    });
  }
});
