export { startPackageOperator } from './operator.ts';
export type { PackageOperator, PackageOperatorOptions } from './operator.ts';
export { defaultPackageSettings, type PackageSettings } from './settings.ts';
