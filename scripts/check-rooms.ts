// Holds the layout of ARCHITECTURE.md: a room imports only from rooms below it and only through their
// index.ts, files do not import each other in circles, and PURE rooms touch no `node:*`, timer, clock or chance.
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';

const PURE = ['explain', 'scheduling', 'interpreter', 'propagation', 'failover', 'fleet', 'packaging'];
const foundation = ['fleet', 'machinery', 'api', 'base'];
const below = (...rooms: string[]): Set<string> => new Set([...rooms, ...foundation]);
const allowed: Record<string, Set<string>> = {
  base: new Set(),
  api: new Set(['base']),
  machinery: new Set(['api', 'base']),
  fleet: new Set(['machinery', 'api', 'base']),
  storage: new Set(['base']),
  interpreter: below(),
  scheduling: below(),
  failover: below(),
  packaging: below('interpreter'),
  propagation: below('interpreter'),
  explain: below('scheduling', 'failover', 'propagation', 'interpreter', 'packaging'),
  client: below(),
  runtime: below('client'),
  apiserver: below('storage'),
  admission: below(...PURE),
  housekeeping: below('runtime', 'client'),
  members: below('housekeeping', 'apiserver', 'runtime', 'client', 'storage'),
  packages: below('runtime', 'client', ...PURE),
  estimator: below('scheduling', 'runtime', 'client'),
  controllers: below('estimator', 'runtime', 'client', ...PURE),
  controlplane: below(
    'controllers',
    'estimator',
    'housekeeping',
    'admission',
    'apiserver',
    'runtime',
    'client',
    'storage',
    ...PURE,
  ),
  cli: below('client', ...PURE),
  simulation: below(
    'controlplane',
    'controllers',
    'estimator',
    'packages',
    'members',
    'housekeeping',
    'admission',
    'apiserver',
    'runtime',
    'client',
    'storage',
    ...PURE,
  ),
  hub: below(
    'cli',
    'controlplane',
    'controllers',
    'estimator',
    'packages',
    'members',
    'housekeeping',
    'admission',
    'apiserver',
    'runtime',
    'client',
    'storage',
    'simulation',
    ...PURE,
  ),
};
// Standing for "from one turn to the next, or from outside": what would make a decision impossible to replay.
const impure =
  /\b(setTimeout|setInterval|setImmediate|queueMicrotask|Date\.now|Math\.random|performance\.now|new Date\(\)|crypto\.\w+)/;

