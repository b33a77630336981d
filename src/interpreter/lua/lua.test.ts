import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonValue } from '../../api/index.ts';
import {
  DEFAULT_LIMITS,
  EmptyShapes,
  LuaBudgetError,
  LuaError,
  LuaSyntaxError,
  LuaTable,
  compileLua,
  toJson,
  type LuaLimits,
  type LuaValue,
} from './index.ts';

/** Runs `body` as a function of `a` and `b`; tables come out as JSON. */
function run(body: string, ...args: JsonValue[]): unknown[] {
  const results = compileLua(`function f(a, b) ${body}\nend`).call('f', args, { now: () => 86_400_000 });
  return results.map(plain);
}

function plain(value: LuaValue): unknown {
  return value instanceof LuaTable ? toJson(value, []) : value;
}

function table(
  name: string,
  cases: Readonly<Record<string, readonly [body: string, ...results: unknown[]]>>,
): void {
  for (const [title, [body, ...results]] of Object.entries(cases)) {
    test(`${name}: ${title}`, () => assert.deepEqual(run(body), results));
  }
}

table('operators', {
  'the remainder has the sign of the divisor': ['return 7 % 3, -7 % 3, 7 % -3, 5.5 % 2', 1, 2, -2, 1.5],
  'a power binds tighter than a sign, and to the right': ['return -2 ^ 2, 2 ^ 3 ^ 2', -4, 512],
  'concatenation binds to the right and takes numbers': ['return 1 .. 2 .. "x"', '12x'],
  'texts that spell numbers count as numbers': ['return "10" + 5, "0x10" * 1, -"2"', 15, 16, -2],
  'and, or give their operands': ['return nil or 1, false and 2, 0 and "yes"', 1, false, 'yes'],
  'not binds tighter than comparison': ['return not nil == true', true],
  'equality does not convert': ['return 1 == "1", "a" ~= "a", nil == false', false, false, false],
  'texts are compared by bytes': ['return "a" < "b", "Z" < "a", "é" > "z"', true, true, true],
  'a length is in bytes': ['return #"é", #{1, 2, nil, 4}', 2, 4],
  'division by zero is no error': ['return 1/0 == math.huge, 0/0 ~= 0/0', true, true],
});

table('numbers as text', {
  'integral ones have no exponent and no fraction': [
    'return tostring(4/2), tostring(2^31), tostring(10^15), tostring(-0)',
    '2', '2147483648', '1000000000000000', '0',
  ],
  'others are as short as they can be': ['return tostring(0.1), tostring(1e-7), tostring(1e300)', '0.1', '1e-07', '1e+300'],
  'those that are none have Go\'s names': ['return tostring(1/0), tostring(-1/0), tostring(0/0)', '+Inf', '-Inf', 'NaN'],
  'tonumber reads other bases': ['return tonumber("ff", 16), tonumber("z"), tonumber(" 12 ")', 255, undefined, 12],
}); // prettier-ignore

