// How the program was called: `navarch`, or `kubectl karmada` as a plugin. Messages that name a command to run say it so.
let name = 'navarch';

export function setProgramName(called: string): void {
  name = called;
}

export function programName(): string {
  return name;
}
