// What stands between the words of a command line and commander: the rules of pflag, which kubectl and karmadactl read
// their flags by, and which users' scripts rely on. Every flag leaves here as `--name=value` or `--name`, so that
// commander never decides what belongs to which flag:
// - a flag whose value may be left out never takes the next word (`--dry-run foo`);
// - `-oyaml`, `-o=yaml`, `-it`, `--flag=false` and `--long_name` mean what they mean there;
// - what follows `--` stays together where a command wants it so (`exec POD -- sh -c ...`).
import type { Command, Option } from 'commander';
import { UsageError } from './failure.ts';

/** The attribute that takes the words behind `--`, as JSON; see `takesCommandLine`. */
export const COMMAND_LINE = 'command-line';

// COMPAT: logging flags of Kubernetes programs, accepted everywhere; we have one log, at the server.
const KLOG_FLAGS: ReadonlyMap<string, boolean> = new Map([
  ['v', true],
  ['vmodule', true],
  ['log-dir', true],
  ['log-file', true],
  ['log-file-max-size', true],
  ['log-flush-frequency', true],
  ['log-backtrace-at', true],
  ['stderrthreshold', true],
  ['logtostderr', false],
  ['alsologtostderr', false],
  ['one-output', false],
  ['skip-headers', false],
  ['skip-log-headers', false],
  ['add-dir-header', false],
]);

export interface Words {
  /** For commander. */
  readonly words: readonly string[];
  /** The command they lead to. */
  readonly command: Command;
  readonly warnings: readonly string[];
}

/** Throws UsageError, in pflag's words, for flags that the command does not have or that lack a value. */
export function readWords(root: Command, given: readonly string[]): Words {
  return new WordReader(root, given).read();
}

/** The command that the words lead to, and where its names stand among them: flags may come before, as cobra lets them. */
function findCommand(
  root: Command,
  given: readonly string[],
): { readonly command: Command; readonly names: ReadonlySet<number> } {
  let command = root;
  const names = new Set<number>();
  for (let index = 0; index < given.length; index++) {
    const word = given[index] ?? '';
    if (word === '--' || command.commands.length === 0) break;
    if (word.startsWith('-') && word !== '-') {
      if (takesNextWord(command, word)) index++;
      continue;
    }
    const sub = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (sub === undefined) break;
    command = sub;
    names.add(index);
  }
  return { command, names };
}

/** Whether a flag before the name of its command has its value in the next word: known by the commands that have it. */
function takesNextWord(above: Command, word: string): boolean {
  if (word.includes('=')) return false;
  const letter = word.at(-1) ?? '';
  const long = word.startsWith('--') ? word.replaceAll('_', '-') : undefined;
  const has = ({ options, commands }: Command): Option | undefined =>
    options.find((one) => (long === undefined ? one.short === `-${letter}` : one.long === long)) ??
    commands.map(has).find((one) => one !== undefined);
  const option = has(above);
  if (option !== undefined) return option.required;
  return KLOG_FLAGS.get(long?.slice(2) ?? letter) === true;
}

class WordReader {
  private readonly command: Command;
  private readonly names: ReadonlySet<number>;
  private readonly given: readonly string[];
  private readonly out: string[];
  private readonly warnings: string[] = [];
  private index = 0;

  constructor(root: Command, given: readonly string[]) {
    const { command, names } = findCommand(root, given);
    this.command = command;
    this.names = names;
    this.given = given;
    this.out = [...names].map((index) => given[index] ?? '');
  }

  read(): Words {
    while (this.index < this.given.length) {
      const word = this.given[this.index++] ?? '';
      if (this.names.has(this.index - 1)) continue;
      if (word === '--') {
        this.afterDashes(this.given.slice(this.index));
        break;
      }
      if (word.startsWith('--')) this.long(word.slice(2));
      else if (word.startsWith('-') && word !== '-') this.shorts(word);
      else this.out.push(word);
    }
    return { words: this.out, command: this.command, warnings: this.warnings };
  }

  private afterDashes(rest: readonly string[]): void {
    if (this.find(({ long }) => long === `--${COMMAND_LINE}`) !== undefined)
      this.out.push(`--${COMMAND_LINE}=${JSON.stringify(rest)}`);
    else this.out.push('--', ...rest);
  }