table('functions', {
  'a closure keeps its variable': [
    'local function counter() local n = 0 return function() n = n + 1 return n end end local c = counter() c() return c(), counter()()',
    2, 1,
  ],
  'each turn of a loop has a variable of its own': [
    'local t = {} for i = 1, 2 do t[i] = function() i = i + 10 return i end end return t[1](), t[1](), t[2]()',
    11, 21, 12,
  ],
  'a variable may be captured across two functions': [
    'local x = 1 local function g() return function() x = x + 1 return x end end g()() return x',
    2,
  ],
  'variable arguments are counted and passed on': [
    'local function v(...) return select("#", ...), select(2, ...), ... end return v(1, nil, 3)',
    3, undefined, 1, undefined, 3,
  ],
  'a call in the middle gives one value, at the end all': [
    'local function two() return 1, 2 end return two(), two()',
    1, 1, 2,
  ],
  'parentheses cut to one value': ['local function two() return 1, 2 end return (two())', 1],
  'a table takes all values of a last call only': [
    'local function two() return 1, 2 end local t, u = {two(), two()}, {two(), x = 1} return #t, #u',
    3, 1,
  ],
  'methods get their object': ['local o = {n = 3} function o:get(m) return self.n + m end return o:get(4)', 7],
  'texts have methods': ['return ("abc"):upper(), ("x"):len()', 'ABC', 1],
  'letters of all scripts have a case': [
    'return ("é日ß"):upper() == "É日ß", ("ÀΩ"):lower() == "àω", ("é"):upper():len()',
    true, true, 2,
  ],
  'a local function sees itself': ['local function f(n) return n < 2 and 1 or n * f(n - 1) end return f(5)', 120],
  'pcall gives what was raised': [
    'local ok, e = pcall(error, {code = 7}) return ok, e.code, pcall(function() error("no", 0) end)',
    false, 7, false, 'no',
  ],
  'an error says where': ['return pcall(function()\nerror("here") end)', false, '<string>:2: here'],
  'assert passes its arguments on': ['return assert(1, 2)', 1, 2],
}); // prettier-ignore

table('statements', {
  'several assignments at once swap': ['local x, y = 1, 2 x, y = y, x return x, y', 2, 1],
  'repeat sees the locals of its block': [
    'local i = 0 repeat local done = i == 2 i = i + 1 until done return i',
    3,
  ],
  'a numeric loop counts down': ['local s = "" for i = 3, 1, -1 do s = s .. i end return s', '321'],
  'break leaves the innermost loop': [
    'local n = 0 for i = 1, 2 do while true do n = n + 1 break end end return n',
    2,
  ],
  'elseif chooses the first that holds': ['if nil then return 1 elseif 0 then return 2 else return 3 end', 2],
  'comments and long texts': ['--[[ a\nb ]] -- c\nreturn [==[\nx]]y]==], "a\\65\\n"', 'x]]y', 'aA\n'],
  'goto goes on with the next turn of a loop': [
    'local s = "" for i = 1, 5 do if i % 2 == 0 then goto continue end s = s .. i ::continue:: end return s',
    '135',
  ],
  'goto leaves several loops': [
    'local n = 0 for i = 1, 3 do for j = 1, 3 do n = n + 1 if j == 2 then goto done end end end ::done:: return n',
    2,
  ],
  'goto goes back': ['local i = 0 ::top:: i = i + 1 if i < 4 then goto top end return i', 4],
  'goto finds the label of the nearest block': [
    'local s = "" do goto a ::a:: s = s .. 1 end goto a s = s .. 2 ::a:: return s',
    '1',
  ],
  'goto goes over a local that ends with its block': ['do goto out local x = 1 ::out:: end return 7', 7],
  'a local that is passed again is another one': [
    'local f = {} local i = 1 ::top:: local x = i f[i] = function() return x end i = i + 1 if i < 3 then goto top end return f[1](), f[2]()',
    1,
    2,
  ],
});

table('tables', {
  'pairs goes through the list, then in the order of setting': [
    'local s, t = "", {z = 1, 9, a = 2} t.m = 3 t.z = nil t.z = 4 for k, v in pairs(t) do s = s .. k .. v .. " " end return s',
    '19 z4 a2 m3 ',
  ],
  'entries may be removed on the way': [
    'local t = {a = 1, b = 2, c = 3} for k in pairs(t) do t[k] = nil end return next(t)',
    undefined,
  ],
  'next walks by key': ['local t = {5, x = 6} local k = next(t) local l = next(t, k) return k, l, next(t, l)', 1, 'x', undefined],
  'ipairs ends at the first gap, the length at the last entry': [
    'local t, n = {}, 0 t[1] = 1 t[3] = 3 for _ in ipairs(t) do n = n + 1 end return n, #t',
    1, 3,
  ],
  'insert and remove move entries': [
    'local t = {1, 3} table.insert(t, 2, 2) table.insert(t, 4) local gone = table.remove(t, 1) return gone, table.concat(t, ",")',
    1, '2,3,4',
  ],
  'sort takes an order': [
    'local t = {3, 1, 2} table.sort(t, function(x, y) return x > y end) return table.concat(t)',
    '321',
  ],
  'a constructor mixes keys and a list': ['local t = {[1] = "a", "b", [3] = "c"} return #t, t[1], t[3]', 3, 'b', 'c'],
  'unpack gives a range': ['return unpack({1, 2, 3}, 2)', 2, 3],
  'keys of any type': ['local k = {} local t = {[k] = 1, [true] = 2, [1.5] = 3} return t[k], t[true], t[1.5], t[{}]', 1, 2, 3, undefined],
}); // prettier-ignore

