import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Command, Option } from 'commander';
import { listOption, onByDefault, upstreamCommand } from './command-shape.ts';
import { completionText } from './complete.ts';
import { CommandError, failureOf, SeveralErrors } from './failure.ts';
import { formatHelp } from './help.ts';
import { COMMAND_LINE, nearest, readWords } from './words.ts';

interface Seen {
  readonly operands: readonly string[];
  readonly flags: Readonly<Record<string, unknown>>;
}

function program(see: (seen: Seen) => void = () => undefined): Command {
  const get = upstreamCommand('get', {
    group: 'Basic',
    examples: '# All pods\n%s get pods',
    complete: ({ operands, word }) =>
      Promise.resolve(operands.length === 0 ? [`${word}ods`] : ['one', 'two']),
  })
    .description('display objects')
    .argument('[type]', 'kind')
    .argument('[names...]', 'names')
    .addOption(new Option('-o, --output <format>', 'how').choices(['json', 'yaml']))
    .option('-A, --all-namespaces', 'all of them')
    .option('-w, --watch', 'go on')
    .addOption(new Option('--dry-run [strategy]', 'only say so').preset('unchanged'))
    .addOption(listOption('-C, --clusters <names>', 'members'))
    .addOption(onByDefault('show-events', 'events'))
    .action((type: string | undefined, names: readonly string[], flags: Seen['flags']) =>
      see({ operands: [...(type === undefined ? [] : [type]), ...names], flags }),
    );
  const exec = new Command('exec')
    .argument('[pod]', 'pod')
    .option('-i, --stdin', 'pass it on')
    .option('-t, --tty', 'terminal')
    .addOption(new Option(`--${COMMAND_LINE} <json>`).hideHelp())
    .action((pod: string, flags: Seen['flags']) => see({ operands: [pod], flags }));
  const one = upstreamCommand('one')
    .option('-n, --namespace <name>', 'where')
    .action((flags: Seen['flags']) => see({ operands: [], flags }));
  const make = upstreamCommand('make')
    .option('-n, --namespace <name>', 'where')
    .option('--all', 'all of them')
    .enablePositionalOptions()
    .addCommand(one);
  return new Command('navarch').enablePositionalOptions().addCommand(get).addCommand(exec).addCommand(make);
}

function parse(...args: string[]): Seen {
  let seen: Seen | undefined;
  const root = program((one) => (seen = one));
  root.parse([...readWords(root, args).words], { from: 'user' });
  assert.ok(seen);
  return seen;
}

describe('flags are read as pflag reads them', () => {
  const cases: readonly [what: string, args: readonly string[], operands: readonly string[], flags: object][] = [
    ['nothing', ['get'], [], {}],
    ['a value that is attached to the letter', ['get', 'pods', '-oyaml'], ['pods'], { output: 'yaml' }],
    ['a value behind the letter and an equals sign', ['get', '-o=yaml', 'pods'], ['pods'], { output: 'yaml' }],
    ['a value as the next word', ['get', '-o', 'yaml', 'pods'], ['pods'], { output: 'yaml' }],
    ['several letters', ['get', '-Awoyaml'], [], { allNamespaces: true, watch: true, output: 'yaml' }],
    ['a flag whose value is left out does not take the next word', ['get', '--dry-run', 'pods'], ['pods'], { dryRun: 'unchanged' }],
    ['but takes one behind an equals sign', ['get', '--dry-run=server', 'pods'], ['pods'], { dryRun: 'server' }],
    ['a list with commas and given twice', ['get', '-C', 'a,b', '--clusters=c'], [], { clusters: ['a', 'b', 'c'] }],
    ['parts of a list in quotes keep commas', ['get', '-C', '"a,b",c'], [], { clusters: ['a,b', 'c'] }],
    ['a switch turned off', ['get', '-A', '--all-namespaces=false'], [], {}],
    ['a switch that is on, turned off', ['get', '--show-events=false'], [], { showEvents: false }],
    ['underscores', ['get', '--all_namespaces'], [], { allNamespaces: true }],
    ['flags of logging, which mean nothing here', ['get', '-v', '4', '--v=4', '--logtostderr', 'pods'], ['pods'], {}],
    ['flags behind operands', ['get', 'pods', 'a', '-A', 'b'], ['pods', 'a', 'b'], { allNamespaces: true }],
    ['what follows two dashes', ['get', '--', '-A'], ['-A'], {}],
    ['a dash alone', ['get', '-'], ['-'], {}],
    ['flags before the command', ['-A', '-o', 'yaml', '--clusters', 'a', 'get', 'pods'], ['pods'], { allNamespaces: true, output: 'yaml', clusters: ['a'] }],
    ['flags of logging before the command', ['-v', '4', 'get', 'pods'], ['pods'], {}],
  ]; // prettier-ignore
  for (const [what, args, operands, flags] of cases) {
    test(what, () => {
      const seen = parse(...args);
      assert.deepEqual(seen.operands, operands);
      assert.deepEqual(seen.flags, { clusters: [], showEvents: true, ...flags });
    });
  }

  test('a command line for somewhere else stays together, flags and all', () => {
    const seen = parse('exec', '-it', 'web', '--', 'sh', '-c', 'ls -A');
    assert.deepEqual(seen.operands, ['web']);
    assert.deepEqual(seen.flags, { stdin: true, tty: true, commandLine: '["sh","-c","ls -A"]' });
  });

  test('a flag between the names of a command is that of the last one', () => {
    assert.deepEqual(parse('make', '-n', 'shop', 'one').flags, { namespace: 'shop' });
    assert.deepEqual(parse('-n', 'shop', 'make', 'one').flags, { namespace: 'shop' });
  });

  const refusals: readonly [args: readonly string[], says: RegExp, code: number][] = [
    [
      ['get', '--outptu', 'yaml'],
      /unknown flag: --outptu\nDid you mean --output\?\nSee 'navarch get --help'/,
      1,
    ],
    [['get', '-z'], /unknown shorthand flag: 'z' in -z/, 1],
    [['get', '--output'], /flag needs an argument: --output/, 1],
    [['get', '-Ao'], /flag needs an argument: 'o' in -Ao/, 1],
    [['get', '--watch=perhaps'], /invalid argument "perhaps" for "-w, --watch" flag/, 1],
    [['exec', '--bogus'], /unknown flag: --bogus/, 2],
    [['--bogus', 'get', 'pods'], /unknown flag: --bogus/, 1],
    [['make', 'one', '--all'], /unknown flag: --all\nSee 'navarch make one --help'/, 1],
  ];
  for (const [args, says, code] of refusals) {
    test(`refused: ${args.join(' ')}`, () => {
      try {
        readWords(program(), args);
        assert.fail('it was not refused');
      } catch (error) {
        const failure = failureOf(error);
        assert.match(failure.text, says);
        assert.equal(failure.exitCode, code);
      }
    });
  }
});

