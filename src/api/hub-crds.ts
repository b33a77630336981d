// The custom resources that every hub serves: Karmada's kinds and ours.
import type { CustomResourceDefinition } from './generated/kubernetes-types.ts';
import { karmadaKinds } from './karmada/index.ts';
import { crdOf, type ConversionWebhook } from './kind.ts';
import { navarchKinds } from './navarch/index.ts';

/** Their CRDs. A kube-apiserver needs `webhook` to convert old versions of bindings. */
export function hubCrds(webhook?: ConversionWebhook): readonly CustomResourceDefinition[] {
  return [...karmadaKinds, ...navarchKinds].map((kind) => crdOf(kind, webhook));
}
