// Programs written for the test, which do what helm does as far as it can go wrong here.
import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { systemClock } from '../../base/index.ts';
import { findHelm, type LocalHelm } from './program.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'navarch-test-'));
});
after(() => rm(folder, { recursive: true }));

/** A program of this name, in a folder of its own; `body` runs when it is not asked for its version. */
async function program(name: string, body: string, version = 'v4.1.4'): Promise<string> {
  const place = await mkdtemp(path.join(folder, `${name}-`));
  const file = path.join(place, 'helm');
  const text = `#!${process.execPath}
const fs = require('node:fs');
if (process.argv[2] === 'version') { process.stdout.write(${JSON.stringify(version)}); process.exit(0); }
${body}
`;
  await writeFile(file, text);
  await chmod(file, 0o755);
  return file;
}

async function found(file: string): Promise<LocalHelm> {
  const helm = await findHelm({ file, searchPath: '', clock: systemClock });
  if ('missing' in helm) throw new Error(helm.missing);
  return helm;
}

const run = { args: ['template', 'a'], chart: Buffer.from('the chart'), input: '{"a":1}' };

test('it gets chart, values and arguments, and nothing of what is around', async () => {
  process.env['SECRET_OF_OURS'] = 'x';
  const file = await program(
    'tells',
    `process.stdout.write(JSON.stringify({
      args: process.argv.slice(2), env: process.env, cwd: process.cwd(),
      chart: fs.readFileSync('chart.tgz', 'utf8'), input: fs.readFileSync(0, 'utf8'),
      mode: (fs.statSync('.').mode & 0o777).toString(8) }))`,
  );
  const told = JSON.parse(await (await found(file)).run(run)) as {
    readonly env: Readonly<Record<string, string>>;
    readonly cwd: string;
  };
  delete process.env['SECRET_OF_OURS'];
  const { env, cwd, ...rest } = told;
  assert.deepEqual(rest, { args: run.args, chart: 'the chart', input: run.input, mode: '700' });
  assert.deepEqual(
    Object.keys(env).filter((name) => !/^(HELM_|HOME$|TMPDIR$|KUBECONFIG$)/.test(name)),
    [],
  );
  for (const name of ['HOME', 'TMPDIR', 'KUBECONFIG', 'HELM_PLUGINS', 'HELM_CONFIG_HOME'])
    assert.ok(env[name]?.startsWith(cwd), name);
  await assert.rejects(() => readdir(cwd), /ENOENT/, 'its folder goes with it');
});

test('what it complains of is told, without what it says beside', async () => {
  const file = await program(
    'complains',
    `process.stderr.write('WARNING: something\\nError: values do not meet the schema:\\n- replicas: too many\\n\\nUse --debug flag to render out invalid YAML\\n'); process.exit(1)`,
  );
  await assert.rejects(
    async () => (await found(file)).run(run),
    /^Error: helm says: values do not meet the schema: - replicas: too many$/,
  );
});

test('one that prints without end is stopped', async () => {
  const file = await program(
    'floods',
    `const b = Buffer.alloc(1 << 20); const w = () => process.stdout.write(b, w); w();`,
  );
  await assert.rejects(async () => (await found(file)).run(run), /prints more than 33554432 bytes/);
});

test('one that never ends is stopped, in time or when it is not wanted any more', async () => {
  const file = await program('hangs', 'setInterval(() => undefined, 1000)');
  const { file: _, ...helm } = await found(file);
  const stop = new AbortController();
  const running = helm.run({ ...run, signal: stop.signal });
  stop.abort();
  await assert.rejects(() => running, /helm was stopped/);
  let out = (): void => undefined;
  const clock = {
    ...systemClock,
    now: () => systemClock.now(),
    after: (_ms: number, then: () => void) => {
      out = then;
      return () => undefined;
    },
  };
  const timed = await findHelm({ file, searchPath: '', clock });
  assert.ok('run' in timed);
  const late = timed.run(run);
  late.catch(() => undefined);
  // It has begun when its time is being measured.
  const before = out;
  while (out === before) await new Promise((resolve) => setImmediate(resolve));
  out();
  await assert.rejects(() => late, /did not end within 60 s/);
});

test('it is found in the PATH, but never in the working directory', async () => {
  const file = await program('path', '');
  const search = (searchPath: string) => findHelm({ searchPath, clock: systemClock });
  const there = await search(['', '.', '/nowhere', path.dirname(file)].join(path.delimiter));
  assert.ok('file' in there);
  assert.equal(there.file, file);
  const near = path.relative(process.cwd(), path.dirname(file));
  assert.deepEqual(await search(['', '.', near].join(path.delimiter)), {
    missing: 'there is no helm program in the PATH',
  });
});

for (const [what, version, why] of [
  ['helm 2', 'v2.17.0', /says that it is version "v2\.17\.0", and only helm 3 and 4 will do/],
  ['something else', 'I steer ships', /says that it is version "I steer ships"/],
] as const)
  test(`${what} is not taken`, async () => {
    const helm = await findHelm({
      file: await program('other', '', version),
      searchPath: '',
      clock: systemClock,
    });
    assert.match('missing' in helm ? helm.missing : 'found', why);
  });

test('one that is not there is told', async () => {
  const helm = await findHelm({ file: path.join(folder, 'none'), searchPath: '', clock: systemClock });
  assert.match('missing' in helm ? helm.missing : 'found', /none cannot be run: .*ENOENT/);
});
