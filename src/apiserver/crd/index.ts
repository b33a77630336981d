// Custom resources: the kind that defines them, and what keeps the served ones in step with it.
import type { KubeObject } from '../../api/index.ts';
import type { Clock, Logger } from '../../base/index.ts';
import type { Storage } from '../../storage/index.ts';
import type { BuiltinKinds } from '../kinds/builtin.ts';
import type { ResourceRegistry } from '../registry.ts';
import type { InProcessTransport } from '../transport.ts';
import { startCustomResources, type CustomResources } from './controller.ts';
import type { CustomResourceOptions } from './custom-resource.ts';
import { customResourceDefinitionKind } from './kind.ts';

export type { CustomResources } from './controller.ts';
export type { WebhookConverter } from './custom-resource.ts';

export interface CustomResourceSupport {
  /** For the API server to be made with. */
  readonly kinds: BuiltinKinds;
  /** Serves the definitions that are in storage, and follows them. */
  start(server: {
    readonly storage: Storage<KubeObject>;
    readonly registry: ResourceRegistry;
    readonly clock: Clock;
    readonly logger: Logger;
    /** The server itself, as a user who may delete everything. */
    readonly transport: InProcessTransport;
  }): CustomResources;
}

export function customResourceSupport(options: CustomResourceOptions = {}): CustomResourceSupport {
  return {
    kinds: {
      'apiextensions.k8s.io/customresourcedefinitions': customResourceDefinitionKind(),
    },
    start: (server) => startCustomResources({ ...server, ...options }),
  };
}
