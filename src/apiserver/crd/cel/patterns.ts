// Regular expressions in CEL, by RE2: rules come from whoever may write definitions, and must not hang the server.
import type { ASTNode, Environment } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';
import { compilePattern } from '../../../machinery/index.ts';

/** What `matches` is called inside: the language's own runs on an engine that backtracks. */
const MATCHES = 'matchesRe2';

function find(text: string, pattern: string): string {
  const matcher = RE2JS.compile(pattern).matcher(text);
  return matcher.find() ? (matcher.group() ?? '') : '';
}

function findAll(text: string, pattern: string, limit: number): readonly string[] {
  const matcher = RE2JS.compile(pattern).matcher(text);
  const found: string[] = [];
  while ((limit < 0 || found.length < limit) && matcher.find()) found.push(matcher.group() ?? '');
  return found;
}

export function registerPatterns(env: Environment): void {
  env
    .registerFunction(`string.${MATCHES}(string): bool`, (text: string, pattern: string) =>
      compilePattern(pattern).test(text),
    )
    .registerFunction('string.find(string): string', find)
    .registerFunction('string.findAll(string): list<string>', (text: string, pattern: string) =>
      findAll(text, pattern, -1),
    )
    .registerFunction(
      'string.findAll(string, int): list<string>',
      (text: string, pattern: string, limit: bigint) => findAll(text, pattern, Number(limit)),
    );
}

/** Everything that can be below a node. */
export function partsOf(node: ASTNode): readonly ASTNode[] {
  const found: ASTNode[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (typeof value === 'object' && value !== null) {
      if ('op' in value && 'args' in value) found.push(value as ASTNode);
      else Object.values(value).forEach(visit);
    }
  };
  visit(node.args);
  return found;
}

/** Has a parsed expression use RE2 where it says `matches`; call before checking or running it. */
export function useLinearMatching(root: ASTNode): void {
  const open: ASTNode[] = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.op === 'rcall' && node.args[0] === 'matches') node.args[0] = MATCHES;
    open.push(...partsOf(node));
  }
}
