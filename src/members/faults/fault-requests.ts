// Faults as JSON, for the control endpoint that the command line uses.
import { OperatingError, errorMessage, type Cancel, type Clock, type Logger } from '../../base/index.ts';
import { StatusError } from '../../machinery/index.ts';
import type { ActiveFault, Faults, PodSelection } from './faults.ts';

/** What `handleFault` takes. `forMs`: the fault ends by itself after this time. */
export type FaultRequest =
  | { readonly action: 'list' }
  | { readonly action: 'clear'; readonly id?: string }
  | { readonly action: 'cut-network'; readonly mode?: 'drop' | 'hang'; readonly forMs?: number }
  | {
      readonly action: 'delay';
      readonly latencyMs: number;
      readonly jitterMs?: number;
      readonly forMs?: number;
    }
  | { readonly action: 'api-server-down'; readonly forMs?: number }
  | { readonly action: 'node-down' | 'node-up'; readonly node: string }
  | ({ readonly action: 'crash-pods'; readonly exitCode?: number; readonly keep?: boolean } & PodSelection)
  | ({ readonly action: 'fail-images'; readonly forMs?: number } & PodSelection)
  | ({ readonly action: 'slow-start'; readonly factor: number; readonly forMs?: number } & PodSelection);

export type FaultAnswer =
  | { readonly ok: true; readonly faults: readonly ActiveFault[]; readonly id?: string }
  | { readonly ok: false; readonly error: string; readonly nextStep: string };

type Fields = Readonly<Record<string, unknown>>;

// LIMIT: faults that end by themselves do so within a day.
const FOR_MAX_MS = 86_400_000;

export class FaultRequests {
  private readonly faults: Faults;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly ends = new Map<string, Cancel>();

  constructor(faults: Faults, clock: Clock, logger: Logger) {
    this.faults = faults;
    this.clock = clock;
    this.logger = logger;
  }

  /** Never rejects: what is wrong with a request is part of the answer. */
  async handle(request: unknown): Promise<FaultAnswer> {
    try {
      const id = await this.perform(fieldsOf(request));
      return { ok: true, faults: this.faults.list(), ...(id === undefined ? {} : { id }) };
    } catch (error) {
      if (error instanceof OperatingError)
        return { ok: false, error: error.message, nextStep: error.nextStep };
      if (error instanceof StatusError)
        return { ok: false, error: errorMessage(error), nextStep: 'correct the request' };
      throw error;
    }
  }

  close(): void {
    for (const cancel of this.ends.values()) cancel();
    this.ends.clear();
  }

  private async perform(fields: Fields): Promise<string | undefined> {
    const { faults } = this;
    switch (fields['action']) {
      case 'list':
        return undefined;
      case 'clear': {
        await faults.clear(text(fields, 'id'));
        return undefined;
      }
      case 'cut-network':
        faults.cutNetwork(choice(fields, 'mode', ['drop', 'hang']) ?? 'hang');
        return this.limited('network', fields);
      case 'delay':
        faults.delay(required(number(fields, 'latencyMs'), 'latencyMs'), number(fields, 'jitterMs') ?? 0);
        return this.limited('latency', fields);
      case 'api-server-down':
        await faults.stopApiServer();
        return this.limited('api-server', fields);
      case 'node-down':
        await faults.nodeDown(required(text(fields, 'node'), 'node'));
        return undefined;
      case 'node-up':
        await faults.nodeUp(required(text(fields, 'node'), 'node'));
        return undefined;
      case 'crash-pods': {
        const exitCode = number(fields, 'exitCode');
        const options = { ...(exitCode === undefined ? {} : { exitCode }), keep: fields['keep'] === true };
        return faults.crashPods(selection(fields), options);
      }
      case 'fail-images':
        return this.limited(faults.failImages(selection(fields)), fields);
      case 'slow-start': {
        const factor = required(number(fields, 'factor'), 'factor');
        return this.limited(faults.slowStart(factor, selection(fields)), fields);
      }
      default:
        throw refused(`there is no fault action ${JSON.stringify(fields['action'] ?? null)}`);
    }
  }

  private async end(id: string): Promise<void> {
    try {
      await this.faults.clear(id);
    } catch (error) {
      // E.g. the port was taken meanwhile: the fault stays on and in the list, and can be cleared by hand.
      this.logger.error('A fault could not be ended', { fault: id, error: errorMessage(error) });
    }
  }

  private limited(id: string, fields: Fields): string {
    const forMs = number(fields, 'forMs');
    this.ends.get(id)?.();
    this.ends.delete(id);
    if (forMs === undefined) return id;
    if (forMs <= 0 || forMs > FOR_MAX_MS) throw refused('forMs must be more than 0 and at most a day');
    const cancel = this.clock.after(forMs, () => {
      this.ends.delete(id);
      void this.end(id);
    });
    this.ends.set(id, cancel);
    return id;
  }
}

function refused(message: string): OperatingError {
  return new OperatingError(
    'FAULT_INVALID',
    message,
    'use list, clear, cut-network, delay, api-server-down, node-down, node-up, crash-pods, fail-images or slow-start with their fields',
  );
}

function fieldsOf(request: unknown): Fields {
  if (typeof request !== 'object' || request === null || Array.isArray(request)) {
    throw refused('a fault request is a JSON object');
  }
  return request as Fields;
}

function text(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw refused(`${name} must be a text`);
  return value;
}

function number(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value)) throw refused(`${name} must be a number`);
  return value;
}

function choice<T extends string>(fields: Fields, name: string, choices: readonly T[]): T | undefined {
  const value = text(fields, name);
  if (value === undefined) return undefined;
  const found = choices.find((one) => one === value);
  if (found === undefined) throw refused(`${name} must be one of ${choices.join(', ')}`);
  return found;
}

function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw refused(`${name} is missing`);
  return value;
}

function selection(fields: Fields): PodSelection {
  const namespace = text(fields, 'namespace');
  const selector = text(fields, 'selector');
  return {
    ...(namespace === undefined ? {} : { namespace }),
    ...(selector === undefined ? {} : { selector }),
  };
}
