// Services that lead to the pods of a template. They do not stand in the template, so upstream forgets them when it sends a
// workload somewhere with all that it needs; a template says by an annotation that they are to come along.
import { WITH_SERVICES_ANNOTATION, type JsonObject, type KubeObject } from '../api/index.ts';
import type { Dependency } from '../interpreter/index.ts';

function at(value: unknown, ...path: readonly string[]): JsonObject | undefined {
  let found = value;
  for (const key of path) found = (found as JsonObject | undefined | null)?.[key];
  return typeof found === 'object' && found !== null && !Array.isArray(found)
    ? (found as JsonObject)
    : undefined;
}

export function wantsServices({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[WITH_SERVICES_ANNOTATION] === 'true' && metadata.namespace !== undefined;
}

/** Labels that the pods of a template carry. */
function podLabels(template: KubeObject): JsonObject {
  if (template.kind === 'Pod') return template.metadata.labels ?? {};
  return (
    at(template, 'spec', 'template', 'metadata', 'labels') ??
    at(template, 'spec', 'jobTemplate', 'spec', 'template', 'metadata', 'labels') ??
    {}
  );
}

/** Those of `services` that lead to pods of the template. One without a selector leads nowhere that can be known. */
export function selectedServices(
  template: KubeObject,
  services: readonly KubeObject[],
): readonly Dependency[] {
  const labels = podLabels(template);
  return services.flatMap((service) => {
    const wanted = Object.entries(at(service, 'spec', 'selector') ?? {});
    const { namespace, name = '' } = service.metadata;
    const leads = wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
    if (!leads || namespace === undefined || namespace !== template.metadata.namespace) return [];
    return [{ apiVersion: 'v1', kind: 'Service', namespace, name }];
  });
}
