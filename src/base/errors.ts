// Errors for operators: a code that documentation can list, and the step that helps next.

/** An operating error: something outside the program is not as it must be. Bugs are assertion failures instead. */
export class OperatingError extends Error {
  readonly code: string;
  readonly nextStep: string;

  /**
   * @param code stable, upper case with underscores, e.g. `PORT_TAKEN`
   * @param message what is wrong, one sentence without a full stop
   * @param nextStep what the reader can do about it, one sentence without a full stop
   */
  constructor(code: string, message: string, nextStep: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'OperatingError';
    this.code = code;
    this.nextStep = nextStep;
  }
}

export class AssertionError extends Error {
  override name = 'AssertionError';
}

/** States what must hold. A failure is a bug of ours, never a user's mistake. */
export function assert(condition: unknown, message: string): asserts condition {
  if (condition === false || condition === undefined || condition === null) throw new AssertionError(message);
}

/** The message of anything that was thrown. */
export function errorMessage(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
