export { suspensionsCommand } from './list.ts';
export { resumeCommand } from './resume.ts';
export { suspendCommand } from './suspend.ts';
