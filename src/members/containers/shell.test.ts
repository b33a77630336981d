import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Shell, parse, type ContainerWorld } from './shell.ts';

const world: ContainerWorld = {
  hostname: 'web-0',
  env: new Map([
    ['PATH', '/bin'],
    ['NAME', 'a b'],
  ]),
  files: new Map([
    ['/etc/config/key', 'value\n'],
    ['/etc/hostname', 'web-0\n'],
  ]),
  directories: ['/data'],
  workingDirectory: '/',
  user: 0,
  nowMs: () => 0,
};

async function run(argv: readonly string[], input = ''): Promise<string> {
  let text = '';
  const code = await new Shell(world).run(argv, {
    stdin: (async function* () {
      yield Buffer.from(input);
    })(),
    out: async (said) => void (text += said),
    err: async (said) => void (text += `!${said}`),
    sleep: async (ms) => void (text += `zzz ${ms}\n`),
  });
  return `${text}=${code}`;
}

for (const [argv, expected] of [
  [['echo', 'a', 'b'], 'a b\n=0'],
  [['/bin/echo', '-n', 'a'], 'a=0'],
  [['hostname'], 'web-0\n=0'],
  [['cat', '/etc/config/key'], 'value\n=0'],
  [['cat', '/etc/../etc/config/key', '/none'], 'value\n!cat: /none: No such file or directory\n=1'],
  [['cat', '/etc'], '!cat: /etc: Is a directory\n=1'],
  [['ls', '/'], 'data\netc\n=0'],
  [['ls', '/data'], '=0'],
  [['ls', '/none'], '!ls: /none: No such file or directory\n=1'],
  [['printenv', 'NAME'], 'a b\n=0'],
  [['env'], 'PATH=/bin\nNAME=a b\nPWD=/\n=0'],
  [['false'], '=1'],
  [['sh', '-c', 'echo "$NAME" \'$NAME\' ${NONE}x; exit 3; echo not'], 'a b $NAME x\n=3'],
  [['sh', '-c', 'false && echo no || echo yes; echo $?'], 'yes\n0\n=0'],
  [['sh', '-c', 'X=1; echo $X # remark'], '1\n=0'],
  [['sh', '-c', 'cd /etc/config && pwd && cat key'], '/etc/config\nvalue\n=0'],
  [['sh', '-c', 'sleep 2; echo done'], 'zzz 2000\ndone\n=0'],
  [['sh', '-c', 'echo a | cat'], '!sh: this container is simulated, and its shell has no pipes\n=2'],
  [
    ['sh', '-c', 'echo $(date)'],
    '!sh: this container is simulated, and its shell has no command substitution\n=2',
  ],
  [['sh', '-c', ''], '=0'],
] as const) {
  test(`${argv.join(' ')}`, async () => assert.equal(await run(argv), expected));
}

test('an unknown command is not found, and the container says that it is simulated', async () => {
  assert.match(await run(['nginx', '-t']), /^!nginx: this container is simulated; it knows only: .*\n=127$/);
});

test('a shell reads lines, as a terminal or a file sends them, until its end or exit', async () => {
  assert.equal(await run(['sh'], 'echo a\recho b\nexit 4\necho c\n'), 'a\nb\n=4');
  assert.equal(await run(['sh'], 'echo a'), 'a\n=0');
  assert.equal(await run(['sh'], 'false\u0004'), '=0');
  assert.equal(await run(['cat'], 'as it came'), 'as it came=0');
});

test('an empty line has no steps, and quotes that stay open are refused', () => {
  assert.deepEqual(parse('  '), []);
  assert.equal(typeof parse('echo "a'), 'string');
  assert.equal(parse('for i in a; do echo; done'), 'for statements');
});
