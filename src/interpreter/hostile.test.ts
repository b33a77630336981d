import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, ResourceInterpreterCustomization } from '../api/index.ts';
import { Customizations, createInterpreter, nativeLayer, type Interpreter } from './index.ts';

// Scripts as an enemy would write them, each through the operation that it would be written for. What holds: the call ends
// with an error that says why, and the next call, of this script or another, is as if nothing had been.

type Rule = keyof ResourceInterpreterCustomization['spec']['customizations'];
const object: KubeObject = Object.freeze({
  apiVersion: 'example.io/v1',
  kind: 'Widget',
  metadata: { name: 'w', namespace: 'shop' },
  spec: { n: 1 },
});

/** A twentieth of what scripts have, so that many can use it up. */
const LIMITS = { stepsMax: 1_000_000, bytesMax: 16 * 1024 * 1024, deadlineMs: 1000 };

function interpreterOf(rule: Rule, luaScript: string): Interpreter {
  const customizations = new Customizations({ limits: LIMITS });
  customizations.load([
    {
      apiVersion: 'config.karmada.io/v1alpha1',
      kind: 'ResourceInterpreterCustomization',
      metadata: { name: 'hostile' },
      spec: {
        target: { apiVersion: 'example.io/v1', kind: 'Widget' },
        customizations: { [rule]: { luaScript } },
      },
    },
  ]);
  return createInterpreter([customizations.layer, nativeLayer(() => '2026-01-01T00:00:00Z')]);
}

const health = (body: string): (() => unknown) => {
  const one = interpreterOf('healthInterpretation', `function InterpretHealth(obj) ${body} end`);
  return () => one.health(object);
};
const revised = (body: string): (() => unknown) => {
  const one = interpreterOf('replicaRevision', `function ReviseReplica(obj, n) ${body} end`);
  return () => one.revise(object, 2);
};
const replicas = (body: string): (() => unknown) => {
  const one = interpreterOf('replicaResource', `function GetReplicas(obj) ${body} end`);
  return () => one.replicas(object);
};
const needs = (body: string): (() => unknown) => {
  const one = interpreterOf('dependencyInterpretation', `function GetDependencies(obj) ${body} end`);
  return () => one.dependencies(object);
};

const BUDGET = /context deadline exceeded|memory limit exceeded|stack overflow/;
const NOT_ALLOWED = (name: string): RegExp => new RegExp(`function ${name} is not allowed`);

