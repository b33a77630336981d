// Answers as YAML, for people who ask with `Accept: application/yaml`.
import { dump } from 'js-yaml';

/** Keys sorted, and every string that some YAML dialect would read as something else is quoted. */
export function encodeYaml(value: unknown): string {
  return dump(value, { sortKeys: true, noRefs: true, lineWidth: -1 });
}
