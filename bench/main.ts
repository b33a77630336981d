// Runs the measurements, which are the files beside this one: `npm run bench` lists them, `npm run bench -- NAME` runs
// one, with the arguments after it. What they share is in folders.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import path from 'node:path';

const names = globSync('*.ts', { cwd: import.meta.dirname })
  .map((file) => path.basename(file, '.ts'))
  .filter((name) => name !== 'main')
  .sort();
const [name, ...args] = process.argv.slice(2);
if (name === undefined || !names.includes(name)) {
  console.log(`Measurements: ${names.join(', ')}. Run one with: npm run bench -- NAME`);
  process.exit(name === undefined ? 0 : 2);
}
const result = spawnSync('node', [path.join(import.meta.dirname, `${name}.ts`), ...args], {
  stdio: 'inherit',
});
process.exit(result.status ?? 1);
