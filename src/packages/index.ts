export { startPackageOperator } from './operator.ts';
export type { HelmOptions, PackageOperator, PackageOperatorOptions } from './operator.ts';
export { defaultPackageSettings, type PackageSettings } from './settings.ts';
