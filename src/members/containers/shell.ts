// What a simulated container can do when it is asked to run something: a few commands over its environment and the
// files that are mounted into it. It never pretends: what it cannot do it says, with the code of a command that was
// not found.
export interface ContainerWorld {
  readonly hostname: string;
  readonly env: ReadonlyMap<string, string>;
  /** Texts by absolute path. */
  readonly files: ReadonlyMap<string, string>;
  /** Absolute paths of directories that are there even when empty. */
  readonly directories: readonly string[];
  readonly workingDirectory: string;
  readonly user: number;
  nowMs(): number;
}

export interface ShellStreams {
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly out: (text: string) => Promise<void>;
  readonly err: (text: string) => Promise<void>;
  /** Rejects when nobody waits any longer. */
  readonly sleep: (ms: number) => Promise<void>;
}

const NOT_FOUND = 127;
const MISUSED = 2;
// LIMIT: of one line typed into a shell.
const LINE_MAX_LENGTH = 64 * 1024;

type Command = (shell: Shell, args: readonly string[], streams: ShellStreams) => Promise<number>;

interface Step {
  /** What must be true of the step before. */
  readonly when: 'always' | 'succeeded' | 'failed';
  readonly words: readonly Word[];
}

/** Texts and the names of variables; those are looked up when the step before has run. */
type Word = readonly (string | { readonly variable: string })[];

export class Shell {
  readonly world: ContainerWorld;
  directory: string;
  /** Of the last command. */
  code = 0;
  exited = false;
  readonly #own = new Map<string, string>();

  constructor(world: ContainerWorld) {
    this.world = world;
    this.directory = world.workingDirectory;
  }

  variable(name: string): string {
    if (name === '?') return String(this.code);
    if (name === 'PWD') return this.directory;
    return this.#own.get(name) ?? this.world.env.get(name) ?? '';
  }

  environment(): ReadonlyMap<string, string> {
    return new Map([...this.world.env, ...this.#own, ['PWD', this.directory]]);
  }

  absolute(path: string): string {
    const parts: string[] = [];
    for (const part of (path.startsWith('/') ? path : `${this.directory}/${path}`).split('/')) {
      if (part === '..') parts.pop();
      else if (part !== '' && part !== '.') parts.push(part);
    }
    return `/${parts.join('/')}`;
  }

  isDirectory(path: string): boolean {
    const below = path === '/' ? '/' : `${path}/`;
    const known = [...this.world.directories, ...this.world.files.keys()];
    return (
      path === '/' || known.some((one) => (one === path ? !this.world.files.has(one) : one.startsWith(below)))
    );
  }

  /** The names in a directory. */
  entries(path: string): readonly string[] {
    const below = path === '/' ? '/' : `${path}/`;
    const names = [...this.world.directories, ...this.world.files.keys()]
      .filter((one) => one.startsWith(below) && one !== below)
      .map((one) => one.slice(below.length).split('/')[0] ?? '');
    return [...new Set(names)].sort();
  }

  /** Whether `run` knows the command, by name or path. */
  static knows(name: string): boolean {
    return Object.hasOwn(COMMANDS, baseName(name));
  }

  async run(argv: readonly string[], streams: ShellStreams): Promise<number> {
    const [name = '', ...args] = argv;
    if (!Shell.knows(name)) {
      const known = Object.keys(COMMANDS).sort().join(', ');
      await streams.err(`${name}: this container is simulated; it knows only: ${known}\n`);
      return NOT_FOUND;
    }
    return COMMANDS[baseName(name)]!(this, args, streams);
  }

  /** Runs the commands of a text one after the other. Returns the code of the last. */
  async script(text: string, streams: ShellStreams): Promise<number> {
    for (const line of text.split('\n')) {
      const steps = parse(line);
      if (typeof steps === 'string') {
        await streams.err(`sh: this container is simulated, and its shell has no ${steps}\n`);
        return (this.code = MISUSED);
      }
      for (const { when, words } of steps) {
        if (when === 'succeeded' && this.code !== 0) continue;
        if (when === 'failed' && this.code === 0) continue;
        this.code = await this.#step(
          words.map((word) => this.#expand(word)),
          streams,
        );
        if (this.exited) return this.code;
      }
    }
    return this.code;
  }

  #expand(word: Word): string {
    return word.map((part) => (typeof part === 'string' ? part : this.variable(part.variable))).join('');
  }

  async #step(words: readonly string[], streams: ShellStreams): Promise<number> {
    const assigned = words.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word));
    if (assigned < 0) {
      for (const word of words) this.assign(word);
      return 0;
    }
    return this.run(words.slice(assigned), streams);
  }

  assign(word: string): void {
    const at = word.indexOf('=');
    this.#own.set(word.slice(0, at), word.slice(at + 1));
  }
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The steps of a line, or the name of what this shell does not have. */
export function parse(line: string): readonly Step[] | string {
  const steps: Step[] = [];
  let when: Step['when'] = 'always';
  let words: Word[] = [];
  let word: (string | { readonly variable: string })[] | undefined;
  let quote = '';
  const add = (part: string | { readonly variable: string }): void => {
    word = [...(word ?? []), part];
  };
  const endStep = (next: Step['when']): void => {
    if (word !== undefined) words.push(word);
    word = undefined;
    if (words.length > 0) steps.push({ when, words });
    words = [];
    when = next;
  };
  for (let i = 0; i < line.length; i++) {
    const character = line[i]!;
    const rest = line.slice(i);
    if (quote !== "'" && character === '$') {
      if (rest.startsWith('$(')) return 'command substitution';
      const [whole = '$', plain, braced] = /^\$(?:(\w+|\?)|\{(\w+|\?)\})/.exec(rest) ?? [];
      const variable = plain ?? braced;
      add(variable === undefined ? '$' : { variable });
      i += whole.length - 1;
    } else if (quote !== '') {
      if (character === quote) quote = '';
      else add(quote === '"' && character === '\\' ? (line[++i] ?? '') : character);
    } else if (character === "'" || character === '"') {
      quote = character;
      add('');
    } else if (character === '\\') add(line[++i] ?? '');
    else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === '#' && word === undefined) break;
    else if (character === ';') endStep('always');
    else if (rest.startsWith('&&') || rest.startsWith('||')) {
      endStep(rest.startsWith('&&') ? 'succeeded' : 'failed');
      i++;
    } else {
      const missing = MISSING[character];
      if (missing !== undefined) return missing;
      add(character);
    }
  }
  if (quote !== '') return 'quotes that go over several lines';
  endStep('always');
  for (const {
    words: [first = []],
  } of steps) {
    const name = first.map((part) => (typeof part === 'string' ? part : '')).join('');
    if (/^(if|for|while|until|case|\{|\()$/.test(name)) return `${name} statements`;
  }
  return steps;
}

const MISSING: Readonly<Record<string, string>> = {
  '|': 'pipes',
  '&': 'background jobs',
  '>': 'redirections',
  '<': 'redirections',
  '`': 'command substitution',
};

async function interactive(shell: Shell, streams: ShellStreams): Promise<number> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of streams.stdin) {
    // Terminals send carriage returns.
    rest += decoder.decode(chunk, { stream: true }).replaceAll('\r', '\n');
    if (rest.length > LINE_MAX_LENGTH) return MISUSED;
    for (let at = rest.indexOf('\n'); at >= 0; at = rest.indexOf('\n')) {
      const line = rest.slice(0, at);
      rest = rest.slice(at + 1);
      await shell.script(line, streams);
      if (shell.exited) return shell.code;
    }
    // End of transmission, as typed at a terminal.
    if (rest.includes('\u0004')) return shell.code;
  }
  return rest === '' ? shell.code : shell.script(rest, streams);
}

