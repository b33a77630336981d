// core: ComponentStatus, which tools of old clusters still ask for. Nobody stores it.
import { deepFreeze, type KubeObject } from '../../api/index.ts';
import { errorMessage } from '../../base/index.ts';
import { printer } from '../table/columns.ts';
import type { BuiltinKind, BuiltinKinds } from './builtin.ts';

export interface Component {
  readonly name: string;
  /** Throws when something is wrong. */
  readonly check: () => void | Promise<void>;
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message?: string;
  readonly error?: string;
}

async function statusOf({ name, check }: Component): Promise<KubeObject> {
  let condition: Condition;
  try {
    await check();
    condition = { type: 'Healthy', status: 'True', message: 'ok' };
  } catch (error) {
    condition = { type: 'Healthy', status: 'False', message: errorMessage(error) };
  }
  return deepFreeze({
    kind: 'ComponentStatus',
    apiVersion: 'v1',
    metadata: { name },
    conditions: [condition],
  });
}

const componentStatus = (components: readonly Component[]): BuiltinKind => ({
  deprecationWarning: 'v1 ComponentStatus is deprecated in v1.19+',
  observe: () => Promise.all(components.map(statusOf)),
  printer: printer<KubeObject>('Name|Status|Message|Error', ({ metadata, ...object }) => {
    const conditions = (object['conditions'] ?? []) as readonly Condition[];
    const healthy = conditions.find(({ type }) => type === 'Healthy');
    const words = healthy === undefined ? 'Unknown' : healthy.status === 'True' ? 'Healthy' : 'Unhealthy';
    return [metadata.name ?? '', words, healthy?.message ?? '', healthy?.error ?? ''];
  }),
});

/**
 * Under the names that people know from other clusters. Scheduler and controllers are part of the program that
 * serves this, and answer as long as it does.
 */
export function componentStatuses(checkStorage: Component['check']): BuiltinKinds {
  const components: readonly Component[] = [
    { name: 'scheduler', check: () => undefined },
    { name: 'controller-manager', check: () => undefined },
    { name: 'etcd-0', check: checkStorage },
  ];
  return { '/componentstatuses': componentStatus(components) };
}
