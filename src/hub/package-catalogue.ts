// The catalogue of packages that comes with the program, as the default repository of a control plane that is tried out here.
import { access } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { DEFAULT_REPOSITORY_ANNOTATION, PACKAGES_API_VERSION, type PackageRepository } from '../api/index.ts';
import { sendRepositories } from '../cli/index.ts';
import { kinds, type Client } from '../client/index.ts';
import { OperatingError } from '../base/index.ts';
import { repositoryAddressProblem } from '../packaging/index.ts';

const NAME = 'navarch';
const MANAGER = 'navarch-up';

/**
 * The address of the catalogue: the one that is named, or the one beside the program where members are simulated, since only
 * they can read a folder of this machine. Undefined: none is wanted. Throws OperatingError BAD_FLAG.
 */
export async function catalogueUrl(named: string, simulated: boolean): Promise<string | undefined> {
  if (named === 'none' || (named === '' && !simulated)) return undefined;
  if (named !== '') {
    if (repositoryAddressProblem(named) === undefined) return named;
    const folder = path.resolve(named);
    if (await isThere(path.join(folder, 'index.yaml'))) return pathToFileURL(folder).href;
    throw new OperatingError(
      'BAD_FLAG',
      `--package-catalogue names neither an address nor a folder with index.yaml: "${named}"`,
      'name another one, or "none"',
    );
  }
  // Beside dist/ where the program is installed, two above where it runs from source.
  for (const up of ['..', '../..']) {
    const folder = path.resolve(import.meta.dirname, up, 'catalogue');
    if (await isThere(path.join(folder, 'index.yaml'))) return pathToFileURL(folder).href;
  }
  return undefined;
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** Makes it a repository of the control plane, and has all repositories sent to members. Changes nothing that others set. */
export async function offerCatalogue(hubClient: Client, url: string, signal: AbortSignal): Promise<void> {
  const { items } = await hubClient.listAll(kinds.packageRepositories, { signal });
  const othersDefault = items.some(
    ({ metadata }) =>
      metadata.name !== NAME && metadata.annotations?.[DEFAULT_REPOSITORY_ANNOTATION] === 'true',
  );
  const repository: PackageRepository = {
    apiVersion: PACKAGES_API_VERSION,
    kind: 'PackageRepository',
    metadata: {
      name: NAME,
      ...(othersDefault ? {} : { annotations: { [DEFAULT_REPOSITORY_ANNOTATION]: 'true' } }),
    },
    spec: { url },
  };
  await hubClient.apply(kinds.packageRepositories, repository, {
    fieldManager: MANAGER,
    force: true,
    signal,
  });
  await sendRepositories(hubClient, signal);
}
