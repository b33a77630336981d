// LIMIT: a shell waits this long for candidates, as with upstream.
export const COMPLETION_TIMEOUT_MS = 5000;