  private long(text: string): void {
    const equals = text.indexOf('=');
    const written = equals < 0 ? text : text.slice(0, equals);
    const value = equals < 0 ? undefined : text.slice(equals + 1);
    const name = written.replaceAll('_', '-');
    if (name === '' || written.startsWith('-')) throw this.complaint(`bad flag syntax: --${text}`);
    if (name !== written)
      this.warnings.push(
        `${written} is DEPRECATED and will be removed in a future version. Use ${name} instead.`,
      );
    if (name === 'help') {
      this.out.push('--help');
      return;
    }
    const option = this.find(({ long }) => long === `--${name}`);
    if (option !== undefined) {
      this.flag(option, value, `--${name}`);
      return;
    }
    const takesValue = KLOG_FLAGS.get(name);
    if (takesValue === undefined) throw this.unknownFlag(name);
    if (takesValue && value === undefined) this.next(`--${name}`);
  }

  private shorts(word: string): void {
    const letters = word.slice(1);
    for (let at = 0; at < letters.length; at++) {
      const letter = letters[at] ?? '';
      const rest = letters.slice(at + 1);
      if (letter === 'h' && this.find(({ short }) => short === '-h') === undefined) {
        this.out.push('--help');
        continue;
      }
      const option = this.find(({ short }) => short === `-${letter}`);
      if (option === undefined) {
        if (letter === 'v') {
          if (rest === '') this.next(`'v' in ${word}`);
          return;
        }
        throw this.complaint(`unknown shorthand flag: '${letter}' in ${word}`);
      }
      // What stands behind the letter belongs to it only when it takes a value, or has `=` in between.
      const attached = rest.startsWith('=')
        ? rest.slice(1)
        : option.required && rest !== ''
          ? rest
          : undefined;
      this.flag(option, attached, `-${letter}`, word);
      if (attached !== undefined) return;
    }
  }

  private flag(option: Option, value: string | undefined, flag: string, inWord?: string): void {
    const name = option.long ?? option.short ?? flag;
    if (option.required) {
      const asked = inWord === undefined ? flag : `'${flag.slice(1)}' in ${inWord}`;
      this.out.push(`${name}=${value ?? this.next(asked)}`);
      return;
    }
    if (option.optional) {
      const preset = typeof option.presetArg === 'string' ? option.presetArg : 'true';
      this.out.push(`${name}=${value ?? preset}`);
      return;
    }
    if (value === undefined || readBoolean(value) === true) {
      this.out.push(name);
      return;
    }
    if (readBoolean(value) === undefined) {
      const shown = option.short === undefined ? name : `${option.short}, ${name}`;
      throw this.complaint(
        `invalid argument "${value}" for "${shown}" flag: strconv.ParseBool: parsing "${value}": invalid syntax`,
      );
    }
    // The last one counts.
    for (let at = this.out.indexOf(name); at >= 0; at = this.out.indexOf(name)) this.out.splice(at, 1);
  }

  private next(asked: string): string {
    if (this.index >= this.given.length) throw this.complaint(`flag needs an argument: ${asked}`);
    return this.given[this.index++] ?? '';
  }

  private find(wanted: (option: Option) => boolean): Option | undefined {
    return this.command.options.find(wanted);
  }

  private complaint(message: string, hint?: string): UsageError {
    return new UsageError(message, this.command, hint);
  }

  private unknownFlag(name: string): UsageError {
    const known = this.command.options
      .filter(({ hidden }) => !hidden)
      .flatMap(({ long }) => long?.slice(2) ?? []);
    const [near] = nearest(name, known);
    const hint = near === undefined ? undefined : `Did you mean --${near}?`;
    return this.complaint(`unknown flag: --${name}`, hint);
  }
}

/** As Go's strconv.ParseBool; undefined when it is neither. */
export function readBoolean(text: string): boolean | undefined {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  return /^(0|f|F|FALSE|false|False)$/.test(text) ? false : undefined;
}

/** The words that look most like a misspelt one, nearest first: up to two letters off, or beginning with it. */
export function nearest(word: string, known: readonly string[]): readonly string[] {
  const lower = word.toLowerCase();
  return known
    .map((one) => ({ one, away: distance(lower, one.toLowerCase()) }))
    .filter(
      ({ one, away }) =>
        away <= Math.min(2, Math.max(1, lower.length - 1)) || one.toLowerCase().startsWith(lower),
    )
    .sort((a, b) => a.away - b.away || (a.one < b.one ? -1 : 1))
    .map(({ one }) => one);
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
