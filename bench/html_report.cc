#include <string>
#include <string_view>

#include "bench/report.h"

namespace weir::bench {
namespace {

constexpr std::string_view kBeforeData = R"page(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>weir-bench</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 860px; margin: 2rem auto; padding: 0 1rem; color: #1d2733; }
  h1 { font-size: 1.4rem; margin-bottom: 0; } h2 { font-size: 1.05rem; margin: 2rem 0 .3rem; }
  table { border-collapse: collapse; } td, th { padding: .2rem 1rem .2rem 0; text-align: right; font-variant-numeric: tabular-nums; }
  th:first-child, td:first-child { text-align: left; } th { font-weight: 600; border-bottom: 1px solid #c9d1da; }
  svg { width: 100%; height: auto; background: #fafbfc; border: 1px solid #dfe4ea; }
  svg text { font: 11px system-ui, sans-serif; fill: #5b6773; } .grid { stroke: #e6eaee; }
  .wrong { color: #a4262c; } .quiet { color: #5b6773; }
  @media (prefers-color-scheme: dark) { body { background: #14181d; color: #dbe2ea; } svg { background: #191f26; border-color: #2c353f; }
    .grid { stroke: #2a323b; } th { border-color: #3a444f; } svg text, .quiet { fill: #93a0ad; color: #93a0ad; } .wrong { color: #ff8f8f; } }
</style>
<h1>weir-bench</h1>
<p id="subject" class="quiet"></p>
<div id="complaints"></div>
<table id="figures"></table>
<h2>Answers a second</h2><div id="rate"></div>
<h2>Response time by second, ms (log scale)</h2><div id="latency"></div>
<h2>Response time by percentile, ms (log scale)</h2><div id="percentiles"></div>
<h2>Answers by status</h2>
<table id="statuses"></table>
<script id="data" type="application/json">)page";

constexpr std::string_view kAfterData = R"page(</script>
<script>
'use strict';
const run = JSON.parse(document.getElementById('data').textContent);
const byId = id => document.getElementById(id);
const number = (value, digits = 0) => value.toLocaleString('en', {maximumFractionDigits: digits, minimumFractionDigits: digits});
const svg = (name, attributes, text) => {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
};
const row = (table, cells, tag = 'td') => {
  const line = table.appendChild(document.createElement('tr'));
  for (const cell of cells) line.appendChild(document.createElement(tag)).textContent = cell;
};

// series: [{name, color, points: [[x, y], …]}]; axes: {log, xTicks: [[x, label], …]}
function chart(target, series, {log = false, xTicks}) {
  const width = 840, height = 260, left = 60, right = 90, top = 12, bottom = 28;
  const points = series.flatMap(one => one.points);
  if (points.length === 0) { byId(target).textContent = 'no data'; return; }
  const xs = points.map(point => point[0]), ys = points.map(point => point[1]).filter(y => !log || y > 0);
  const [x0, x1] = [Math.min(...xs), Math.max(Math.min(...xs) + 1e-9, ...xs)];
  let y0 = log ? 10 ** Math.floor(Math.log10(Math.min(...ys))) : 0;
  let y1 = log ? 10 ** Math.ceil(Math.log10(Math.max(...ys) * 1.0001)) : Math.max(1, ...ys) * 1.08;
  const scale = y => log ? Math.log10(Math.max(y, y0)) : y;
  const px = x => left + (x - x0) / (x1 - x0) * (width - left - right);
  const py = y => height - bottom - (scale(y) - scale(y0)) / (scale(y1) - scale(y0)) * (height - top - bottom);
  const picture = svg('svg', {viewBox: `0 0 ${width} ${height}`, role: 'img'});
  const yTicks = log ? Array.from({length: Math.round(scale(y1) - scale(y0)) + 1}, (_, i) => y0 * 10 ** i)
                     : Array.from({length: 5}, (_, i) => y1 / 1.08 * i / 4);
  for (const y of yTicks) {
    picture.append(svg('line', {class: 'grid', x1: left, x2: width - right, y1: py(y), y2: py(y)}),
                   svg('text', {x: left - 8, y: py(y) + 4, 'text-anchor': 'end'}, number(y, y < 1 ? 3 : 0)));
  }
  for (const [x, label] of xTicks(x0, x1)) picture.append(svg('text', {x: px(x), y: height - 9, 'text-anchor': 'middle'}, label));
  const labels = [];
  for (const {name, color, points: line} of series) {
    picture.append(svg('polyline', {fill: 'none', stroke: color, 'stroke-width': 1.8,
      points: line.map(([x, y]) => `${px(x).toFixed(1)},${py(y).toFixed(1)}`).join(' ')}));
    labels.push({name, color, y: py(line[line.length - 1][1])});
  }
  labels.sort((a, b) => a.y - b.y);
  labels.forEach((label, i) => { if (i > 0) label.y = Math.max(label.y, labels[i - 1].y + 13); });
  for (const {name, color, y} of labels) picture.append(svg('text', {x: width - right + 8, y: y + 4, style: `fill:${color}`}, name));
  byId(target).append(picture);
}

const loop = run.loop === 'open' ? `open loop (${run.arrivals}), ${number(run.offered_per_s)}/s offered` : 'closed loop';
byId('subject').textContent = `${run.url} as ${run.kind}: ${loop}, ${run.connections} connections, ${run.threads} thread(s), ` +
  `${run.request_bytes} bytes a request, ${number(run.measured_s, 1)} s measured after ${number(run.warmup_s, 1)} s of warm-up`;
for (const complaint of run.complaints) {
  const line = byId('complaints').appendChild(document.createElement('p'));
  line.className = 'wrong';
  line.textContent = complaint;
}
row(byId('figures'), ['ms', 'p50', 'p90', 'p99', 'p99.9', 'max'], 'th');
for (const [name, of] of [['response', run.response_ms], ['service', run.service_ms]]) {
  row(byId('figures'), [name, ...['p50', 'p90', 'p99', 'p99.9', 'max'].map(key => number(of[key], 3))]);
}
row(byId('figures'), ['answers a second', number(run.achieved_per_s), '', '', '', '']);

const seconds = (x0, x1) => {
  const step = Math.max(1, Math.ceil((x1 - x0) / 10));
  return Array.from({length: Math.floor((x1 - x0) / step) + 1}, (_, i) => [x0 + i * step, `${x0 + i * step} s`]);
};
const ofSecond = key => run.timeline.map(point => [point.second, point[key]]);
chart('rate', [{name: 'answers', color: '#2563a8', points: ofSecond('answers')},
               {name: 'trouble', color: '#c0392b', points: ofSecond('trouble')}], {xTicks: seconds});
chart('latency', [{name: 'p50', color: '#2563a8', points: ofSecond('p50')}, {name: 'p99', color: '#c77700', points: ofSecond('p99')},
                  {name: 'max', color: '#c0392b', points: ofSecond('max')}], {log: true, xTicks: seconds});
const nines = run.percentiles_ms.filter(([quantile]) => quantile < 1).map(([quantile, ms]) => [-Math.log10(1 - quantile), ms]);
chart('percentiles', [{name: 'response', color: '#2563a8', points: nines}], {log: true, xTicks: (_, x1) =>
  [[0, '0 %'], [1, '90 %'], [2, '99 %'], [3, '99.9 %'], [4, '99.99 %'], [5, '99.999 %'], [6, '99.9999 %']].filter(([x]) => x <= x1)});

row(byId('statuses'), ['request', ...Object.keys(run.statuses)], 'th');
for (const [name, counts] of Object.entries(run.classes)) {
  if (Object.keys(counts).length > 0) row(byId('statuses'), [name, ...Object.keys(run.statuses).map(status => number(counts[status] ?? 0))]);
}
</script>
</html>
)page";

}  // namespace

std::string HtmlReport(std::string_view json) {
  std::string page(kBeforeData);
  // "</script>" inside the data would end it; a JSON text only has '<' inside strings, where an escape means
  // the same.
  for (const char c : json) {
    if (c == '<') {
      page += "\\u003c";
    } else {
      page += c;
    }
  }
  return page.append(kAfterData);
}

}  // namespace weir::bench
