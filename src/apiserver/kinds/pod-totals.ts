// What the containers of a pod ask for together.
import type { Container, PodSpec } from '../../api/index.ts';
import { Quantity } from '../../machinery/index.ts';

type Totals = Map<string, Quantity>;

function requestsOf({ resources }: Container): Totals {
  const totals: Totals = new Map();
  for (const [name, value] of Object.entries(resources?.requests ?? {})) {
    const quantity = Quantity.tryParse(value);
    if (quantity !== undefined) totals.set(name, quantity);
  }
  return totals;
}

function add(into: Totals, more: Totals): void {
  for (const [name, quantity] of more) into.set(name, into.get(name)?.add(quantity) ?? quantity);
}

function raise(into: Totals, to: Totals): void {
  for (const [name, quantity] of to) {
    const had = into.get(name);
    if (had === undefined || had.compare(quantity) < 0) into.set(name, quantity);
  }
}

/**
 * What all containers need at once: the sum of those that stay, or what an init container needs beside those that
 * stay and have been started before it, whichever is more.
 */
export function aggregateRequests({
  containers,
  initContainers = [],
}: PodSpec): ReadonlyMap<string, Quantity> {
  const total: Totals = new Map();
  for (const container of containers ?? []) add(total, requestsOf(container));
  const staying: Totals = new Map();
  const starting: Totals = new Map();
  for (const container of initContainers) {
    const requests = requestsOf(container);
    if (container.restartPolicy === 'Always') {
      add(total, requests);
      add(staying, requests);
      raise(starting, staying);
    } else {
      add(requests, staying);
      raise(starting, requests);
    }
  }
  raise(total, starting);
  return total;
}