table('string patterns', {
  'captures and positions': ['return ("key = value"):match("^(%w+)%s*=%s*(%w+)()")', 'key', 'value', 12],
  'the shortest and the longest': ['return ("<a><b>"):match("<.->"), ("<a><b>"):match("<.*>")', '<a>', '<a><b>'],
  'sets, ranges and what is not in them': ['return ("x-1]"):match("[%]a-c]"), ("abc1"):match("[^%d]+"), ("-"):match("[a%-]")', ']', 'abc', '-'],
  'options': ['return ("color"):match("colou?r"), ("colour"):match("colou?r")', 'color', 'colour'],
  'balanced brackets': ['return ("f(a(b)c)d"):match("%b()")', '(a(b)c)'],
  'frontiers': ['return ("THE (quick) fox"):find("%f[%a]%a+%f[%A]", 5)', 6, 10],
  'back references': ['return ("say \'hi\'"):match("([\'\\"])(.-)%1")', "'", 'hi'],
  'find without patterns': ['return ("a.b"):find(".", 1, true), ("a.b"):find("%."), ("abc"):find("d")', 2, 2, undefined],
  'gmatch goes on behind a match': [
    'local r = {} for k, v in ("a=1, b=2"):gmatch("(%w+)=(%w+)") do r[#r + 1] = k .. v end return table.concat(r, ";")',
    'a1;b2',
  ],
  'positions from the end': ['return ("hello"):sub(-3), ("hello"):sub(2, -2), ("hello"):sub(4, 2), ("hello"):byte(-1)', 'llo', 'ell', '', 111],
  'format': [
    'return string.format("%5.2f|%-4d|%03d|%x|%s|%q|%g|%%", 3.14159, 7, 5, 255, nil, "a\\"", 1e20)',
    ' 3.14|7   |005|ff|nil|"a\\""|1e+20|%',
  ],
}); // prettier-ignore

// find gives two values, of which a call in the middle keeps one: the expectations above count on it.

table('libraries', {
  'math': ['return math.floor(-1.5), math.max(1, 3, 2), math.fmod(7, 3), math.pow(2, 3), (math.modf(2.5))', -2, 3, 1, 8, 2],
  'os.date and os.time are UTC by the clock that is handed in': [
    'return os.time(), os.date("!%Y-%m-%dT%H:%M:%SZ", 0), os.time({year = 1970, month = 1, day = 2, hour = 0}), os.date("*t").year',
    86_400, '1970-01-01T00:00:00Z', 86_400, 1970,
  ],
  'kube adds quantities, nil being none': [
    'local kube = require("kube") return kube.resourceAdd("100m", nil, "1"), kube.getResourceQuantity("1500m")',
    '1100m', 1.5,
  ],
  'kube knows pods': [
    `local kube = require("kube")
     local t = {spec = {serviceAccountName = "sa", containers = {{resources = {requests = {cpu = "1"}}}}}}
     return kube.accuratePodRequirements(t).resourceRequest.cpu, kube.getPodDependencies(t, nil), kube.accuratePodRequirements({})`,
    '1', [{ apiVersion: 'v1', kind: 'ServiceAccount', namespace: 'default', name: 'sa' }], undefined,
  ],
  'there is no io, no debug, no coroutine': ['return io, debug, coroutine', undefined, undefined, undefined],
}); // prettier-ignore

