// What shells offer while a package command is being written.
import { kinds } from '../../client/index.ts';
import { openSession } from '../objects/index.ts';
import type { CompletionRequest } from '../shell/index.ts';
import { withCatalogue } from './catalogue.ts';
import { allInstalled } from './installed.ts';
import { packageRepositories, type Place } from './place.ts';

type Complete = (request: CompletionRequest) => Promise<readonly string[]>;

function asking(ask: (place: Place, request: CompletionRequest) => Promise<readonly string[]>): Complete {
  return async (request) => {
    const { flags, flag } = request;
    const text = (name: string): string | undefined => flags.get(name);
    const kubeconfig = text('kubeconfig');
    const karmadaContext = text('karmada-context');
    const namespace = text('namespace');
    const session = await openSession({
      ...(kubeconfig === undefined ? {} : { kubeconfig }),
      ...(karmadaContext === undefined ? {} : { karmadaContext }),
      ...(namespace === undefined ? {} : { namespace }),
    });
    try {
      const cluster = text('cluster');
      const there = cluster === undefined || flag === 'cluster' ? session : session.member(cluster);
      const place: Place = { session: there, client: there.client, onHub: false };
      const named = flag === undefined ? undefined : await flagValues(place, flag);
      return named ?? (await ask(place, request));
    } finally {
      await session.close();
    }
  };
}

async function flagValues({ client }: Place, flag: string): Promise<readonly string[]> {
  const names = (items: readonly { readonly metadata: { readonly name?: string } }[]): readonly string[] =>
    items.map(({ metadata }) => metadata.name ?? '');
  if (flag === 'namespace') return names((await client.listAll(kinds.namespaces)).items);
  if (flag === 'cluster' || flag === 'clusters') return names((await client.listAll(kinds.clusters)).items);
  if (flag === 'repository') return names((await client.listAll(packageRepositories)).items);
  return [];
}

/** Packages that can be installed. */
export const completeOffered: Complete = asking((place, { operands }) =>
  operands.length > 0
    ? Promise.resolve([])
    : withCatalogue(place, async (catalogue) =>
        (await catalogue.index()).packages.map(({ entry }) => entry.name),
      ),
);

function installedNames(several: boolean): Complete {
  return asking(async (place, { operands }) => {
    if (operands.length > 0 && !several) return [];
    const all = await allInstalled(place, place.session.namespace);
    return all.map(({ metadata }) => metadata.name ?? '').filter((name) => !operands.includes(name));
  });
}

/** Packages that are installed; of these one, or several. */
export const completeInstalled: Complete = installedNames(false);
export const completeAllInstalled: Complete = installedNames(true);

export const completeRepositories: Complete = asking(async ({ client }, { operands }) =>
  operands.length > 0
    ? []
    : (await client.listAll(packageRepositories)).items.map(({ metadata }) => metadata.name ?? ''),
);
