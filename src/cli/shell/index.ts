export {
  commandPath,
  listOption,
  onByDefault,
  repeatedOption,
  shape,
  upstreamCommand,
  type CompletionRequest,
} from './command-shape.ts';
export { completionScript, SHELLS } from './completion-scripts.ts';
export { CommandError, NoMatchError, throwAll } from './failure.ts';
export { runProgram } from './program.ts';
export { programName } from './program-name.ts';
export { COMMAND_LINE, nearest } from './words.ts';
