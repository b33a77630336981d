// The journal of a promotion, as a Migration on the hub. What is about to happen is written before it happens, so that after
// an interruption anybody can tell what may have been done.
// INVARIANT: one writer at a time: every write names the version it follows, and a second writer ends with a conflict.
import type { KubeObject, Migration, MigrationStep } from '../../api/index.ts';
import { OperatingError, formatTime, systemClock } from '../../base/index.ts';
import { isConflict, isNotFound, resource, type Client, type Resource } from '../../client/index.ts';
import { deepEqual } from '../../machinery/index.ts';

export const migrations: Resource<Migration> = resource({
  group: 'navarch.io',
  version: 'v1alpha1',
  resource: 'migrations',
  namespaced: false,
});

type Phase = NonNullable<NonNullable<Migration['status']>['phase']>;

export class Journal {
  private readonly client: Client;
  private current: Migration;
  /** What the last write wanted to say, when nobody knows whether it did. */
  private unanswered: Migration['status'] | undefined;

  private constructor(client: Client, migration: Migration) {
    this.client = client;
    this.current = migration;
  }

  static async begin(
    client: Client,
    spec: Migration['spec'],
    steps: readonly MigrationStep[],
  ): Promise<Journal> {
    const created = await client.create(migrations, {
      apiVersion: 'navarch.io/v1alpha1',
      kind: 'Migration',
      metadata: { generateName: `${spec.cluster}-` },
      spec,
    });
    const journal = new Journal(client, created);
    try {
      await journal.write({ phase: 'Running', steps, startTime: formatTime(systemClock.now()) });
    } catch (error) {
      // Nothing has been done that it could tell of.
      await journal.forget().catch(() => undefined);
      throw error;
    }
    return journal;
  }

  static async open(client: Client, name: string): Promise<Journal> {
    try {
      return new Journal(client, await client.get(migrations, { name }));
    } catch (error) {
      if (!isNotFound(error)) throw error;
      throw new OperatingError(
        'MIGRATION_NOT_FOUND',
        `there is no migration ${name}`,
        'run "navarch rollback" to see which there are',
      );
    }
  }

  get migration(): Migration {
    return this.current;
  }

  get name(): string {
    return this.current.metadata.name ?? '';
  }

  get steps(): readonly MigrationStep[] {
    return this.current.status?.steps ?? [];
  }

  async phase(phase: Phase, message?: string): Promise<void> {
    const over = phase === 'Done' || phase === 'RolledBack';
    await this.write({
      phase,
      ...(message === undefined ? {} : { message }),
      ...(over ? { finishTime: formatTime(systemClock.now()) } : {}),
    });
  }

  async mark(step: MigrationStep, state: MigrationStep['state'], uid?: string): Promise<void> {
    const steps = this.steps.map((one) =>
      isSameStep(one, step) ? { ...one, state, ...(uid === undefined ? {} : { uid }) } : one,
    );
    await this.write({ steps });
  }

  /** Whether the other writer was this one, whose answer was lost. */
  private async followsUnanswered(): Promise<boolean> {
    const { unanswered } = this;
    if (unanswered === undefined) return false;
    this.unanswered = undefined;
    const found = await this.client.get(migrations, { name: this.name });
    if (!deepEqual(found.status, unanswered)) return false;
    this.current = found;
    return true;
  }

  async forget(): Promise<void> {
    await this.client.delete(migrations, { name: this.name }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }

  private async write(change: NonNullable<Migration['status']>): Promise<void> {
    const status = { ...this.current.status, ...change };
    try {
      this.current = await this.client.updateStatus(migrations, { ...this.current, status });
      this.unanswered = undefined;
    } catch (error) {
      if (!isConflict(error)) {
        this.unanswered = status;
        throw error;
      }
      if (await this.followsUnanswered()) return this.write(change);
      throw new OperatingError(
        'MIGRATION_BUSY',
        `somebody else is working on migration ${this.name}`,
        'wait until they are done, then look at it with "navarch rollback"',
        { cause: error },
      );
    }
  }
}

export function isSameStep(a: MigrationStep, b: MigrationStep): boolean {
  return a.action === b.action && isSameObject(a, b);
}

type Reference = Pick<MigrationStep, 'apiVersion' | 'kind' | 'namespace' | 'name'>;

export function isSameObject(a: Reference, b: Reference): boolean {
  return (
    a.apiVersion === b.apiVersion &&
    a.kind === b.kind &&
    (a.namespace ?? '') === (b.namespace ?? '') &&
    a.name === b.name
  );
}

export function referenceOf({ apiVersion, kind, metadata }: KubeObject): Reference {
  const { namespace, name = '' } = metadata;
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}
