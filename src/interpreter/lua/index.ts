export { EmptyShapes, toJson } from './json.ts';
export { LuaSyntaxError } from './lexer.ts';
export { DEFAULT_LIMITS, type LuaLimits } from './machine.ts';
export { compileLua, type LuaOptions, type LuaProgram } from './program.ts';
export { LuaTable } from './table.ts';
export { LuaBudgetError, LuaError, luaType, type LuaValue } from './value.ts';
