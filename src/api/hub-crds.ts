// The custom resources that every hub serves: Karmada's kinds, ours, and those of the package manager.
import type { CustomResourceDefinition } from './generated/kubernetes-types.ts';
import { karmadaKinds } from './karmada/index.ts';
import { crdOf, type ConversionWebhook } from './kind.ts';
import { navarchKinds } from './navarch/index.ts';
import { fleetPackageKinds, packageKinds } from './packages/index.ts';

/** Their CRDs. A kube-apiserver needs `webhook` to convert old versions of bindings. */
export function hubCrds(webhook?: ConversionWebhook): readonly CustomResourceDefinition[] {
  return [...karmadaKinds, ...navarchKinds, ...packageKinds, ...fleetPackageKinds].map((kind) =>
    crdOf(kind, webhook),
  );
}