const cases: Readonly<Record<string, readonly [call: () => unknown, message: RegExp]>> = {
  // Time.
  'a loop without end': [health('while true do end'), BUDGET],
  'a loop without end around an error that is caught': [health('while true do pcall(error, {}) end'), BUDGET],
  'a loop that catches its own end': [health('while true do pcall(function() while true do end end) end'), BUDGET],
  'the bytes of a long text': [health('local s = "x" for i = 1, 14 do s = s .. s end return s:byte(1, -1)'), /string slice too long/],
  'recursion without end': [health('local function f() return 1 + f() end return f()'), BUDGET],
  'recursion through a library': [health('local function f(a, b) table.sort({3, 2, 1}, f) return true end return f()'), BUDGET],
  'a sort that contradicts itself': [health('local t = {} for i = 1, 3000 do t[i] = i end while true do table.sort(t, function() return true end) end'), /./],
  'a pattern that explodes': [health('local s = {} for i = 1, 3000 do s[i] = "a" end return table.concat(s):find(".-.-.-.-.-b")'), BUDGET],
  // Memory.
  'a text that doubles': [health('local s = "x" while true do s = s .. s end'), BUDGET],
  'a text that formatting makes': [health('local s = "x" while true do s = string.format("%s%s", s, s) end'), /./],
  'a width without measure': [health('return string.format("%999999999s", "x") == ""'), /./],
  'a text of many long ones': [health('local t = {} local s = "xxxxxxxxxxxxxxxx" for i = 1, 16 do s = s .. s end for i = 1, 5000 do t[i] = s end return table.concat(t) == ""'), /./],
  'a table that grows': [health('local t = {} while true do t[#t + 1] = {1, 2, 3} end'), BUDGET],
  'a result that shares its parts': [revised('local t = {1} for i = 1, 60 do t = {t, t} end obj.spec.n = t return obj'), /tables this large/],
  'an argument that shares its parts': [health('local t = {1} for i = 1, 60 do t = {t, t} end require("kube").getPodDependencies({spec = t}, "x")'), BUDGET],
  'string.rep': [health('return ("x"):rep(1e9) == ""'), NOT_ALLOWED('rep')],
  'string.gsub': [health('return ("x"):gsub("x", "y")'), NOT_ALLOWED('gsub')],
  // Ways out.
  'the metatable of texts': [health('getmetatable("").__index = function() return true end'), NOT_ALLOWED('getmetatable')],
  'a metatable of its own': [health('return setmetatable({}, {__index = print})'), NOT_ALLOWED('setmetatable')],
  'another environment': [health('setfenv(1, {})'), NOT_ALLOWED('setfenv')],
  'code from text': [health('return loadstring("return true")()'), NOT_ALLOWED('loadstring')],
  'code from a function': [health('return load(function() return "x" end)'), NOT_ALLOWED('load')],
  'bytecode': [health('return string.dump(function() end)'), NOT_ALLOWED('dump')],
  'a file': [health('return dofile("/etc/passwd")'), NOT_ALLOWED('dofile')],
  'the file library': [health('return io.open("/etc/passwd")'), /attempt to index a non-table object\(nil\) with key 'open'/],
  'a process': [health('return os.execute("true")'), /attempt to call a non-function object|os/],
  'the debugger': [health('return debug.getinfo(1)'), /attempt to index a non-table object\(nil\) with key 'getinfo'/],
  'a coroutine': [health('return coroutine.wrap(print)'), /attempt to index a non-table object\(nil\) with key 'wrap'/],
  'a module of the host': [health('return require("fs")'), /module fs not found/],
  'the constructor of the host': [health('return ("x").constructor.constructor("return process")()'), /attempt to (call|index) a non-/],
  // Odd errors and odd results.
  'a table thrown': [health('error({code = 7})'), /table/],
  'nothing thrown': [health('error()'), /nil/],
  'a number thrown': [health('error(42, 0)'), /42/],
  'no result': [health(''), /result type 0 is not bool/],
  'a text for a verdict': [health('return "true"'), /result type 3 is not bool/],
  'no number of replicas at all': [replicas('return 0/0'), /finite number of replicas/],
  'replicas without end': [replicas('return 1/0'), /finite number of replicas/],
  'a field that is no number': [revised('obj.spec.n = 0/0 return obj'), /not finite/],
  'a function in a result': [revised('obj.spec.n = print return obj'), /cannot encode function/],
  'a table in itself': [revised('obj.spec.me = obj return obj'), /recursively nested/],
  'another kind of object': [revised('return {1, 2, 3}'), /must be an object with apiVersion, kind and metadata/],
  'needs that are no list': [needs('return {name = "x"}'), /must return a list of dependencies/],
  'a need without a name': [
    needs('return {{apiVersion = "v1", kind = "Secret"}}'),
    /^dependencies\[0\]: Invalid value: \{"apiVersion":"v1","kind":"Secret"\}: dependency can not leave name and labelSelector all empty$/,
  ],
  'a need of nothing, and one with a selector that is none': [
    needs('return {{name = "x"}, {apiVersion = "v1", kind = "Secret", labelSelector = {matchExpressions = {{key = "a", operator = "Like"}}}}}'),
    /^\[dependencies\[0\]\.apiVersion: Invalid value: "": missing required apiVersion, dependencies\[0\]\.kind: Invalid value: "": missing required kind, dependencies\[1\]\.labelSelector\.matchExpressions\[0\]\.operator: Invalid value: "Like": not a valid selector operator\]$/,
  ],
}; // prettier-ignore

for (const [name, [call, message]] of Object.entries(cases)) {
  test(`a hostile script with ${name} fails alone`, () => {
    assert.throws(call, (error) => {
      assert(
        error instanceof Error && !(error instanceof RangeError) && !(error instanceof TypeError),
        String(error),
      );
      assert.match(error.message, message);
      return true;
    });
    assert.equal(health('return obj.spec.n == 1 and ("x"):upper() == "X"')(), true);
    assert.deepEqual(object['spec'], { n: 1 });
  });
}
