// `package search`: what the repositories offer.
import { Command } from 'commander';
import type { SetExitCode } from '../command.ts';
import { CommandError, shape } from '../shell/index.ts';
import { withCatalogue } from './catalogue.ts';
import { say } from './dialogue.ts';
import { withPlace, withPlaceFlags, type PackageFlags } from './place.ts';
import { printTable, printed, withOutput, type OutputFlags } from './printing.ts';

export function searchCommand(exit: SetExitCode): Command {
  const command = withOutput(withPlaceFlags(new Command('search')))
    .description('find packages in the repositories, by name or description')
    .argument('[words...]', 'all of them must occur; without any, everything is listed')
    .action(async (words: readonly string[], flags: PackageFlags & OutputFlags) => {
      await withPlace(flags, (place) =>
        withCatalogue(place, async (catalogue) => {
          const { packages, problems } = await catalogue.index();
          const found = packages.filter(({ entry }) => {
            const text = `${entry.name} ${entry.shortDescription ?? ''}`.toLowerCase();
            return words.every((word) => text.includes(word.toLowerCase()));
          });
          const list = found.map(({ entry, repositories, latestVersion }) => ({
            ...entry,
            ...(latestVersion === undefined ? {} : { latestVersion }),
            repositories,
          }));
          if (flags.output === 'name') for (const { name } of list) process.stdout.write(`${name}\n`);
          else if (!printed(list, flags)) {
            if (list.length === 0) {
              say(
                words.length === 0 ? 'The repositories are empty.' : `Nothing matches "${words.join(' ')}".`,
              );
            } else
              printTable(list, [
                ['NAME', ({ name }) => name],
                ['LATEST VERSION', ({ latestVersion }) => latestVersion ?? ''],
                ['SCOPE', ({ scope }) => scope ?? 'Cluster'],
                ['REPOSITORY', ({ repositories }) => repositories.join(', ')],
                ['DESCRIPTION', ({ shortDescription }) => shortDescription ?? ''],
              ]);
          }
          if (packages.length === 0 && problems.length > 0)
            throw new CommandError('no repository could be read');
        }),
      );
      exit(0);
    });
  return shape(command, {
    examples: `
      # Everything
      %s package search

      # What has to do with certificates
      %s package search certificate`,
  });
}
