// What admission rules see and may do. Rules live in admission/ (ours) and in the API server (Kubernetes' own),
// and are also served as webhooks; this shape is what they share.
import type { JsonObject, KubeObject } from '../api/index.ts';

export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export type AdmissionOperation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

export interface AdmissionAttributes {
  readonly operation: AdmissionOperation;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** The object as it would be stored; undefined on DELETE. */
  readonly object: KubeObject | undefined;
  /** What is stored now; undefined on CREATE. */
  readonly oldObject: KubeObject | undefined;
  readonly options: JsonObject;
}

/** What an admission rule may say besides yes: throw a StatusError to refuse. */
export interface AdmissionPlugin {
  readonly name: string;
  handles(attributes: AdmissionAttributes): boolean;
  /** Returns the object to store instead, or the same one. */
  mutate?(attributes: AdmissionAttributes, warn: (message: string) => void): KubeObject | Promise<KubeObject>;
  validate?(attributes: AdmissionAttributes, warn: (message: string) => void): void | Promise<void>;
}
