// All families of built-in kinds.
import type { BuiltinKinds } from './builtin.ts';

export const builtinKinds: BuiltinKinds = {};
