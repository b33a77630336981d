import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImageOverrider } from '../api/index.ts';
import { overrideImage, parseImage, printImage } from './image-reference.ts';

const HEX = '0123456789abcdef'.repeat(4);
const SHORT = HEX.slice(0, 40);
const images: [sentence: string, image: string, overrider: ImageOverrider, expected: string][] = [
  ['a registry is added', 'web:1.2', { component: 'Registry', operator: 'add', value: 'r.example' }, 'r.example/web:1.2'],
  ['a registry is extended', 'r.example/web:1.2', { component: 'Registry', operator: 'add', value: '.eu' }, 'r.example.eu/web:1.2'],
  ['a registry is removed', 'r.example/team/web:1.2', { component: 'Registry', operator: 'remove' }, 'team/web:1.2'],
  ['a registry is replaced', 'r.example/team/web:1.2', { component: 'Registry', operator: 'replace', value: 'm.example' }, 'm.example/team/web:1.2'],
  ['a registry with a port', 'localhost:5000/web', { component: 'Registry', operator: 'replace', value: 'm' }, 'm/web'],
  ['a repository is extended', 'r.example/web:1.2', { component: 'Repository', operator: 'add', value: '/ui' }, 'r.example/web/ui:1.2'],
  ['a repository is removed', 'r.example/web:1.2', { component: 'Repository', operator: 'remove' }, 'r.example/:1.2'],
  ['a tag is extended', 'r.example/web:1.2', { component: 'Tag', operator: 'add', value: '-rc' }, 'r.example/web:1.2-rc'],
  ['what is neither tag nor digest changes nothing', 'r.example/web:1.2', { component: 'Tag', operator: 'add', value: `sha256:${HEX}` }, 'r.example/web:1.2'],
  ['a tag becomes a digest', 'r.example/web:1.2', { component: 'Tag', operator: 'replace', value: `sha256:${HEX}` }, `r.example/web@sha256:${HEX}`],
  ['a digest becomes a tag', `r.example/web@sha256:${HEX}`, { component: 'Tag', operator: 'replace', value: 'v1' }, 'r.example/web:v1'],
  ['a tag is removed', 'r.example/web:1.2', { component: 'Tag', operator: 'remove' }, 'r.example/web'],
  ['a digest is removed where there is no tag', `web@sha256:${HEX}`, { component: 'Tag', operator: 'remove' }, 'web'],
  ['what only looks like a digest is set all the same', 'web:1', { component: 'Tag', operator: 'replace', value: `sha256:${SHORT}` }, `web@sha256:${SHORT}`],
  ['an empty text is no tag', 'web:1', { component: 'Tag', operator: 'replace', value: '' }, 'web:1'],
  ['a first part without a dot belongs to the repository, in capitals too', 'Team/web:1', { component: 'Registry', operator: 'add', value: 'r.example' }, 'r.example/Team/web:1'],
  ['a port makes a registry, in capitals too', 'REG:5000/web', { component: 'Registry', operator: 'replace', value: 'm.example' }, 'm.example/web'],
  ['a port without a path is a tag', 'web:5000', { component: 'Tag', operator: 'add', value: '-x' }, 'web:5000-x'],
  ['an address of version 6', '[::1]:5000/web:2', { component: 'Registry', operator: 'replace', value: 'm' }, 'm/web:2'],
  ['beside a tag a digest is lost', `web:1@sha256:${HEX}`, { component: 'Registry', operator: 'add', value: 'r.example' }, 'r.example/web:1'],
]; // prettier-ignore
for (const [sentence, image, overrider, expected] of images) {
  test(`image: ${sentence}`, () => {
    const parsed = parseImage(image);
    assert.ok(!('fault' in parsed));
    assert.equal(printImage(overrideImage(parsed, overrider)), expected);
  });
}

const LOWERCASE = 'repository name must be lowercase';
const FORMAT = 'invalid reference format';
for (const [image, fault] of [
  ['', 'repository name must have at least one component'],
  ['Web', LOWERCASE],
  ['team/Web:1', LOWERCASE],
  ['web:', FORMAT],
  ['web@sha256:short', FORMAT],
  ['a b', FORMAT],
  ['A b', FORMAT],
  ['r.example/', FORMAT],
  [':1', FORMAT],
  ['web:1:2/x', FORMAT],
  ['a__b___c', FORMAT],
  [`web@sha256:${SHORT}`, 'invalid checksum digest length'],
  [`web@sha256:${HEX.toUpperCase()}`, 'invalid checksum digest format'],
  [`web@md5:${SHORT}`, 'unsupported digest algorithm'],
  [`r.example/${'a'.repeat(256)}`, 'repository name must not be more than 255 characters'],
] as const) {
  test(`image: "${image}" is none: ${fault}`, () => assert.deepEqual(parseImage(image), { fault }));
}
