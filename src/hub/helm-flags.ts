// What installs the charts of packages: flags of the programs that run the operator, and the program that they find.
import { Option } from 'commander';
import { OperatingError, systemClock } from '../base/index.ts';
import { findHelm } from '../client/index.ts';
import type { HelmOptions } from '../packages/index.ts';

export function helmOption(): Option {
  return new Option(
    '--helm <way>',
    'how charts of packages are installed: rendered by a helm program, through Flux, or auto: by the program where there is one',
  )
    .choices(['auto', 'binary', 'flux'])
    .default('auto');
}

export function helmBinaryOption(): Option {
  return new Option('--helm-binary <file>', 'the helm program; else the first one in the PATH').default('');
}

/** Throws OperatingError HELM_MISSING where the program was asked for and there is none. */
export async function helmFrom(mode: HelmOptions['mode'], file: string): Promise<HelmOptions> {
  if (mode === 'flux') return { mode, program: { missing: 'the operator runs with --helm flux' } };
  const program = await findHelm({
    ...(file === '' ? {} : { file }),
    searchPath: process.env['PATH'] ?? '',
    clock: systemClock,
  });
  if ('missing' in program && (mode === 'binary' || file !== ''))
    throw new OperatingError(
      'HELM_MISSING',
      `charts of packages are to be rendered with helm, but ${program.missing}`,
      'install helm 3 or 4, name it with --helm-binary, or use --helm flux',
    );
  return { mode, program };
}
