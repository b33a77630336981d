// `TYPE[,TYPE...] [NAME...]` and `TYPE/NAME...`: which objects a command is about, with kubectl's words for what makes no
// sense.
import type { ApiResource, RestMapper } from '../../client/index.ts';
import { CommandError, programName } from '../shell/index.ts';

export interface Wanted {
  readonly resource: ApiResource;
  /** Undefined: all of them, or those that a selector means. */
  readonly name: string | undefined;
}

export interface ArgumentRules {
  readonly allNamespaces?: boolean;
  /** Whether a label or field selector, or --all, is given. */
  readonly selected?: boolean;
  /** Whether a type without names means all of that type, even without a selector. */
  readonly typeAlone?: boolean;
}

/** What the operands name, in their order. Throws CommandError. */
export async function resolveArguments(
  mapper: RestMapper,
  operands: readonly string[],
  rules: ArgumentRules = {},
): Promise<readonly Wanted[]> {
  const slashed = operands.filter((one) => one.includes('/'));
  if (slashed.length > 0) {
    if (slashed.length < operands.length)
      throw new CommandError(
        `there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. '${programName()} get resource/<resource_name>' instead of '${programName()} get resource resource/<resource_name>'`,
      );
    if (rules.selected === true)
      throw new CommandError(
        'selectors and the all flag cannot be used when passing resource/name arguments',
      );
    refuseAllNamespaces(rules);
    return Promise.all(operands.map((one) => resolvePair(mapper, one)));
  }
  const [types = '', ...names] = operands;
  if (types === '') return [];
  const resources = await resolveTypes(mapper, types);
  if (names.length === 0) {
    if (rules.selected !== true && rules.typeAlone !== true)
      throw new CommandError('resource(s) were provided, but no name was specified');
    return resources.map((resource) => ({ resource, name: undefined }));
  }
  if (rules.selected === true) throw new CommandError('name cannot be provided when a selector is specified');
  refuseAllNamespaces(rules);
  return resources.flatMap((resource) => names.map((name) => ({ resource, name })));
}

function refuseAllNamespaces({ allNamespaces }: ArgumentRules): void {
  if (allNamespaces === true)
    throw new CommandError('a resource cannot be retrieved by name across all namespaces');
}

async function resolvePair(mapper: RestMapper, pair: string): Promise<Wanted> {
  const parts = pair.split('/');
  const [type = '', name = ''] = parts;
  if (parts.length !== 2 || type === '' || name === '')
    throw new CommandError(`arguments in resource/name form must have a single resource and name`);
  return { resource: await resolveType(mapper, type), name };
}

/** One type by its plural, singular, short name or kind, with or without version and group. */
export async function resolveType(mapper: RestMapper, text: string): Promise<ApiResource> {
  const found = await mapper.resourceByText(text);
  if (found === undefined) throw new CommandError(`the server doesn't have a resource type "${text}"`);
  return found;
}

/** `pods,svc`, or a category such as `all`; each resource once. */
export async function resolveTypes(mapper: RestMapper, text: string): Promise<readonly ApiResource[]> {
  const found: ApiResource[] = [];
  for (const part of text.split(',')) {
    const members = part.includes('.') ? [] : await ofCategory(mapper, part);
    for (const one of members.length > 0 ? members : [await resolveType(mapper, part)])
      if (!found.some((other) => sameResource(one, other))) found.push(one);
  }
  return found;
}

async function ofCategory(mapper: RestMapper, category: string): Promise<readonly ApiResource[]> {
  return (await mapper.resources()).filter(
    (one) => one.preferred && one.categories.includes(category) && one.verbs.includes('list'),
  );
}

export function sameResource(a: ApiResource, b: ApiResource): boolean {
  return a.group === b.group && a.version === b.version && a.resource === b.resource;
}

/** `deployment.apps`, `pod`: what kubectl puts in front of names. */
export function kindWithGroup({ group, kind }: { readonly group: string; readonly kind: string }): string {
  return group === '' ? kind.toLowerCase() : `${kind.toLowerCase()}.${group}`;
}
