// What a cluster was given of a workload with several pod templates, written into its manifest.
// COMPAT: upstream schedules components and leaves the manifest as it is; so it stays here where the shares are those
// of the template, which they are unless somebody else than our scheduler divides.
// INVARIANT: a manifest says exactly what was given, or is not made at all.
import type { Component, KubeObject, TargetCluster } from '../api/index.ts';
import type { Interpreter } from './interpreter.ts';

type Share = NonNullable<TargetCluster['components']>[number];

/** The template with these shares; itself when it has them. Throws when they cannot be written. */
export async function withComponentShares(
  interpreter: Interpreter,
  template: KubeObject,
  shares: readonly Share[],
): Promise<KubeObject> {
  const own = await interpreter.components(template);
  const different = differing(template, own ?? [], shares);
  if (different.length === 0) return template;
  let written = template;
  for (const { name, replicas } of different)
    written = interpreter.withComponent(written, name, replicas) ?? refuse(template, name, replicas);
  const left = differing(template, (await interpreter.components(written)) ?? [], shares);
  const [first] = left;
  return first === undefined ? written : refuse(template, first.name, first.replicas);
}

function differing(
  template: KubeObject,
  own: readonly Component[],
  shares: readonly Share[],
): readonly Share[] {
  return shares.filter(({ name, replicas }) => {
    const component = own.find((one) => one.name === name);
    if (component === undefined)
      throw new Error(`${template.kind} ${template.metadata.name ?? ''} has no component ${name}`);
    return component.replicas !== replicas;
  });
}

function refuse({ kind, metadata }: KubeObject, name: string, replicas: number): never {
  throw new Error(
    `component ${name} of ${kind} ${metadata.name ?? ''} cannot be given ${replicas} replicas: nothing says where they are written. ` +
      `Give it as many in the template, or describe the kind by a ResourceInterpretation whose components have paths.`,
  );
}
