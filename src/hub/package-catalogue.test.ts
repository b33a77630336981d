import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { catalogueUrl } from './package-catalogue.ts';

const shipped = path.resolve(import.meta.dirname, '../../catalogue');

describe('which catalogue is offered', () => {
  const cases: readonly [what: string, named: string, simulated: boolean, url: string | undefined][] = [
    ['the one that comes along, to simulated members', '', true, pathToFileURL(shipped).href],
    ['none to others, who cannot read it', '', false, undefined],
    ['none, when none is wanted', 'none', true, undefined],
    ['a folder', shipped, false, pathToFileURL(shipped).href],
    ['an address', 'https://packages.example.org', false, 'https://packages.example.org'],
  ];
  for (const [what, named, simulated, url] of cases)
    test(what, async () => assert.equal(await catalogueUrl(named, simulated), url));

  test('a folder without a catalogue is refused', async () =>
    assert.rejects(catalogueUrl(import.meta.dirname, true), /--package-catalogue names neither/));
});