const sh: Command = async (shell, args, streams) => {
  const at = args.indexOf('-c');
  if (at < 0) return interactive(shell, streams);
  const inner = new Shell(shell.world);
  inner.directory = shell.directory;
  return inner.script(args[at + 1] ?? '', streams);
};

const cat: Command = async (shell, args, { stdin, out, err }) => {
  if (args.length === 0) {
    const decoder = new TextDecoder();
    for await (const chunk of stdin) await out(decoder.decode(chunk, { stream: true }));
    return 0;
  }
  let code = 0;
  for (const name of args) {
    const path = shell.absolute(name);
    const text = shell.world.files.get(path);
    if (text !== undefined) await out(text);
    else {
      code = 1;
      const why = shell.isDirectory(path) ? 'Is a directory' : 'No such file or directory';
      await err(`cat: ${name}: ${why}\n`);
    }
  }
  return code;
};

const ls: Command = async (shell, args, { out, err }) => {
  const named = args.filter((one) => !one.startsWith('-'));
  let code = 0;
  for (const name of named.length === 0 ? ['.'] : named) {
    const path = shell.absolute(name);
    if (shell.isDirectory(path))
      await out(
        shell
          .entries(path)
          .map((one) => `${one}\n`)
          .join(''),
      );
    else if (shell.world.files.has(path)) await out(`${name}\n`);
    else {
      code = 1;
      await err(`ls: ${name}: No such file or directory\n`);
    }
  }
  return code;
};

const printEnvironment: Command = async (shell, [name], { out }) => {
  const environment = shell.environment();
  if (name === undefined) {
    await out([...environment].map(([key, value]) => `${key}=${value}\n`).join(''));
    return 0;
  }
  const value = environment.get(name);
  if (value === undefined) return 1;
  await out(`${value}\n`);
  return 0;
};

const say =
  (text: (shell: Shell) => string): Command =>
  async (shell, _args, { out }) => {
    await out(`${text(shell)}\n`);
    return 0;
  };

const COMMANDS: Readonly<Record<string, Command>> = {
  bash: sh,
  cat,
  cd: async (shell, [name = '/'], { err }) => {
    const path = shell.absolute(name);
    if (shell.isDirectory(path)) {
      shell.directory = path;
      return 0;
    }
    await err(`sh: cd: can't cd to ${name}: No such file or directory\n`);
    return 1;
  },
  date: say((shell) => new Date(shell.world.nowMs()).toUTCString()),
  echo: async (_shell, args, { out }) => {
    const [first, ...rest] = args;
    await out(first === '-n' ? rest.join(' ') : `${args.join(' ')}\n`);
    return 0;
  },
  env: printEnvironment,
  exit: async (shell, [code]) => {
    shell.exited = true;
    return code === undefined ? shell.code : Number(code) & 0xff;
  },
  export: async (shell, args) => {
    for (const word of args) if (word.includes('=')) shell.assign(word);
    return 0;
  },
  false: async () => 1,
  hostname: say((shell) => shell.world.hostname),
  id: say(({ world: { user } }) => `uid=${user}${user === 0 ? '(root)' : ''} gid=${user}`),
  ls,
  printenv: printEnvironment,
  pwd: say((shell) => shell.directory),
  sh,
  sleep: async (_shell, [text = ''], { sleep, err }) => {
    if (text === 'infinity') return sleep(Number.MAX_SAFE_INTEGER).then(() => 0);
    const seconds = Number(text);
    if (text === '' || !(seconds >= 0)) {
      await err(`sleep: invalid number '${text}'\n`);
      return 1;
    }
    await sleep(seconds * 1000);
    return 0;
  },
  true: async () => 0,
  whoami: say(({ world: { user } }) => (user === 0 ? 'root' : String(user))),
};
