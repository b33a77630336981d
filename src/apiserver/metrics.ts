// Numbers about the running server, in the text format that Prometheus reads. A registry is made by whoever starts
// the process and handed down; there is no global one. LIMIT: series of one metric are bounded, since some labels
// come from requests.

export type LabelValues = readonly string[];

export interface Counter {
  /** Values in the order of the metric's labels. */
  increment(labels: LabelValues, by?: number): void;
}

export interface Gauge {
  set(labels: LabelValues, value: number): void;
  add(labels: LabelValues, by: number): void;
}

export interface Histogram {
  observe(labels: LabelValues, value: number): void;
}

export interface MetricsRegistry {
  counter(name: string, help: string, labels?: readonly string[]): Counter;
  gauge(name: string, help: string, labels?: readonly string[]): Gauge;
  /** A gauge that is read when somebody asks. */
  observed(
    name: string,
    help: string,
    read: () => number | Iterable<readonly [LabelValues, number]>,
    labels?: readonly string[],
    type?: 'gauge' | 'counter',
  ): void;
  /** @param buckets upper bounds, ascending, without the infinite one */
  histogram(name: string, help: string, labels: readonly string[], buckets: readonly number[]): Histogram;
  /** Called before somebody reads, to set what costs a question to find out. */
  beforeReading(refresh: () => Promise<void>): void;
  /** Asks all of those. */
  refresh(): Promise<void>;
  /** Everything, as `text/plain; version=0.0.4`. */
  text(): string;
}

// LIMIT: what comes beyond is counted under this label, so that a client cannot fill memory with made-up names.
const SERIES_LIMIT = 5000;
const OTHER = '(other)';

interface Metric {
  readonly name: string;
  lines(): Iterable<string>;
}

export function createMetricsRegistry(): MetricsRegistry {
  const metrics = new Map<string, Metric>();
  const refreshing: (() => Promise<void>)[] = [];

  function simple(type: 'counter' | 'gauge', name: string, help: string, labels: readonly string[]): Gauge {
    const series = new SeriesTable(labels, () => ({ value: 0 }));
    metrics.set(name, {
      name,
      *lines() {
        yield* header(name, help, type);
        for (const { label, state } of series.all()) yield `${name}${braced(label)} ${state.value}`;
      },
    });
    return {
      set: (values, value) => void (series.of(values).value = value),
      add: (values, by) => void (series.of(values).value += by),
    };
  }

  return {
    counter(name, help, labels = []) {
      const gauge = simple('counter', name, help, labels);
      return { increment: (values, by = 1) => gauge.add(values, by) };
    },
    gauge: (name, help, labels = []) => simple('gauge', name, help, labels),
    observed(name, help, read, labels = [], type = 'gauge') {
      metrics.set(name, {
        name,
        *lines() {
          yield* header(name, help, type);
          const found = read();
          const rows = typeof found === 'number' ? [[[], found] as const] : found;
          for (const [values, value] of rows) yield `${name}${braced(labelText(labels, values))} ${value}`;
        },
      });
    },
    histogram(name, help, labels, buckets) {
      const series = new SeriesTable(labels, () => ({ counts: buckets.map(() => 0), count: 0, sum: 0 }));
      metrics.set(name, {
        name,
        *lines() {
          yield* header(name, help, 'histogram');
          for (const { label, state } of series.all()) {
            const prefix = label === '' ? '' : `${label},`;
            let below = 0;
            for (const [i, bound] of buckets.entries()) {
              below += state.counts[i]!;
              yield `${name}_bucket{${prefix}le="${bound}"} ${below}`;
            }
            yield `${name}_bucket{${prefix}le="+Inf"} ${state.count}`;
            yield `${name}_sum${braced(label)} ${state.sum}`;
            yield `${name}_count${braced(label)} ${state.count}`;
          }
        },
      });
      return {
        observe(values, value) {
          const state = series.of(values);
          const bucket = buckets.findIndex((bound) => value <= bound);
          if (bucket >= 0) state.counts[bucket]!++;
          state.count++;
          state.sum += value;
        },
      };
    },
    beforeReading: (refresh) => void refreshing.push(refresh),
    async refresh() {
      await Promise.all(refreshing.map((refresh) => refresh()));
    },
    text() {
      const lines: string[] = [];
      for (const metric of metrics.values()) for (const line of metric.lines()) lines.push(line);
      return `${lines.join('\n')}\n`;
    },
  };
}

interface Series<S> {
  readonly label: string;
  readonly state: S;
}

/** One state for each combination of label values. */
class SeriesTable<S> {
  readonly #labels: readonly string[];
  readonly #make: () => S;
  readonly #series = new Map<string, Series<S>>();

  constructor(labels: readonly string[], make: () => S) {
    this.#labels = labels;
    this.#make = make;
  }

  of(values: LabelValues): S {
    const key = values.join('\n');
    const known = this.#series.get(key);
    if (known !== undefined) return known.state;
    if (this.#series.size >= SERIES_LIMIT && values.some((value) => value !== OTHER)) {
      return this.of(this.#labels.map(() => OTHER));
    }
    const state = this.#make();
    this.#series.set(key, { label: labelText(this.#labels, values), state });
    return state;
  }

  all(): Iterable<Series<S>> {
    return this.#series.values();
  }
}

function* header(name: string, help: string, type: string): Generator<string> {
  yield `# HELP ${name} ${help}`;
  yield `# TYPE ${name} ${type}`;
}

function braced(label: string): string {
  return label === '' ? '' : `{${label}}`;
}

function labelText(labels: readonly string[], values: LabelValues): string {
  return labels.map((label, i) => `${label}="${escapeLabel(values[i] ?? '')}"`).join(',');
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
