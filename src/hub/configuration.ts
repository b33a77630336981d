// The configuration file of `navarch up`: the settings of flags.ts under their names in camelCase, in one versioned
// document, so that it can be kept with other manifests.
import { readFile } from 'node:fs/promises';
import { OperatingError, errorMessage } from '../base/index.ts';
import { parseYaml } from '../client/index.ts';
import type { ControllerSettings } from '../controllers/index.ts';
import { camelCase, closest, readSetting, settingText, type SettingRow } from '../machinery/index.ts';

const API_VERSION = 'config.navarch.io/v1alpha1';
const KIND = 'ControlPlaneConfiguration';
const PRESET = 'failoverPreset';

/** What a file says. Values are read and checked one by one; whether they fit together is for flags.ts. */
export interface Configuration {
  readonly preset: string | undefined;
  /** By setting. */
  readonly values: ReadonlyMap<string, unknown>;
}

type Row = SettingRow<keyof ControllerSettings>;

export async function readConfigurationFile(file: string, rows: readonly Row[]): Promise<Configuration> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new OperatingError(
      'CONFIGURATION_UNREADABLE',
      `the configuration file ${file} cannot be read: ${errorMessage(error)}`,
      'name another one with --config',
      { cause: error },
    );
  }
  return parseConfiguration(text, file, rows);
}

/** @throws OperatingError naming the file and the key */
export function parseConfiguration(text: string, file: string, rows: readonly Row[]): Configuration {
  const document = parseYaml(text, file);
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw bad(file, 'holds no object', '"navarch settings" prints a whole one');
  const { apiVersion, kind, ...entries } = document as Record<string, unknown>;
  if (apiVersion !== API_VERSION || kind !== KIND)
    throw bad(
      file,
      `is no ${KIND} of ${API_VERSION} but ${String(kind)} of ${String(apiVersion)}`,
      `begin it with "apiVersion: ${API_VERSION}" and "kind: ${KIND}"`,
    );
  const byKey = new Map(rows.map((row) => [camelCase(row.name), row]));
  const values = new Map<string, unknown>();
  for (const [key, value] of Object.entries(entries)) {
    if (key === PRESET || value === null) continue;
    const row = byKey.get(key);
    if (row === undefined) throw unknownKey(file, key, [PRESET, ...byKey.keys()]);
    values.set(row.setting, readSetting(row, plainText(row, key, value, file), `${key} in ${file}`));
  }
  const preset = entries[PRESET];
  if (preset !== undefined && typeof preset !== 'string')
    throw bad(file, `has no name as ${PRESET}`, 'give the name of a preset');
  return { preset, values };
}

function unknownKey(file: string, key: string, known: readonly string[]): OperatingError {
  const meant = closest(key, known);
  return new OperatingError(
    'UNKNOWN_SETTING',
    `${file} holds an unknown setting "${key}"`,
    meant === undefined ? '"navarch settings" prints all there are' : `did you mean "${meant}"?`,
  );
}

/** A value as its flag would spell it. */
function plainText(row: Row, key: string, value: unknown, file: string): string {
  if (['string', 'number', 'boolean'].includes(typeof value)) return String(value);
  if (row.kind === 'list' && Array.isArray(value)) return value.join(row.separator ?? ',');
  if (row.kind === 'gates' && typeof value === 'object' && value !== null && !Array.isArray(value))
    return Object.entries(value)
      .map(([gate, on]) => `${gate}=${String(on)}`)
      .join();
  throw bad(file, `has no ${row.kind} as ${key}`, 'give it as its flag takes it');
}

function bad(file: string, what: string, nextStep: string): OperatingError {
  return new OperatingError('BAD_CONFIGURATION', `the configuration file ${file} ${what}`, nextStep);
}

/** A whole configuration file that says what holds, with what each setting is for. */
export function configurationText(settings: ControllerSettings, rows: readonly Row[]): string {
  const lines = [`apiVersion: ${API_VERSION}`, `kind: ${KIND}`];
  for (const row of rows) {
    lines.push('', `# ${row.help}${row.choices === undefined ? '' : ` (${row.choices.join(', ')})`}`);
    lines.push(...settingLines(row, settings[row.setting]));
  }
  return `${lines.join('\n')}\n`;
}

function settingLines(row: Row, value: unknown): readonly string[] {
  const key = camelCase(row.name);
  if (row.kind === 'list') {
    const items = value as readonly string[];
    return items.length === 0
      ? [`${key}: []`]
      : [`${key}:`, ...items.map((one) => `- ${JSON.stringify(one)}`)];
  }
  const text = settingText(row, value);
  if (row.kind === 'gates') {
    const gates = text === '' ? [] : text.split(',');
    return gates.length === 0
      ? [`${key}: {}`]
      : [`${key}:`, ...gates.map((one) => `  ${one.replace('=', ': ')}`)];
  }
  return [`${key}: ${text === '' ? '""' : text}`];
}