// The rooms that run in a simulated world: time and chance reach them only as a Clock and a Random, and turns of the
// event loop come from nowhere else (adr/0011-determinism.md). Listed are the doors to the outside world, which a
// simulation replaces or does not open, and what they may use there.
const SIMULATED = Object.keys(allowed).filter((room) => room !== 'hub' && room !== 'cli');
const outside =
  /\b(setTimeout|setInterval|setImmediate|nextTick|Date\.now|Math\.random|performance\.now|new Date\(\)|AbortSignal\.timeout|crypto\.(randomUUID|getRandomValues|subtle)|systemClock|systemRandom|await import\(|= import\()/;
const outsideModules =
  /^node:(fs|net|tls|http|http2|https|dns|dgram|worker_threads|child_process|timers|sqlite|readline|cluster)\b/;
const doors = [
  'src/base/clock.ts',
  'src/base/random.ts',
  'src/base/index.ts',
  // Defaults for who hands in no Clock.
  'src/storage/revision-log.ts',
  'src/client/discovery.ts',
  'src/storage/worker.ts',
  'src/storage/storage-worker.ts',
  'src/storage/record-file.ts',
  'src/apiserver/listen/',
  'src/apiserver/proxy/',
  'src/apiserver/security/certificates.ts',
  'src/apiserver/security/certificate-store.ts',
  'src/apiserver/security/token-signer.ts',
  // Tokens of others, which nobody brings along in a simulated world.
  'src/apiserver/security/jwt/',
  // The audit log on an operator's disk.
  'src/apiserver/audit/log-file.ts',
  'src/apiserver/webhooks/client.ts',
  'src/client/https/',
  'src/client/helm/',
  'src/client/kubeconfig/',
  'src/members/faults/network-gate.ts',
  'src/simulation/virtual-clock.ts',
];

const root = path.resolve(import.meta.dirname, '..');
const files = globSync('src/**/*.ts', { cwd: root }).map((file) => file.replaceAll('\\', '/'));
const problems: string[] = [];
const graph = new Map<string, string[]>();

function roomOf(file: string): string {
  return file.split('/')[1] ?? '';
}

for (const file of files) {
  const room = roomOf(file);
  const text = readFileSync(path.join(root, file), 'utf8');
  // What stands in testing/ is only for tests, and may build their world of any room.
  const test = file.endsWith('.test.ts') || file.includes('/testing/');
  const permitted = allowed[room];
  if (permitted === undefined) {
    problems.push(`${file}: src/${room}/ is no room of ARCHITECTURE.md`);
    continue;
  }
  const imports = [
    ...text.matchAll(
      /^\s*(import|export)\b(\s+type\b)?[^;'"]*?from\s+'([^']+)'|^\s*import\s+'([^']+)'|\bimport\('([^']+)'\)/gm,
    ),
  ];
  const edges: string[] = [];
  for (const match of imports) {
    const target = match[3] ?? match[4] ?? match[5] ?? '';
    if (target.startsWith('node:') && PURE.includes(room) && !test)
      problems.push(`${file}: PURE room imports ${target}`);
    if (!target.startsWith('.')) continue;
    const resolved = path.posix.normalize(path.posix.join(path.posix.dirname(file), target));
    if (!resolved.startsWith('src/')) {
      if (!test) problems.push(`${file}: imports ${target} from outside src/`);
      continue;
    }
    const other = roomOf(resolved);
    if (other !== room) {
      // A test may stand its room on real parts of any other, but enters them by their doors too.
      if (!permitted.has(other) && !test) problems.push(`${file}: room ${room} may not import room ${other}`);
      if (resolved !== `src/${other}/index.ts` && !/\/(testing|generated)\//.test(resolved)) {
        problems.push(`${file}: enters room ${other} by ${target} instead of its index.ts`);
      }
    }
    if (match[2] === undefined && !test) edges.push(resolved);
  }
  graph.set(file, edges);
  if (SIMULATED.includes(room) && !test && !doors.some((door) => file.startsWith(door))) {
    text.split('\n').forEach((line, index) => {
      const used = outside.exec(line.replace(/\/\/.*$|^\s*\*.*$|^\s*\/\*\*.*$/, ''));
      if (used !== null)
        problems.push(
          `${file}:${index + 1}: uses ${used[0]}, which a simulation cannot replay; take it from outside`,
        );
    });
    for (const match of imports) {
      const target = match[3] ?? match[4] ?? match[5] ?? '';
      if (outsideModules.test(target))
        problems.push(`${file}: imports ${target}, which a simulation has no part in`);
    }
  }
  if (PURE.includes(room) && !test) {
    text.split('\n').forEach((line, index) => {
      const found = impure.exec(line.replace(/\/\/.*$|^\s*\*.*$/, ''));
      if (found !== null) problems.push(`${file}:${index + 1}: PURE room uses ${found[0]}`);
    });
  }
}

const state = new Map<string, 'open' | 'done'>();
function visit(file: string, trail: string[]): void {
  if (state.get(file) === 'done') return;
  if (state.get(file) === 'open') {
    problems.push(`import cycle: ${[...trail.slice(trail.indexOf(file)), file].join(' -> ')}`);
    return;
  }
  state.set(file, 'open');
  for (const next of graph.get(file) ?? []) visit(next, [...trail, file]);
  state.set(file, 'done');
}
for (const file of files) visit(file, []);

for (const problem of problems) console.error(problem);
console.log(`${files.length} files in ${new Set(files.map(roomOf)).size} rooms, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