const errors: Readonly<Record<string, readonly [body: string, message: RegExp]>> = {
  'an index of nil': [
    'return a.b.c',
    /<string>:1: attempt to index a non-table object\(nil\) with key '[bc]'/,
  ],
  'a call of nil': ['nothing()', /attempt to call a non-function object/],
  'arithmetic on a table': ['return {} + 1', /cannot perform add operation between table and number/],
  'a concatenation with nil': ['return "a" .. nil', /cannot perform concat operation between string and nil/],
  'a comparison of a number with a text': ['return 1 < "2"', /attempt to compare number with string/],
  'a loop without a number': ['for i = 1, "x" do end', /for statement limit must be a number/],
  'endless recursion': ['local function g() return 1 + g() end return g()', /stack overflow/],
  'an argument of a wrong type': [
    'table.insert(nil, 1)',
    /bad argument #1 to insert \(table expected, got nil\)/,
  ],
  'a function that is not allowed': ['setmetatable({}, {})', /setmetatable is not allowed/],
  'a text function that is not allowed': ['return ("x"):rep(5)', /rep is not allowed/],
  'a text that is too long': [
    'local s = "x" for i = 1, 20 do s = s .. s end return s:upper()',
    /longer than 1000000/,
  ],
  'a pattern that does not end': ['return ("x"):match("[a")', /missing '\]'/],
  'a module that is none': ['require("io")', /module io not found/],
  'a quantity that is none': ['require("kube").resourceAdd("x")', /quantities must match/],
};
for (const [title, [body, message]] of Object.entries(errors)) {
  test(`error: ${title}`, () => {
    assert.throws(
      () => run(body),
      (error) => error instanceof LuaError && message.test(error.message),
    );
  });
}

const syntaxErrors: Readonly<Record<string, readonly [script: string, message: string]>> = {
  'is placed at the last character of what does not fit': [
    'function GetReplicas(obj return 1 end',
    "<string> line:1(column:31) near 'return':   syntax error\n",
  ],
  'at the end': ['x =', '<string> at EOF:   syntax error\n'],
  'for an expression that is no statement': ['x y', "<string> line:1(column:3) near 'y':   parse error\n"],
  'for a goto that leads nowhere': [
    'function f()\n goto done\nend',
    "compile error near line(3) <string>: no visible label 'done' for <goto> at line 2",
  ],
  'for a goto out of its function': [
    '::out:: function f() goto out end',
    "compile error near line(1) <string>: no visible label 'out' for <goto> at line 1",
  ],
  'for a goto into the scope of a local': [
    'do goto a local x = 1 ::a:: x = 2 end',
    "compile error near line(2) <string>: <goto a> at line 1 jumps into the scope of local 'x'",
  ],
  'for a label that is there twice': [
    '::a:: ::a::',
    "compile error near line(2) <string>: label 'a' already defined on line 1",
  ],
  'for a goto as a name': ['local goto = 1', "<string> line:1(column:10) near 'goto':   syntax error\n"],
  'for an assignment to a call': ['f() = 1', "<string> line:1(column:5) near '=':   syntax error\n"],
  'for a statement behind a return': ['return 1 x = 2', "<string> line:1(column:10) near 'x':   syntax error\n"],
  'on a later line': ['x = 1\n\nend', "<string> line:3(column:3) near 'end':   syntax error\n"],
  'for a text that does not end': ['x = "ab', '<string> line:1(column:7) near \'ab\':   unterminated string\n'],
  'for a break outside of a loop': ['break', 'compile error near line(1) <string>: no loop to break'],
}; // prettier-ignore
for (const [title, [script, message]] of Object.entries(syntaxErrors)) {
  test(`syntax error: ${title}`, () => {
    assert.throws(() => compileLua(script), { name: 'LuaSyntaxError', message });
  });
}

