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
  /** Group and version of the resource, which are not those of the kind where a subresource has one of its own. */
  readonly resourceGroup?: string;
  readonly resourceVersion?: string;
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
  /** Notes something for the audit log; absent: nobody keeps one. */
  readonly annotate?: Annotate;
  /** Which time the rules that change objects are asked; only they see it. */
  readonly pass?: MutationPass;
}

/**
 * @param key like `policy.example.com/reason`; the first note under a key counts
 * @param level how much an audit rule must want to know for this to be kept
 */
export type Annotate = (key: string, value: string, level?: 'Metadata' | 'Request') => void;

/** One request on its way through the rules that change objects: they are all asked a second time when one wants so. */
export interface MutationPass {
  readonly repeated: boolean;
  /** Wants all rules to be asked again, since this one changed what those before it have seen. */
  repeat(): void;
  /** What a rule keeps for the second time, by its name. */
  readonly kept: Map<string, unknown>;
}

/** What an admission rule may say besides yes: throw a StatusError to refuse. */
export interface AdmissionPlugin {
  readonly name: string;
  handles(attributes: AdmissionAttributes): boolean;
  /** Returns the object to store instead, or the same one. */
  mutate?(attributes: AdmissionAttributes, warn: (message: string) => void): KubeObject | Promise<KubeObject>;
  validate?(attributes: AdmissionAttributes, warn: (message: string) => void): void | Promise<void>;
}
