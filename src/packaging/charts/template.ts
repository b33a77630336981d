// What `helm template` is told, and what its output means. Nothing here runs it.
import type { JsonObject, KubeObject } from '../../api/index.ts';

/** A chart that cannot be installed from what it renders to; the message names the chart. */
export class ChartError extends Error {
  override name = 'ChartError';
}

/** What a cluster can do, as charts may ask. */
export interface Capabilities {
  /** E.g. `v1.33.1`. */
  readonly kubeVersion: string;
  /** `group/version` and `group/version/Kind`, sorted. */
  readonly apiVersions: readonly string[];
}

/** @param resources what discovery lists */
export function capabilitiesFrom(
  gitVersion: string,
  resources: readonly { readonly group: string; readonly version: string; readonly kind: string }[],
): Capabilities {
  const apiVersions = new Set<string>();
  for (const { group, version, kind } of resources) {
    const served = group === '' ? version : `${group}/${version}`;
    apiVersions.add(served).add(`${served}/${kind}`);
  }
  return { kubeVersion: gitVersion, apiVersions: [...apiVersions].sort() };
}

export interface ChartToRender {
  /** `.Release.Name`. */
  readonly release: string;
  readonly namespace: string;
  readonly chartName: string;
  readonly chartVersion: string;
  /** Declared by the package, in hexadecimal. */
  readonly sha256: string | undefined;
  readonly values: JsonObject;
}

export interface RenderedChart {
  readonly chartName: string;
  readonly namespace: string;
  readonly objects: readonly KubeObject[];
}

/** @param chart the file */
export function templateArguments(
  { release, namespace }: ChartToRender,
  { kubeVersion, apiVersions }: Capabilities,
  chart: string,
): readonly string[] {
  return [
    'template',
    release,
    chart,
    '--namespace',
    namespace,
    // From standard input: values may be secret, and files are read by others.
    '--values',
    '-',
    '--include-crds',
    '--skip-tests',
    '--kube-version',
    kubeVersion,
    ...inParts(apiVersions).flatMap((part) => ['--api-versions', part.join(',')]),
  ];
}

// LIMIT: kinds of one argument; systems have limits for those, and clusters hundreds of kinds.
const PART = 200;

function inParts(texts: readonly string[]): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(texts.length / PART) }, (_, at) =>
    texts.slice(at * PART, (at + 1) * PART),
  );
}

/** COMPAT: what Helm, and so charts, take for "not to be deleted". */
export const RESOURCE_POLICY = 'helm.sh/resource-policy';
const HOOK = 'helm.sh/hook';
const DEFINITIONS = /^[^/]+\/(?:charts\/[^/]+\/)*crds\//;
// LIMIT: hooks that a refusal names.
const NAMED_MAX = 5;

interface Part {
  /** The file of the chart, below its name. */
  readonly source: string;
  readonly text: string;
}

/** The documents of helm's output. A marker at the beginning of a line is one wherever it stands: YAML has it so. */
function partsOf(output: string): readonly Part[] {
  let source = '';
  return output.split(/^---(?=[ \t\r]*$)/m).map((text) => {
    // Several documents of one file name it once.
    source = /^# Source: (.+?)\r?$/m.exec(text)?.[1] ?? source;
    return { source, text };
  });
}

/** Throws ChartError for what is no object, and for hooks, which only Helm itself runs. */
export function readRendered(
  output: string,
  { chartName, namespace }: ChartToRender,
  parseYaml: (text: string, from: string) => readonly unknown[],
): RenderedChart {
  const objects: KubeObject[] = [];
  const hooks: string[] = [];
  for (const { source, text } of partsOf(output))
    for (const document of parseYaml(text, source === '' ? `chart "${chartName}"` : source))
      for (const object of objectsOf(document, source, chartName)) {
        const events = hookEvents(object);
        if (events.length === 0) objects.push(DEFINITIONS.test(source) ? kept(object) : object);
        else if (events.some((event) => !event.startsWith('test')))
          hooks.push(`${events.join(', ')} ${object.kind} "${object.metadata.name ?? ''}"`);
      }
  if (hooks.length > 0) {
    const more = hooks.length > NAMED_MAX ? ` and ${hooks.length - NAMED_MAX} more` : '';
    throw new ChartError(
      `chart "${chartName}" has hooks, which run only where Helm itself installs: ${hooks.slice(0, NAMED_MAX).join('; ')}${more}. Turn them off with values of the chart, or install the package through Flux (annotation packages.glasskube.dev/helm: flux)`,
    );
  }
  return { chartName, namespace, objects };
}

function objectsOf(document: unknown, source: string, chartName: string): readonly KubeObject[] {
  const { apiVersion, kind, metadata, items } = (document ?? {}) as Partial<KubeObject> & {
    readonly items?: readonly unknown[];
  };
  if (typeof apiVersion !== 'string' || typeof kind !== 'string')
    throw new ChartError(`chart "${chartName}": ${source} renders to something that is no object`);
  if (kind === 'List' && Array.isArray(items))
    return items.flatMap((item) => objectsOf(item, source, chartName));
  if (typeof metadata?.name !== 'string' || metadata.name === '')
    throw new ChartError(`chart "${chartName}": ${source} renders to a ${kind} without a name`);
  return [document as KubeObject];
}

function hookEvents({ metadata }: KubeObject): readonly string[] {
  const { [HOOK]: hook } = metadata.annotations ?? {};
  return typeof hook === 'string' ? hook.split(',').map((event) => event.trim()) : [];
}

/** COMPAT: Helm never deletes the definitions of a chart's crds/, since all objects of those kinds would go with them. */
function kept(object: KubeObject): KubeObject {
  const { metadata } = object;
  return {
    ...object,
    metadata: { ...metadata, annotations: { [RESOURCE_POLICY]: 'keep', ...metadata.annotations } },
  };
}

/** Where two renderings of the same differ: kinds and names, for people. */
export function differing(one: RenderedChart, other: RenderedChart): readonly string[] {
  const texts = new Map(other.objects.map((object) => [nameOf(object), JSON.stringify(object)]));
  return one.objects.filter((object) => texts.get(nameOf(object)) !== JSON.stringify(object)).map(nameOf);
}

function nameOf({ kind, metadata }: KubeObject): string {
  return `${kind} "${metadata.name ?? ''}"`;
}