test('nesting without end is refused, not run into', () => {
  for (const script of [
    `x = ${'('.repeat(50_000)}`,
    `x = ${'{'.repeat(50_000)}`,
    `x = ${'- '.repeat(50_000)}1`,
    'do '.repeat(50_000),
  ])
    assert.throws(() => compileLua(script), LuaSyntaxError);
  // A chain of operators is no nesting to the parser; it may compile or be refused, but must not crash.
  const chain = `function f() return ${'1 + '.repeat(20_000)}1 end`;
  assert.throws(() => compileLua(chain).call('f', []), /too many syntax levels|stack overflow/);
});

const SMALL: LuaLimits = { ...DEFAULT_LIMITS, stepsMax: 100_000, bytesMax: 1_000_000 };
const greedy: Readonly<Record<string, readonly [body: string, message: RegExp]>> = {
  'an endless loop': ['while true do end', /deadline exceeded/],
  'an endless loop that catches errors': [
    'while true do pcall(function() while true do end end) end',
    /deadline exceeded/,
  ],
  'an endless way back': ['::top:: goto top', /deadline exceeded/],
  'an endless iteration': ['for _ in function() return 1 end do end', /deadline exceeded/],
  'a pattern that explodes': [
    'local s = "" for i = 1, 1000 do s = s .. "a" end return s:match(".-.-.-.-b")',
    /deadline exceeded/,
  ],
  'a text that doubles': ['local s = "x" while true do s = s .. s end', /memory limit exceeded/],
  'a table that grows': ['local t = {} for i = 1, 90000 do t[i] = i end', /memory limit exceeded/],
  'a table with a large gap': ['local t = {} t[60000000] = 1', /memory limit exceeded/],
  'lists of arguments': [
    'local t = {} for i = 1, 7000 do t[i] = i end while true do unpack(t) end',
    /exceeded/,
  ],
  'walks over removed entries': [
    'local t = {} for i = 1, 5000 do t["k" .. i] = i t["k" .. i] = nil end while true do for _ in pairs(t) do end end',
    /exceeded/,
  ],
  'lengths of what was emptied': [
    'local t = {} for i = 1, 9000 do t[i] = i end for i = 1, 9000 do t[i] = nil end while true do local n = #t end',
    /exceeded/,
  ],
  'tables in tables': ['local t = {} while true do t = {t} end', /memory limit exceeded/],
};
for (const [title, [body, message]] of Object.entries(greedy)) {
  test(`budget: ${title} ends`, () => {
    const program = compileLua(`function f() ${body} end`);
    const ends = (error: unknown): boolean => error instanceof LuaBudgetError && message.test(error.message);
    assert.throws(() => program.call('f', [], { limits: SMALL }), ends);
  });
}

test('a clock ends a run before its steps do', () => {
  let nowMs = 0;
  const now = (): number => (nowMs += 300);
  assert.throws(
    () => compileLua('function f() while true do end end').call('f', [], { now }),
    LuaBudgetError,
  );
  assert.ok(nowMs <= 2_000);
});

test('a call leaves nothing behind for the next', () => {
  const program = compileLua(
    'n = (n or 0) + 1 string.upper = nil function f() seen = (seen or 0) + 1 return n, seen end',
  );
  assert.deepEqual(program.call('f', []), [1, 1]);
  assert.deepEqual(program.call('f', []), [1, 1]);
});

test('a script without the function is an error, also when it is something else', () => {
  assert.throws(() => compileLua('').call('f', []), { message: 'not found function f' });
  assert.throws(() => compileLua('f = 1').call('f', []), { message: 'f is not a function: number' });
});

test('keys that JavaScript knows are keys like any other', () => {
  assert.deepEqual(run('local t = {} return t.constructor, t.__proto__, constructor'), [
    undefined,
    undefined,
    undefined,
  ]);
  const object = JSON.parse('{"__proto__": {"x": 1}, "constructor": "c"}') as JsonValue;
  const [back] = compileLua('function f(o) return o end').call('f', [object]);
  assert.ok(back instanceof LuaTable);
  assert.equal(JSON.stringify(toJson(back, {})), JSON.stringify(object));
});

