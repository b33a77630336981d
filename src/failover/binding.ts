// Bindings of both scopes, which failover treats alike.
import type { ClusterResourceBinding, ResourceBinding } from '../api/index.ts';

export type Binding = ResourceBinding | ClusterResourceBinding;