test('what commander refuses is said as cobra does, with the code of the command', () => {
  const refused = (...args: string[]): ReturnType<typeof failureOf> => {
    const root = program();
    const { words, command } = readWords(root, args);
    for (const each of [root, ...root.commands, ...root.commands.flatMap(({ commands }) => commands)])
      each.exitOverride().configureOutput({ outputError: () => undefined });
    try {
      root.parse([...words], { from: 'user' });
    } catch (error) {
      return failureOf(error, command);
    }
    throw new Error('it was not refused');
  };
  assert.deepEqual(refused('make', 'one', 'surplus', 'more'), {
    text: `error: unknown command "surplus" for "navarch make one"\nSee 'navarch make one --help' for usage.\n`,
    exitCode: 1,
  });
  assert.deepEqual(refused('get', '-o', 'html'), {
    text: `error: option '-o, --output <format>' argument 'html' is invalid. Allowed choices are json, yaml\nSee 'navarch get --help' for usage.\n`,
    exitCode: 1,
  });
  assert.equal(refused('exec', 'pod', 'surplus').exitCode, 2);
});

test('the same failure of several objects is said once', () => {
  const one = new CommandError('nobody listens there');
  assert.deepEqual(
    failureOf(new SeveralErrors([one, one, new CommandError('another')])).text,
    'nobody listens there\nanother\n',
  );
});

test('misspelt words are recognised, others are not', () => {
  assert.deepEqual(nearest('gte', ['get', 'describe']), ['get']);
  assert.deepEqual(nearest('desc', ['get', 'describe']), ['describe']);
  assert.deepEqual(nearest('fly', ['get', 'describe']), []);
  assert.deepEqual(nearest('x', []), []);
});

test('help is laid out as kubectl lays it out', () => {
  const [get] = program().commands;
  const text = formatHelp(get!);
  assert.match(text, /^display objects\n\nExamples:\n {2}# All pods\n {2}navarch get pods\n\nOptions:\n/);
  assert.match(text, /\n {4}-A, --all-namespaces=false:\n\tAll of them\.\n/);
  assert.match(text, /\nUsage:\n {2}navarch get \[type\] \[names\.\.\.\] \[options\]\n/);
});

describe('completion', () => {
  const cases: readonly [words: readonly string[], answer: RegExp][] = [
    [[''], /^get\tdisplay objects\nexec\t\nmake\t\n.*:4\n$/s],
    [['g'], /^get\tdisplay objects\n:4\n$/],
    [['get', 'p'], /^pods\n:4\n$/],
    [['get', 'pods', 't'], /^two\n:4\n$/],
    [['get', 'pods', '--all'], /^--all-namespaces\tall of them\n:4\n$/],
    [['get', '-o', ''], /^json\nyaml\n:4\n$/],
    [['get', '--output=y'], /^--output=yaml\n:4\n$/],
    [['get', '--bogus', ''], /^:0\n$/],
    [['exec', 'web', '--', ''], /^:0\n$/],
    [['exec', ''], /^:0\n$/],
  ];
  for (const [words, answer] of cases)
    test(JSON.stringify(words), async () => assert.match(await completionText(program(), words), answer));
});
