// `interpret --edit`: all scripts of one ResourceInterpreterCustomization in the user's editor, as one Lua file with a part for each
// rule. What does not compile is not saved.
import { readFile, writeFile } from 'node:fs/promises';
import type { ResourceInterpreterCustomization } from '../api/index.ts';
import { formatYaml, parseYamlDocuments, resource, type Client } from '../client/index.ts';
import { RULES, scriptComplaint, scriptOf, type CustomizationRule } from '../interpreter/index.ts';
import { print } from './command.ts';
import { sayCancelled } from './edit.ts';
import { editText } from './editor.ts';
import { docLines } from './interpret-docs.ts';
import { formatJson, objectName } from './output/index.ts';
import { CommandError } from './shell/index.ts';

const customizations = resource<ResourceInterpreterCustomization>({
  group: 'config.karmada.io',
  version: 'v1alpha1',
  resource: 'resourceinterpretercustomizations',
  namespaced: false,
});

// Two dashes are comments of the scripts, which are kept.
const HEADER_SIGN = '----';
const PART = /^-- rule: (\w+)$/;

type Scripts = ReadonlyMap<CustomizationRule['name'], string>;

/** Of the file; the one customization that it holds. */
export async function editInFile(file: string): Promise<void> {
  if (file === '-' || /^https?:/.test(file))
    throw new CommandError(
      '--edit writes the file again: name one on this machine, or a customization of the control plane',
    );
  const text = await readFile(file, 'utf8');
  const documents = parseYamlDocuments(text, file) as readonly Partial<ResourceInterpreterCustomization>[];
  const found = documents.filter(isCustomization);
  const [customization] = found;
  if (customization === undefined || found.length > 1)
    throw new CommandError(`${file} must hold exactly one ResourceInterpreterCustomization`);
  await editScripts(customization, async (edited) => {
    const all = documents.map((one) => (one === customization ? edited : one));
    const format = file.endsWith('.json') ? formatJson : formatYaml;
    await writeFile(file, all.map((one) => format(one as never)).join('---\n'));
    print(`${objectName(edited)} edited`);
  });
}

/** On the control plane. */
export async function editOnHub(client: Client, name: string): Promise<void> {
  const customization = await client.get(customizations, { name });
  await editScripts(customization, async (edited) => {
    const { metadata, spec } = edited;
    const rules = Object.fromEntries(
      RULES.map((rule) => [rule.name, spec.customizations[rule.name] ?? null]),
    );
    const saved = await client.patch(
      customizations,
      { name },
      {
        type: 'merge',
        body: { metadata: { resourceVersion: metadata.resourceVersion }, spec: { customizations: rules } },
      },
    );
    print(`${objectName(saved)} edited`);
  });
}

function isCustomization(
  one: Partial<ResourceInterpreterCustomization>,
): one is ResourceInterpreterCustomization {
  return one?.kind === 'ResourceInterpreterCustomization' && one.spec?.customizations !== undefined;
}

async function editScripts(
  customization: ResourceInterpreterCustomization,
  save: (edited: ResourceInterpreterCustomization) => Promise<void>,
): Promise<void> {
  const { target } = customization.spec;
  await editText({
    text: scriptText(customization),
    extension: 'lua',
    comment: HEADER_SIGN,
    header: [
      `The scripts of ResourceInterpreterCustomization ${customization.metadata.name ?? ''}`,
      `for ${target.apiVersion} ${target.kind}. Each follows the line that names its rule; a part without`,
      'one unsets the rule. An empty file aborts. What does not compile is not saved.',
      '',
    ],
    cancelled: sayCancelled,
    save: async (text) => {
      const scripts = scriptsIn(text);
      for (const [name, script] of scripts) {
        const complaint = script === '' ? undefined : scriptComplaint(script);
        if (complaint !== undefined) throw new CommandError(`${name}: ${complaint.trimEnd()}`);
      }
      await save(withScripts(customization, scripts));
    },
  });
}

function scriptText(customization: ResourceInterpreterCustomization): string {
  return RULES.map((rule) => {
    const script = scriptOf(customization, rule);
    const doc = script === '' ? docLines(rule.operation).map((line) => `--# ${line}`) : [];
    return [`-- rule: ${rule.name}`, ...doc, script.trimEnd(), ''].join('\n');
  }).join('\n');
}

/** By rule; empty: unset. Throws CommandError when a script stands under no rule. */
function scriptsIn(text: string): Scripts {
  const scripts = new Map<CustomizationRule['name'], string>();
  let rule: CustomizationRule | undefined;
  let lines: string[] = [];
  const close = (): void => {
    const code = lines.filter((line) => !line.startsWith('--# '));
    if (rule !== undefined) scripts.set(rule.name, code.join('\n').trim());
    else if (code.some((line) => line.trim() !== ''))
      throw new CommandError('what stands before the first "-- rule:" belongs to no rule');
    lines = [];
  };
  for (const line of text.split('\n')) {
    const name = PART.exec(line)?.[1];
    if (name === undefined) {
      lines.push(line);
      continue;
    }
    close();
    rule = RULES.find((one) => one.name === name);
    if (rule === undefined)
      throw new CommandError(
        `there is no rule "${name}": use one of ${RULES.map((one) => one.name).join(', ')}`,
      );
  }
  close();
  return scripts;
}

function withScripts(
  customization: ResourceInterpreterCustomization,
  scripts: Scripts,
): ResourceInterpreterCustomization {
  const changed = Object.fromEntries(
    RULES.flatMap(({ name }) => {
      const script = scripts.get(name) ?? '';
      const before = customization.spec.customizations[name]?.luaScript ?? '';
      if (script === '') return [];
      return [[name, { luaScript: script === before.trim() ? before : `${script}\n` }]];
    }),
  );
  return { ...customization, spec: { ...customization.spec, customizations: changed } };
}
