// Short names for pod templates, used in names and labels of what is made from them. Two templates with equal
// content have the same hash whatever the order of their keys. The digits are not those of Kubernetes, whose hash
// depends on the memory layout of Go structs; nothing may rely on them.
import { fnv1a32, safeEncode } from '../machinery/index.ts';

export function templateHash(template: unknown, collisionCount = 0): string {
  const text = canonical(template);
  return safeEncode(String(fnv1a32(collisionCount === 0 ? text : `${text}#${collisionCount}`)));
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const parts: string[] = [];
    for (const key of Object.keys(value).sort()) {
      const inner = (value as Readonly<Record<string, unknown>>)[key];
      if (inner !== undefined) parts.push(`${JSON.stringify(key)}:${canonical(inner)}`);
    }
    return `{${parts.join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}
