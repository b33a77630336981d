// The built-in kinds as they come out of an API server: named, identified, with a spec. The published schemas
// leave all of that optional because they also describe what a user may send.
import type * as api from '../api/index.ts';

export type StoredMeta = api.ObjectMeta & {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
};

type Stored<T extends { readonly metadata: api.ObjectMeta }> = Omit<T, 'metadata' | 'spec'> & {
  readonly metadata: StoredMeta;
} & (T extends { readonly spec?: infer S } ? { readonly spec: NonNullable<S> } : unknown) & {
    readonly [field: string]: unknown;
  };

type Namespaced<T extends { readonly metadata: api.ObjectMeta }> = Stored<T> & {
  readonly metadata: StoredMeta & { readonly namespace: string };
};

export type ControllerRevision = Namespaced<api.ControllerRevision>;
export type CronJob = Namespaced<api.CronJob>;
export type DaemonSet = Namespaced<api.DaemonSet>;
export type Deployment = Namespaced<api.Deployment>;
export type EndpointSlice = Namespaced<api.EndpointSlice>;
export type Endpoints = Namespaced<api.Endpoints>;
export type Job = Namespaced<api.Job>;
export type Node = Stored<api.Node>;
export type PersistentVolume = Stored<api.PersistentVolume>;
export type PersistentVolumeClaim = Namespaced<api.PersistentVolumeClaim>;
export type Pod = Namespaced<api.Pod>;
export type PodDisruptionBudget = Namespaced<api.PodDisruptionBudget>;
export type ReplicaSet = Namespaced<api.ReplicaSet>;
export type Service = Namespaced<api.Service>;
export type StatefulSet = Namespaced<api.StatefulSet>;
export type StorageClass = Stored<api.StorageClass>;
