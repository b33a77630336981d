// Ports for what tests and measurements start.
import { existsSync, readFileSync } from 'node:fs';

/** The first of twenty ports that nobody uses, below those that the system gives to connections. */
export function freePort(): number {
  const used = portsInUse();
  for (let tries = 0; tries < 1_000; tries++) {
    const first = 12_000 + Math.floor(Math.random() * 1_000) * 20;
    if (!Array.from({ length: 20 }, (_, offset) => first + offset).some((port) => used.has(port)))
      return first;
  }
  throw new Error('no twenty ports in a row are free');
}

/** As Linux tells them; elsewhere nothing is known, and chance has to do. */
function portsInUse(): ReadonlySet<number> {
  const lines = ['/proc/net/tcp', '/proc/net/tcp6']
    .filter((file) => existsSync(file))
    .flatMap((file) => readFileSync(file, 'utf8').split('\n').slice(1));
  return new Set(
    lines.flatMap((line) => {
      const port = /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) /.exec(line)?.[1];
      return port === undefined ? [] : [parseInt(port, 16)];
    }),
  );
}
