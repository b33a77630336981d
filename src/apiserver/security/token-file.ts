// A file of tokens, as kube-apiserver's --token-auth-file takes it: lines of `token,user,uid,"group1,group2"`.
import { OperatingError } from '../../base/index.ts';
import type { StaticToken } from './authentication.ts';

/** Throws OperatingError BAD_TOKEN_FILE that names the line. */
export function readTokenFile(text: string): readonly StaticToken[] {
  const tokens: StaticToken[] = [];
  text.split(/\r?\n/).forEach((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return;
    const refuse = (why: string): OperatingError =>
      new OperatingError(
        'BAD_TOKEN_FILE',
        `line ${index + 1} of the token file ${why}`,
        'write lines of token,user,uid,"group1,group2"; the groups may be left out',
      );
    const fields = fieldsOf(line);
    if (fields === undefined) throw refuse('has a quotation mark that is not closed');
    const [token = '', name = '', uid = '', groups = ''] = fields;
    if (fields.length < 3) throw refuse('has fewer than 3 columns');
    if (token === '') throw refuse('has no token');
    if (tokens.some((one) => one.token === token)) throw refuse('repeats a token');
    tokens.push({
      token,
      user: {
        name,
        ...(uid === '' ? {} : { uid }),
        groups: groups === '' ? [] : groups.split(',').map((group) => group.trim()),
      },
    });
  });
  return tokens;
}

/** The columns of a line of comma-separated values; undefined: it is none. */
function fieldsOf(line: string): readonly string[] | undefined {
  const fields: string[] = [];
  let rest = line;
  for (;;) {
    const match = /^\s*(?:"((?:[^"]|"")*)"|([^",]*))\s*(,|$)/.exec(rest);
    if (match === null) return undefined;
    fields.push(match[1] === undefined ? (match[2] ?? '').trim() : match[1].replaceAll('""', '"'));
    if (match[3] === '') return fields;
    rest = rest.slice(match[0].length);
  }
}
