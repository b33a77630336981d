// Rendering charts with a `helm` program that somebody else runs: fetched by us, within our bounds and with our logins, pinned
// by digest, and kept as long as nothing that they are made of changes.
import { errorMessage } from '../../base/index.ts';
import type { FileDigest } from '../../api/index.ts';
import type { RepositorySeams } from '../repository-client.ts';
import { fetchChart, type ChartPlace } from './source.ts';
import {
  ChartError,
  differing,
  readRendered,
  templateArguments,
  type Capabilities,
  type ChartToRender,
  type RenderedChart,
} from './template.ts';

/** A `helm` program, run without the network, the cluster or anything else of its surroundings. */
export interface HelmProgram {
  /** E.g. `v4.1.4`. */
  readonly version: string;
  /**
   * What it prints. Rejects with what it complains of.
   * @param args may name the chart by CHART_FILE
   */
  run(request: {
    readonly args: readonly string[];
    readonly chart: Uint8Array;
    /** For its standard input. */
    readonly input: string;
    readonly signal?: AbortSignal;
  }): Promise<string>;
}

/** What the chart is called where the program runs. */
export const CHART_FILE = 'chart.tgz';
/** LIMIT: bytes of charts, and of what they rendered to, that are kept; what was not used for longest goes first. */
const KEPT_BYTES_MAX = 64 * 1024 * 1024;

/** What is known of the digests of charts, by the name under which `digestName` enters them. */
export interface Pinned {
  readonly digests: readonly FileDigest[];
  /** Throws for a digest that is not the one that is known or declared. */
  readonly check: (name: string, sha256: string, declared: string | undefined) => void;
}

export interface RenderedCharts {
  readonly charts: readonly RenderedChart[];
  /** Of every chart, by digestName. */
  readonly digests: readonly { readonly name: string; readonly sha256: string; readonly declared: boolean }[];
}

/** How the digest of a chart is entered among those of the files of a package. */
export function digestName({
  chartName,
  chartVersion,
}: {
  readonly chartName: string;
  readonly chartVersion: string;
}): string {
  return `chart:${chartName}-${chartVersion}`;
}

export class ChartRenderer {
  readonly helm: HelmProgram;
  private readonly seams: RepositorySeams;
  private readonly packed = new Shelf<Uint8Array>();
  private readonly rendered = new Shelf<RenderedChart>();

  constructor(helm: HelmProgram, seams: RepositorySeams) {
    this.helm = helm;
    this.seams = seams;
  }

  /** Throws ChartError for what helm or this refuses, RepositoryError for what cannot be had, and what `check` throws. */
  async render(
    charts: readonly ChartToRender[],
    place: ChartPlace,
    capabilities: Capabilities,
    { digests, check }: Pinned,
    signal?: AbortSignal,
  ): Promise<RenderedCharts> {
    const rendered: RenderedChart[] = [];
    const found: { readonly name: string; readonly sha256: string; readonly declared: boolean }[] = [];
    for (const chart of charts) {
      const name = digestName(chart);
      const pinned = digests.find(({ url }) => url === name)?.sha256;
      const known = pinned === undefined ? undefined : this.packed.get(pinned);
      const { bytes, sha256 } =
        known === undefined
          ? await fetchChart(place, chart, this.seams, signal)
          : { bytes: known, sha256: pinned! };
      check(name, sha256, chart.sha256?.toLowerCase());
      this.packed.put(sha256, bytes, bytes.byteLength);
      found.push({ name, sha256, declared: chart.sha256 !== undefined });
      rendered.push(await this.one(chart, bytes, sha256, capabilities, signal));
    }
    return { charts: rendered, digests: found };
  }

  private async one(
    chart: ChartToRender,
    bytes: Uint8Array,
    sha256: string,
    capabilities: Capabilities,
    signal: AbortSignal | undefined,
  ): Promise<RenderedChart> {
    const args = templateArguments(chart, capabilities, CHART_FILE);
    const input = JSON.stringify(chart.values);
    const madeOf = JSON.stringify([this.helm.version, sha256, args, input]);
    const key = this.seams.sha256(new TextEncoder().encode(madeOf));
    const known = this.rendered.get(key);
    if (known !== undefined) return known;
    const print = async (): Promise<string> => {
      try {
        return await this.helm.run({
          args,
          chart: bytes,
          input,
          ...(signal === undefined ? {} : { signal }),
        });
      } catch (error) {
        signal?.throwIfAborted();
        throw new ChartError(`chart "${chart.chartName}" ${chart.chartVersion}: ${errorMessage(error)}`, {
          cause: error,
        });
      }
    };
    const output = await print();
    const read = (text: string): RenderedChart => {
      try {
        return readRendered(text, chart, this.seams.parseYaml);
      } catch (error) {
        if (error instanceof ChartError) throw error;
        throw new ChartError(`chart "${chart.chartName}" renders to no YAML: ${errorMessage(error)}`, {
          cause: error,
        });
      }
    };
    const rendered = read(output);
    // What a chart makes up would change at every look, and take passwords and certificates along.
    const again = await print();
    if (again !== output) {
      const where = differing(rendered, read(again)).slice(0, 5);
      throw new ChartError(
        `chart "${chart.chartName}" renders differently each time${where.length === 0 ? '' : `, in ${where.join(', ')}`}: it makes values up, which would change at every look. Set those values, or install the package through Flux (annotation packages.glasskube.dev/helm: flux)`,
      );
    }
    this.rendered.put(key, rendered, output.length);
    return rendered;
  }
}

/** By key; what was not used for longest goes first. */
class Shelf<T> {
  private readonly kept = new Map<string, { readonly value: T; readonly size: number }>();
  private bytes = 0;

  get(key: string): T | undefined {
    const known = this.kept.get(key);
    if (known === undefined) return undefined;
    this.kept.delete(key);
    this.kept.set(key, known);
    return known.value;
  }

  put(key: string, value: T, size: number): void {
    if (this.kept.has(key)) return;
    this.kept.set(key, { value, size });
    this.bytes += size;
    for (const [oldest, { size: freed }] of this.kept) {
      if (this.bytes <= KEPT_BYTES_MAX || oldest === key) return;
      this.kept.delete(oldest);
      this.bytes -= freed;
    }
  }
}
