// Kinds of two scopes that decisions treat alike.
import type {
  ClusterOverridePolicy,
  ClusterPropagationPolicy,
  ClusterResourceBinding,
  OverridePolicy,
  PropagationPolicy,
  ResourceBinding,
} from '../api/index.ts';

export type Policy = PropagationPolicy | ClusterPropagationPolicy;
export type Binding = ResourceBinding | ClusterResourceBinding;
export type AnyOverridePolicy = OverridePolicy | ClusterOverridePolicy;