test('empty tables become what a reference shows, wherever in a list, and go when none does', () => {
  const reference: JsonValue = { spec: { volumes: [{ emptyDir: {}, items: [] }], a: {} } };
  const [value] = compileLua(
    'function f() return {spec = {volumes = {{name = "x"}, {emptyDir = {}, items = {}, other = {}}}, a = {}, b = {}}} end',
  ).call('f', []);
  assert.ok(value instanceof LuaTable);
  assert.deepEqual(toJson(value, {}, new EmptyShapes([reference])), {
    spec: { volumes: [{ name: 'x' }, { emptyDir: {}, items: [] }], a: {} },
  });
  assert.deepEqual(toJson(value, {}), { spec: { volumes: [{ name: 'x' }, {}] } });
});

test('tables that are no JSON are refused', () => {
  const convert = (body: string): unknown => run(`return {${body}}`);
  assert.throws(() => convert('1, x = 2'), /mixed or invalid key types/);
  assert.throws(() => convert('[1] = 1, [3] = 3'), /sparse array/);
  assert.throws(() => convert('x = print'), /cannot encode function/);
  assert.throws(() => run('local t = {} t.t = t return t'), /recursively nested/);
});

test('objects pass through a script unharmed', () => {
  const leaf = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
    fc.boolean(),
  );
  const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.array(tie('value'), { minLength: 1 }),
      fc.dictionary(fc.string(), tie('value'), { minKeys: 1 }),
    ),
  }));
  const program = compileLua('function f(o) return o end');
  fc.assert(
    fc.property(value, (inner) => {
      const [back] = program.call('f', [{ inner }]);
      assert.ok(back instanceof LuaTable);
      assert.equal(JSON.stringify(toJson(back, {})), JSON.stringify({ inner }));
    }),
  );
});

// What libraries do with long texts and large tables takes its share of the steps, so that no few calls hold up the hub. A
// million steps are a twentieth of what scripts have.
const LONG = 'local s = "9%c\\\\" for i = 1, 17 do s = s .. s end';
const WIDE = 'local t = {1} for i = 1, 17 do t = {t, t} end';
const calls: Readonly<Record<string, readonly [given: string, call: string, atMost: number]>> = {
  quoting: [LONG, 'string.format("%q", s)', 3],
  dates: [LONG, 'os.date(s)', 3],
  printing: ['local s = "x" for i = 1, 20 do s = s .. s end', 'print(s)', 20],
  raising: ['local s = "x" for i = 1, 20 do s = s .. s end', 'pcall(error, s)', 20],
  'reading amounts': [LONG, 'pcall(kube.resourceAdd, s)', 10],
  'looking through tables': [WIDE, 'pcall(kube.getPodDependencies, {spec = t}, "x")', 4],
};
for (const [title, [given, call, atMost]] of Object.entries(calls)) {
  test(`budget: ${title} counts by its length`, () => {
    const body = `local kube = require("kube") ${given} while true do tick() ${call} end`;
    let ticks = 0;
    const print = (line: string): void => {
      if (line === 'tick' && ++ticks > atMost) throw new RangeError(`more than ${atMost} calls`);
    };
    const limits = { ...DEFAULT_LIMITS, stepsMax: 1_000_000, bytesMax: 2 ** 32 };
    const program = compileLua(`function f() local tick = function() print("tick") end ${body} end`);
    assert.throws(() => program.call('f', [], { limits, now: () => 0, print }), LuaBudgetError);
    assert.ok(ticks > 0);
  });
}

test('a script that is too long to be compiled in time is refused', () => {
  const lines = (count: number): string => `${'a = 1\n'.repeat(count)}function f() return a end`;
  assert.deepEqual(compileLua(lines(1000)).call('f', []), [1]);
  assert.throws(() => compileLua(lines(50_000)), /a script of more than 262144 characters/);
});
