// Tells whoever writes a FlowSchema whether there is the priority level that it names: its condition Dangling. A schema
// that names none is not used until there is one.
import type { KubeObject } from '../../api/index.ts';
import { errorMessage, formatTime, type Clock, type Logger } from '../../base/index.ts';
import type { Storage } from '../../storage/index.ts';
import { objectFeed } from '../object-feed.ts';
import { storageRootOf } from '../resource.ts';
import type { InProcessTransport } from '../transport.ts';
import { levelOf } from './levels.ts';
import { schemaOf } from './schemas.ts';
import { SUGGESTED_LEVELS } from './suggested.ts';

const GROUP = 'flowcontrol.apiserver.k8s.io';
/** COMPAT: under which kube-apiserver owns the condition. */
const FIELD_MANAGER = 'api-priority-and-fairness-config-consumer-v1';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

/** The condition that the schema should have; undefined: it has it. */
export function danglingCondition(
  object: KubeObject,
  levels: ReadonlySet<string>,
  nowMs: number,
): Condition | undefined {
  const level = schemaOf(object).spec.priorityLevelConfiguration?.name ?? '';
  const found = levels.has(level);
  const about = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)}`;
  const status = found ? 'False' : 'True';
  const reason = found ? 'Found' : 'NotFound';
  const message = found ? `${about} and it exists` : `${about} but there is no such object`;
  const { conditions = [] } = (object['status'] ?? {}) as { readonly conditions?: readonly Condition[] };
  const now = conditions.find(({ type }) => type === 'Dangling');
  if (now?.status === status && now.reason === reason && now.message === message) return undefined;
  return { type: 'Dangling', status, lastTransitionTime: formatTime(nowMs), reason, message };
}

export interface DanglingOptions {
  readonly storage: Storage<KubeObject>;
  readonly transport: InProcessTransport;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Resolves when it has seen what there is; goes on until it is closed. */
export async function reportDangling(options: DanglingOptions): Promise<{ close(): Promise<void> }> {
  const closing = new AbortController();
  const schemas = new Map<string, KubeObject>();
  const levels = new Map<string, KubeObject>();
  let writing = Promise.resolve();
  const look = (): void => {
    // One after the other; each looks at what is there when it begins.
    writing = writing.then(() => writeAll(options, schemas, levels, closing.signal));
  };
  const follow = (resource: string, into: Map<string, KubeObject>): Promise<void> =>
    objectFeed({ ...options, prefix: storageRootOf(GROUP, resource) }).follow(
      {
        start: (objects) => {
          into.clear();
          for (const object of objects) into.set(object.metadata.name ?? '', object);
          look();
        },
        put: (object) => {
          into.set(object.metadata.name ?? '', object);
          look();
        },
        removed: ({ metadata }) => {
          into.delete(metadata.name ?? '');
          look();
        },
      },
      closing.signal,
    );
  await follow('prioritylevelconfigurations', levels);
  await follow('flowschemas', schemas);
  return {
    async close() {
      closing.abort(new Error('the API server is closing'));
      await writing;
    },
  };
}

async function writeAll(
  { transport, clock, logger }: DanglingOptions,
  schemas: ReadonlyMap<string, KubeObject>,
  levels: ReadonlyMap<string, KubeObject>,
  signal: AbortSignal,
): Promise<void> {
  const known = new Set([...SUGGESTED_LEVELS, ...levels.values()].map((object) => levelOf(object).name));
  const seen = [...schemas];
  for (const [name, object] of seen) {
    const condition = danglingCondition(object, known, clock.now());
    if (condition === undefined || signal.aborted) continue;
    try {
      // A refusal is one for now: the schema is gone, or has changed and is looked at again.
      await transport.send({
        method: 'PATCH',
        path: `/apis/${GROUP}/v1/flowschemas/${encodeURIComponent(name)}/status`,
        query: { fieldManager: FIELD_MANAGER, force: 'true' },
        contentType: 'application/apply-patch+yaml',
        body: {
          apiVersion: `${GROUP}/v1`,
          kind: 'FlowSchema',
          metadata: { name },
          status: { conditions: [condition] },
        },
        signal,
      });
    } catch (error) {
      if (!signal.aborted) logger.warn('a FlowSchema was not told', { name, error: errorMessage(error) });
    }
  }
}
