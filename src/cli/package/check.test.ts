import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { checkRepository } from './check.ts';

const catalogue = path.resolve(import.meta.dirname, '../../../catalogue');

test('the catalogue that comes with the program is well formed, and each package has two versions at least', async () => {
  const { problems, packages, versions } = await checkRepository(pathToFileURL(catalogue).href);
  assert.deepEqual(problems, []);
  assert.ok(versions >= 2 * packages);
});

describe('what is wrong with a repository is told', () => {
  const cases: readonly [what: string, file: string, from: string, to: string, says: RegExp][] = [
    ['a latest version that there is not', 'cache/versions.yaml', 'latestVersion: v8.1.0+1', 'latestVersion: v9.0.0+1', /latestVersion v9.0.0\+1 is none of its versions/],
    ['two latest versions', 'index.yaml', 'latestVersion: v8.1.0+1', 'latestVersion: v8.0.2+1', /cache: index.yaml and versions.yaml name different/],
    ['a version that is not there', 'cache/versions.yaml', 'v8.0.2+1', 'v8.0.3+1', /cache\/v8.0.3\+1: .*there is no such file/],
    ['a field that nobody knows', 'cache/v8.1.0+1/package.yaml', 'scope: Namespaced', 'scope: Namespaced\nbogus: 1', /cache\/v8.1.0\+1\/package.yaml: .*bogus: no such field/],
    ['another scope', 'index.yaml', 'scope: Namespaced', 'scope: Cluster', /its scope is not that of index.yaml/],
    ['a dependency that nobody has', 'gateway/v1.3.0+1/package.yaml', '- name: certificates', '- name: certificate', /needs certificate, which is not in this repository/],
    ['a default that its own rules refuse', 'cache/v8.1.0+1/package.yaml', 'defaultValue: 64mb', 'defaultValue: lots', /default of value "memory": "lots" does not match/],
    ['a value for an object that is not there', 'cache/v8.1.0+1/package.yaml', 'kind: ConfigMap', 'kind: Deployment', /value memory is for Deployment cache, which is in none of its files/],
    ['a file that is not what it was', 'cache/v8.1.0+1/package.yaml', '- url: cache.yaml', '- url: cache.yaml\n    sha256: abc', /the SHA-256 of cache.yaml is [0-9a-f]{64}, and not what package.yaml says/],
    ['a chart that is not what it was', 'greeting/v1.0.0+1/package.yaml', 'chartVersion: 1.0.0', `chartVersion: 1.0.0\n  sha256: ${'a'.repeat(64)}`, /greeting\/v1.0.0\+1: the SHA-256 of chart greeting is [0-9a-f]{64}, and not/],
    ['a chart that is not there', 'charts/index.yaml', 'version: 1.0.0', 'version: 1.0.1', /greeting\/v1.0.0\+1: chart "greeting" 1.0.0 cannot be had from .*it has 1.0.1/],
    ['a dependency that wants to be told something', 'certificates/v1.17.0+2/package.yaml', 'min: 1', 'required: true\n      min: 1', /gateway\/v1.3.0\+1: needs certificates, which requires replicas, and nobody sets that/],
  ]; // prettier-ignore
  for (const [what, file, from, to, says] of cases)
    test(what, async () => {
      const folder = mkdtempSync(path.join(os.tmpdir(), 'navarch-catalogue-'));
      try {
        cpSync(catalogue, folder, { recursive: true });
        const changed = path.join(folder, file);
        const text = readFileSync(changed, 'utf8');
        assert.ok(text.includes(from));
        writeFileSync(changed, text.replace(from, to));
        const { problems } = await checkRepository(pathToFileURL(folder).href);
        assert.ok(
          problems.some((one) => says.test(one)),
          problems.join('\n'),
        );
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

  test('a folder that is none', async () => {
    const { problems } = await checkRepository('file:///nowhere');
    assert.match(problems.join('\n'), /file:\/\/\/nowhere\/index.yaml: there is no such file/);
  });
});
