// Packs the charts of catalogue/charts, as `helm package` does but the same bytes every time, and writes their index.yaml.
// `--check` only says which files are stale.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { parseYaml } from '../src/client/index.ts';

const folder = path.resolve(import.meta.dirname, '..', 'catalogue', 'charts');
const BLOCK = 512;

export interface ChartFile {
  /** With the name of the chart in front, and `/` between. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** A chart as a gzipped archive in the format of POSIX tar. Names are up to 100 characters. */
export function packChart(files: readonly ChartFile[]): Buffer {
  const blocks = files.flatMap(({ path: name, bytes }) => {
    const rest = Buffer.alloc((BLOCK - (bytes.byteLength % BLOCK)) % BLOCK);
    return [headerOf(name, bytes.byteLength), Buffer.from(bytes), rest];
  });
  // Stored and not squeezed: what squeezes differs from one version to the next.
  const packed = gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]), { level: 0 });
  // The system that packed it is nobody's business.
  packed[9] = 255;
  return packed;
}

function headerOf(name: string, size: number): Buffer {
  if (Buffer.byteLength(name) > 100) throw new Error(`${name} is longer than 100 bytes`);
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;
  header.write(name, 0);
  header.write(octal(0o644, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(size, 11), 124);
  header.write(octal(0, 11), 136);
  header.write(' '.repeat(8), 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** Every packed chart and the index, by their names in catalogue/charts. */
function packedCharts(): Readonly<Record<string, Buffer>> {
  const packed: Record<string, Buffer> = {};
  const entries: string[] = [];
  for (const chart of readdirSync(folder, { withFileTypes: true }).filter((one) => one.isDirectory())) {
    const below = path.join(folder, chart.name);
    const files = readdirSync(below, { recursive: true, withFileTypes: true })
      .filter((one) => one.isFile())
      .map((one) => path.join(one.parentPath, one.name))
      .sort()
      .map((file) => ({
        path: `${chart.name}/${path.relative(below, file).replaceAll(path.sep, '/')}`,
        bytes: readFileSync(file),
      }));
    const { version, description } = parseYaml(readFileSync(path.join(below, 'Chart.yaml'), 'utf8')) as {
      readonly version: string;
      readonly description: string;
    };
    const name = `${chart.name}-${version}.tgz`;
    const bytes = packChart(files);
    packed[name] = bytes;
    entries.push(
      `  ${chart.name}:\n    - apiVersion: v2\n      name: ${chart.name}\n      version: ${version}\n      description: ${description}\n      digest: ${createHash('sha256').update(bytes).digest('hex')}\n      urls: [${name}]\n`,
    );
  }
  packed['index.yaml'] = Buffer.from(`apiVersion: v1\nentries:\n${entries.join('')}`);
  return packed;
}

/** Names of the files that are not what the sources come to. */
export function staleCharts(): readonly string[] {
  return Object.entries(packedCharts())
    .filter(([name, bytes]) => {
      const file = path.join(folder, name);
      return !existsSync(file) || !readFileSync(file).equals(bytes);
    })
    .map(([name]) => name);
}

if (process.argv[1] === import.meta.filename) {
  const stale = staleCharts();
  if (process.argv.includes('--check')) {
    for (const name of stale)
      console.error(`catalogue/charts/${name} is stale; run node scripts/pack-charts.ts`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else {
    const packed = packedCharts();
    for (const name of stale) writeFileSync(path.join(folder, name), packed[name]!);
  }
}
