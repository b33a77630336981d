// The file of `navarch simulate --scenario`: what happens to today's fleet.
import { s } from '../../api/index.ts';
import { OperatingError } from '../../base/index.ts';
import { parseYaml } from '../../client/index.ts';
import { checkDocument, timelineSchema, type Step } from '../step.ts';

const rehearsalSchema = s.object('What happens to a copy of the fleet.', {
  required: { timeline: timelineSchema },
  optional: { about: s.string('What is asked, in a sentence.') },
});

/** Throws OperatingError BAD_SCENARIO. */
export function parseRehearsal(
  text: string,
  file: string,
): { readonly about?: string; readonly timeline: readonly Step[] } {
  let value: unknown;
  try {
    value = parseYaml(text) ?? {};
  } catch (error) {
    throw new OperatingError('BAD_SCENARIO', `${file} is no YAML: ${String(error)}`, 'correct the file', {
      cause: error,
    });
  }
  checkDocument(value, rehearsalSchema, file);
  return value as { readonly about?: string; readonly timeline: readonly Step[] };
}
