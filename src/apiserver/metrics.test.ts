import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetricsRegistry } from './metrics.ts';

test('counters, gauges and histograms print as Prometheus reads them', () => {
  const metrics = createMetricsRegistry();
  const requests = metrics.counter('requests_total', 'Requests.', ['verb', 'code']);
  requests.increment(['GET', '200']);
  requests.increment(['GET', '200'], 2);
  requests.increment(['say "hi"\n', '\\']);
  metrics.gauge('inflight', 'Under way.').add([], 3);
  metrics.observed('heap_bytes', 'Memory.', () => 7);
  metrics.observed('objects', 'Objects.', () => [[['pods'], 4] as const], ['resource']);
  const seconds = metrics.histogram('seconds', 'Time.', ['verb'], [0.1, 1]);
  for (const value of [0.1, 0.5, 3]) seconds.observe(['GET'], value);
  assert.equal(
    metrics.text(),
    [
      '# HELP requests_total Requests.',
      '# TYPE requests_total counter',
      'requests_total{verb="GET",code="200"} 3',
      'requests_total{verb="say \\"hi\\"\\n",code="\\\\"} 1',
      '# HELP inflight Under way.',
      '# TYPE inflight gauge',
      'inflight 3',
      '# HELP heap_bytes Memory.',
      '# TYPE heap_bytes gauge',
      'heap_bytes 7',
      '# HELP objects Objects.',
      '# TYPE objects gauge',
      'objects{resource="pods"} 4',
      '# HELP seconds Time.',
      '# TYPE seconds histogram',
      'seconds_bucket{verb="GET",le="0.1"} 1',
      'seconds_bucket{verb="GET",le="1"} 2',
      'seconds_bucket{verb="GET",le="+Inf"} 3',
      'seconds_sum{verb="GET"} 3.6',
      'seconds_count{verb="GET"} 3',
      '',
    ].join('\n'),
  );
});

test('made-up label values beyond the limit share one series', () => {
  const metrics = createMetricsRegistry();
  const counter = metrics.counter('c', 'C.', ['resource']);
  for (let i = 0; i < 6000; i++) counter.increment([`r${i}`]);
  counter.increment(['r1']);
  const lines = metrics.text().split('\n');
  assert.ok(lines.includes('c{resource="r1"} 2'));
  assert.ok(lines.includes('c{resource="(other)"} 1000'));
});
