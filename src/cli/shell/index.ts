export { listOption, shape, upstreamCommand } from './command-shape.ts';
export { completionScript, SHELLS } from './completion-scripts.ts';
export { CommandError } from './failure.ts';
export { runProgram } from './program.ts';
