// Where the program's log lines go: one JSON object a line on standard error, by pino.
import { pino, type Logger as Pino } from 'pino';
import type { LogFields, Logger } from '../base/index.ts';

/** @param level debug, info, warn, error or silent */
export function createLogger(level: string): Logger {
  return wrap(pino({ level, base: null, serializers: { error: describe } }, pino.destination(2)));
}

function wrap(inner: Pino): Logger {
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields?: LogFields): void =>
      inner[level](fields ?? {}, message);
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: (fields) => wrap(inner.child(fields)),
  };
}

/** The stack of a bug, the message of everything else. */
function describe(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const isBug =
    error instanceof TypeError || error instanceof ReferenceError || error.name === 'AssertionError';
  return isBug ? error.stack : error.message;
}
