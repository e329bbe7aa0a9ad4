"use strict";
// The status page: asks for status.json once a second and puts it on the screen. Only what changed
// is touched, so that text can be selected and a thousand rows stay cheap.

const KEEP = 60;          // seconds of a row's small plot
const ROWS_MAX = 100;     // rows of a table until more are asked for
const $ = (selector, root = document) => root.querySelector(selector);

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}
function setText(node, text) { if (node.textContent !== text) node.textContent = text; }
function setClass(node, name) { if (node.className !== name) node.className = name; }

// ---- numbers for people --------------------------------------------------------------------------

function scaled(value, base, units) {
  let unit = 0;
  while (Math.abs(value) >= base * 0.9995 && unit < units.length - 1) { value /= base; ++unit; }
  const digits = unit === 0 ? (value > 0 && value < 10 && value % 1 >= 0.05 ? 1 : 0) : value < 100 ? 1 : 0;
  return value.toFixed(digits) + units[unit];
}
const count = v => Math.abs(v) < 1e7 ? Math.round(v).toLocaleString("en-US") : scaled(v, 1000, ["", " k", " M", " G", " T"]);
const rate = v => v < 10000 ? (v > 0 && v < 10 && v % 1 >= 0.05 ? v.toFixed(1) : count(v)) : scaled(v, 1000, ["", " k", " M", " G"]);
const bits = v => scaled(v, 1000, [" bit/s", " kbit/s", " Mbit/s", " Gbit/s", " Tbit/s"]);
const percent = v => (v < 10 && v > 0 ? v.toFixed(1) : Math.round(v)) + " %";
const milliseconds = v => v < 10 ? v.toFixed(2) + " ms" : v < 1000 ? Math.round(v) + " ms" : (v / 1000).toFixed(1) + " s";
function age(seconds) {
  if (seconds < 60) return Math.floor(seconds) + " s";
  if (seconds < 3600) return Math.floor(seconds / 60) + " min";
  if (seconds < 86400) return Math.floor(seconds / 3600) + " h " + Math.floor(seconds / 60 % 60) + " min";
  return Math.floor(seconds / 86400) + " d " + Math.floor(seconds / 3600 % 24) + " h";
}

// ---- plots ---------------------------------------------------------------------------------------

const SVG = "http://www.w3.org/2000/svg";
function makePlot(lines) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "plot");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("viewBox", "0 0 100 30");
  svg.setAttribute("aria-hidden", "true");
  for (const name of lines) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", name);
    svg.append(path);
  }
  return svg;
}
// The newest value is at the right edge; `slots` is the width in samples.
function drawPlot(svg, series, slots, atLeast = 1) {
  const top = Math.max(atLeast, ...series.map(values => Math.max(0, ...values))) * 1.08;
  const points = values => values.map((v, i) =>
    ((slots - values.length + i) * 100 / (slots - 1)).toFixed(2) + "," + (29.2 - 28 * v / top).toFixed(2));
  const paths = svg.children;
  series.forEach((values, i) => {
    const line = values.length > 1 ? "M" + points(values).join("L") : "";
    if (i === 0) {
      const left = ((slots - values.length) * 100 / (slots - 1)).toFixed(2);
      paths[0].setAttribute("d", line && line + `L100,30L${left},30Z`);
      paths[1].setAttribute("d", line);
    } else {
      paths[i + 1].setAttribute("d", line);
    }
  });
}

// ---- tables --------------------------------------------------------------------------------------

// A column: {title, tip, value(row) for sorting, text(row), left, hide (on phones), zero (dim when 0),
// also (a class of its cells),
// node() and draw(node, row) for what is no text}. key(row) tells rows apart, tone(row) colours them.
class Table {
  constructor(section, columns, options) {
    this.section = $(section);
    this.columns = columns;
    this.options = options;
    this.rows = new Map();
    this.past = new Map();
    this.sort = null;
    this.all = false;
    this.build();
  }

  build() {
    const title = $("h3", this.section);
    const top = make("div", "top");
    title.replaceWith(top);
    this.sum = make("span", "sum");
    top.append(title, this.sum);
    const tools = make("div", "tools");
    if (this.options.filter) {
      this.filter = make("input");
      this.filter.type = "search";
      this.filter.placeholder = this.options.filter;
      this.filter.setAttribute("aria-label", this.options.filter);
      this.filter.hidden = true;
      this.filter.oninput = () => this.show(this.last);
      tools.append(this.filter);
    }
    this.more = make("button");
    this.more.onclick = () => { this.all = !this.all; this.show(this.last); };
    this.more.hidden = true;
    tools.append(this.more);
    top.append(tools);
    if (this.options.legend) this.section.append(this.options.legend());
    const scroll = make("div", "scroll");
    const table = make("table", this.columns.some(column => column.wide) ? "list" : "");
    const head = table.createTHead().insertRow();
    this.heads = this.columns.map((column, i) => {
      const th = make("th", this.classOf(column), column.title);
      if (column.tip) th.title = column.tip;
      if (column.value) th.onclick = () => this.sortBy(i);
      head.append(th);
      return th;
    });
    this.body = table.createTBody();
    scroll.append(table);
    this.none = make("p", "none", this.options.none || "none");
    this.section.append(scroll, this.none);
    this.scroll = scroll;
  }

  classOf(column) { return [column.left && "left", column.wide && "wide", column.hide && "hide", column.also].filter(Boolean).join(" "); }

  sortBy(i) {
    const down = !this.columns[i].left;
    if (this.sort && this.sort.i === i) this.sort = this.sort.down === down ? {i, down: !down} : null;
    else this.sort = {i, down};
    this.heads.forEach((th, h) => {
      if (this.sort && h === this.sort.i) th.setAttribute("aria-sort", this.sort.down ? "descending" : "ascending");
      else th.removeAttribute("aria-sort");
    });
    this.show(this.last);
  }

  ordered(rows) {
    if (!this.sort) {
      const weight = {critical: 0, warning: 1};
      const of = row => weight[this.options.tone(row)] ?? 2;
      return this.options.tone ? rows.map((row, i) => [of(row), i, row]).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(x => x[2]) : rows;
    }
    const {i, down} = this.sort;
    const value = this.columns[i].value;
    return [...rows].sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      return (x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1);
    });
  }

  // Once a sample, before show().
  remember(rows) {
    if (!this.options.plotted) return;
    const seen = new Set();
    for (const row of rows) {
      const key = this.options.key(row);
      seen.add(key);
      const past = this.past.get(key) || [];
      past.push(this.options.plotted(row));
      if (past.length > KEEP) past.shift();
      this.past.set(key, past);
    }
    for (const key of this.past.keys()) if (!seen.has(key)) this.past.delete(key);
  }

  show(all) {
    if (!all) return;
    this.last = all;
    let rows = this.options.only && !this.all ? all.filter(this.options.only) : all;
    const words = this.filter ? this.filter.value.trim().toLowerCase() : "";
    if (this.filter) this.filter.hidden = all.length < 8 && !words;
    if (words) rows = rows.filter(row => this.options.words(row).toLowerCase().includes(words));
    rows = this.ordered(rows);
    const shown = this.all ? rows : rows.slice(0, ROWS_MAX);
    const hidden = (this.options.only ? all.length : rows.length) - shown.length;
    this.more.hidden = !(hidden > 0 || this.all);
    setText(this.more, this.all ? "Show fewer" : `Show all ${this.options.only ? all.length : rows.length}`);
    this.scroll.hidden = shown.length === 0;
    this.none.hidden = shown.length > 0;
    setText(this.sum, this.options.sum ? this.options.sum(all) : "");
    this.put(shown);
  }

  put(rows) {
    const seen = new Set();
    let before = null;
    for (const row of rows) {
      const key = this.options.key(row);
      seen.add(key);
      let line = this.rows.get(key);
      if (!line) this.rows.set(key, line = this.newLine());
      const tone = this.options.tone ? this.options.tone(row) : "";
      setClass(line.tr, tone);
      this.columns.forEach((column, c) => this.fill(column, line, c, row, key));
      const next = before ? before.nextSibling : this.body.firstChild;
      if (next !== line.tr) this.body.insertBefore(line.tr, next);
      before = line.tr;
    }
    for (const [key, line] of this.rows) {
      if (!seen.has(key)) { line.tr.remove(); this.rows.delete(key); }
    }
  }

  newLine() {
    const tr = make("tr");
    const nodes = this.columns.map(column => {
      const td = make("td", this.classOf(column));
      tr.append(td);
      if (!column.node) return td;
      const node = column.node();
      td.append(node);
      return node;
    });
    return {tr, nodes};
  }

  fill(column, line, c, row, key) {
    const node = line.nodes[c];
    if (column.draw) { column.draw(node, row, this.past.get(key) || []); return; }
    setText(node, column.text(row));
    if (column.zero) setClass(node, this.classOf(column) + (column.value(row) ? "" : " zero"));
  }
}

const number = (title, field, more = {}) =>
  ({title, value: row => row[field] || 0, text: row => count(row[field] || 0), zero: true, ...more});
const perSecond = (title, field, more = {}) => number(title, field, {text: row => rate(row[field] || 0), ...more});
const traffic = (title, field, more = {}) => number(title, field, {text: row => bits(8 * (row[field] || 0)), ...more});
const word = (title, field, more = {}) =>
  ({title, value: row => String(row[field] ?? ""), text: row => String(row[field] ?? ""), left: true, ...more});
// Nearly all is TCP, so only another protocol is named.
const otherProtocol = row => row.protocol && row.protocol !== "tcp" ? " " + row.protocol : "";
const duration = (title, field, more = {}) =>
  ({title, value: row => row[field] ?? -1, text: row => row[field] === null || row[field] === undefined ? "–" : milliseconds(row[field]), ...more});
const plot = () => ({title: "last minute", node: () => makePlot(["area", "line"]), draw: (svg, row, past) => drawPlot(svg, [past], KEEP), hide: true});

function makeState() { const span = make("span", "state"); span.append(make("i"), make("span")); return span; }
function drawState(span, tone, text, tip) {
  setClass(span, "state " + tone);
  setText(span.lastChild, text);
  if (span.title !== (tip || "")) span.title = tip || "";
}
function makeBar(parts, thin) {
  const bar = make("div", thin ? "bar thin" : "bar");
  for (const part of parts) bar.append(make("i", part));
  return bar;
}
function drawBar(bar, values, whole) {
  values.forEach((value, i) => { bar.children[i].style.width = (whole > 0 ? 100 * value / whole : 0).toFixed(2) + "%"; });
}
function legend(items) {
  const box = make("div", "legend");
  for (const [className, text, tip] of items) {
    const span = make("span");
    span.append(make("i", className), text);
    if (tip) span.title = tip;
    box.append(span);
  }
  return box;
}

// ---- what is shown -------------------------------------------------------------------------------

function backendState(row) {
  const since = row.health === "down" && row.health_since_s > 0 ? ` for ${age(row.health_since_s)}` : "";
  return {tone: row.condition === "removed" ? "" : row.severity, text: row.condition + since, tip: row.condition_text};
}

// What an operator or its check says of it; where the figures say more, that.
const whyOf = row => row.why || (row.severity === "ok" || row.condition === "removed" ? "" : row.condition_text);

const endsIn = row => row.ends_in_s === null || row.ends_in_s > 86400 ? "–" : age(row.ends_in_s);
// A colour only where something is wrong.
const tone = row => row === undefined || row.severity === "ok" ? "" : row.severity;

const tables = {
  services: new Table("#services", [
    word("service", "name"),
    {title: "state", left: true, value: row => row.backends_up ? 1 : 0, node: makeState, draw: (span, row) => {
      drawState(span, row.severity, `${row.backends_up} of ${row.backends} up`, row.remedy);
    }},
    word("vip", "vip", {also: "address"}), word("protocol", "protocol", {hide: true}), word("scheduler", "scheduler", {hide: true, text: row => row.scheduler.replace("_", " ")}),
    plot(), perSecond("new/s", "connections_per_s"), number("open", "active"), number("in all", "connections", {hide: true}),
    traffic("in", "bytes_in_per_s"), traffic("out", "bytes_out_per_s"),
    number("of", "max_connections", {tip: "how many may be open at a time", hide: true}), number("half-open", "half_open", {tip: "handshakes that are not finished", hide: true}),
    number("refused", "refused", {tip: "SYNs refused for want of a backend, a port or a flow entry"}),
  ], {key: row => row.protocol + " " + row.vip, plotted: row => row.connections_per_s, filter: "Filter services",
      words: row => row.name + " " + row.vip + " " + row.protocol,
      tone}),

  backends: new Table("#backends", [
    word("backend", "address", {also: "address", text: row => row.address + otherProtocol(row)}),
    {title: "state", left: true, value: row => backendState(row).text, node: makeState, draw: (span, row) => {
      const state = backendState(row);
      drawState(span, state.tone, state.text, state.tip);
    }},
    word("service", "service", {also: "cut"}), number("weight", "weight", {hide: true, also: "roomy"}),
    plot(), perSecond("new/s", "connections_per_s"), number("open", "active"),
    duration("handshake", "handshake_p50_ms", {tip: "from the SYN to its SYN-ACK: the median of the last ten seconds"}),
    duration("check", "check_usual_ms", {tip: "its health check: the median of the last five that were good", hide: true, also: "roomy"}),
    traffic("in", "bytes_in_per_s"), traffic("out", "bytes_out_per_s"),
    number("in all", "connections", {hide: true, also: "roomy"}),
    number("refused", "refused", {tip: "SYNs that it answered with RST"}),
    number("resets", "resets", {tip: "connections ended by RST, of either end", also: "roomy"}),
    number("timeouts", "timeouts", {tip: "connections ended by idle time", also: "roomy"}),
    number("heals", "heals", {tip: "stale answers met with a RST and the SYN again", also: "roomy"}),
    {title: "why", left: true, also: "why", value: whyOf, text: whyOf},
  ], {key: row => row.protocol + " " + row.vip + " " + row.address, plotted: row => row.connections_per_s, filter: "Filter backends",
      words: row => row.service + " " + row.address + " " + backendState(row).text + " " + whyOf(row),
      tone,
      sum: rows => { const up = rows.filter(row => row.usable).length; return `${up} of ${rows.length} take connections`; }}),

  pools: new Table("#pools", [
    word("towards", "backend", {also: "address", text: row => row.backend + otherProtocol(row)}),
    {title: "in use", left: true, value: row => row.fullest_percent, node: () => makeBar(["use", "rest"]), draw: (bar, row) => {
      setClass(bar, "bar " + tone(row));
      drawBar(bar, [row.in_use, row.time_wait], row.ports);
      bar.title = `${count(row.in_use)} of ${count(row.ports)}; fullest: ${row.fullest_local} of local pool ${row.local_pool} on worker ${row.fullest_worker}, ${percent(row.fullest_percent)}`;
    }},
    {title: "fullest", value: row => row.fullest_percent, text: row => percent(row.fullest_percent), zero: true},
    {title: "ends in", tip: "until no port is left, if it goes on as in the last minute", value: row => -(row.ends_in_s ?? 1e12), text: endsIn},
    number("in use", "in_use"), number("time_wait", "time_wait", {tip: "the backend was left holding the tuple"}), number("available", "available", {hide: true}),
    perSecond("taken/s", "taken_per_s"),
    {title: "how ports were got", left: true, node: () => makeBar(["k-fresh", "k-clean", "k-rested", "k-natural", "k-ts"]), draw: (bar, row) => {
      drawBar(bar, [row.fresh, row.reuse_available, row.reuse_rested, row.reuse_natural, row.reuse_rebased], row.taken);
      bar.title = `fresh ${count(row.fresh)}, available ${count(row.reuse_available)}, rested ${count(row.reuse_rested)}, natural ${count(row.reuse_natural)}, rebased ${count(row.reuse_rebased)} (timestamps ${count(row.tsval_adjusts)}, sequence ${count(row.sequence_adjusts)})`;
    }},
    number("fresh", "fresh"), number("reused", "reuse_available", {tip: "the backend had forgotten the tuple"}), number("rested", "reuse_rested"), number("natural", "reuse_natural"),
    number("ts adjusts", "tsval_adjusts"), number("seq adjusts", "sequence_adjusts"), number("healed", "heals"),
    number("exhausted", "exhausted", {tip: "SYNs for which there was no port"}),
  ], {key: row => row.protocol + " " + row.backend + " " + row.local_pool, filter: "Filter backends", words: row => row.backend + " " + row.local_pool,
      tone,
      legend: () => legend([
        ["k-use", "in use"], ["k-rest", "time_wait", "left in the backend's TIME_WAIT"], ["k-free", "available"],
        ["k-fresh", "fresh", "never used before"], ["k-clean", "available", "the backend had forgotten the tuple"],
        ["k-rested", "rested", "TIME_WAIT was over"], ["k-natural", "natural", "in TIME_WAIT, the SYN passed as it was"],
        ["k-ts", "rebased", "in TIME_WAIT, timestamps or sequence numbers were shifted"]])}),

  workers: new Table("#workers", [
    word("lcore", "lcore", {text: row => "lcore " + row.lcore, value: row => row.lcore}),
    {title: "busy", left: true, value: row => row.busy_percent, node: () => makeBar(["use"], true), draw: (bar, row) => {
      setClass(bar, "bar thin " + tone(row));
      drawBar(bar, [row.busy_percent], 100);
    }},
    {title: "", value: row => row.busy_percent, text: row => percent(row.busy_percent)},
    number("flows", "flows", {tip: "entries in use, finished ones that linger included"}),
    {title: "of", value: row => row.flows_max, text: row => count(row.flows_max), hide: true},
    perSecond("packets/s", "packets_in_per_s"), traffic("received", "bytes_in_per_s"), perSecond("drops/s", "drops_per_s"),
  ], {key: row => row.lcore, tone}),

  interfaces: new Table("#interfaces", [
    {title: "link", left: true, node: makeState, draw: (span, row) => drawState(span, row.severity, row.link_up ? "up" : "no link", row.remedy)},
    word("name", "name"), word("device", "device", {wide: true}),
  ], {key: row => row.name, tone}),

  drops: new Table("#drops", [
    word("reason", "name"),
    {title: "last minute", hide: true, node: () => makePlot(["area", "line"]), draw: (svg, row, past) => drawPlot(svg, [past], KEEP)},
    perSecond("a second", "value_per_s"), number("in all", "value"),
    word("what it means", "help", {wide: true, value: undefined}),
  ], {key: row => row.name, plotted: row => row.value_per_s, none: "Nothing was dropped.", only: row => row.value > 0,
      tone,
      sum: rows => { const n = rows.reduce((sum, row) => sum + row.value, 0); return n ? `${count(n)} packets` : ""; }}),

  refusals: new Table("#refusals", [
    word("source", "source"), word("reason", "reason"), number("refused", "count", {tip: "at most"}),
    number("at least", "at_least"), {title: "last", value: row => -row.last_s, text: row => age(row.last_s) + " ago"},
  ], {key: row => row.reason + " " + row.source, none: "No guard has refused anybody lately."}),

  events: new Table("#events", [
    word("event", "name"), perSecond("a second", "value_per_s"), number("in all", "value"),
    word("what it counts", "help", {wide: true, value: undefined}),
  ], {key: row => row.name, only: row => row.value > 0, none: "Nothing has happened yet."}),
};

class Tile {
  constructor(title, lines = ["area", "line"]) {
    this.box = make("div", "tile");
    this.value = make("strong", "", "–");
    this.note = make("small");
    this.svg = makePlot(lines);
    this.box.append(make("h4", "", title), this.value, this.note, this.svg);
    $("#tiles").append(this.box);
  }
  show(value, note, series, tone = "", atLeast = 1) {
    setClass(this.box, "tile " + tone);
    setText(this.value, value);
    setText(this.note, note);
    drawPlot(this.svg, series, 300, atLeast);
  }
}
const tiles = {
  rate: new Tile("New connections"), active: new Tile("Open connections"),
  traffic: new Tile("Traffic from backends", ["area", "line", "line2"]),
  halfOpen: new Tile("Half-open handshakes"), drops: new Tile("Drops"), busy: new Tile("Busiest worker"), pool: new Tile("Fullest port pool"),
};

const worst = rows => ["critical", "warning"].find(severity => rows.some(row => row.severity === severity)) || "";

function showTiles(status) {
  const t = status.totals, h = status.history;
  const sum = field => status.services.reduce((total, row) => total + row[field], 0);
  tiles.rate.show(rate(t.connections_per_s) + " /s", count(sum("connections")) + " in all", [h.connections_per_s]);
  tiles.active.show(count(t.active), `flow table ${percent(100 * t.flows / t.flows_max)} full`, [h.active]);
  tiles.traffic.show(bits(t.bits_out_per_s), bits(t.bits_in_per_s) + " to them", [h.bits_out_per_s, h.bits_in_per_s], "", 1000);
  tiles.halfOpen.show(count(t.half_open), `${count(t.why_kept)} that failed: sluicectl why --client`, [h.half_open],
    worst(status.services.filter(row => row.half_open_flood_recent > 0)), 10);
  const trouble = status.drops.filter(row => row.severity !== "ok");
  tiles.drops.show(rate(t.drops_per_s) + " /s", trouble.length ? trouble[0].name : count(status.drops.reduce((n, row) => n + row.value, 0)) + " in all",
    [h.drops_per_s], worst(trouble));
  const busiest = status.workers.reduce((a, b) => b.busy_percent > a.busy_percent ? b : a, status.workers[0]);
  tiles.busy.show(percent(t.busy_percent), busiest ? `lcore ${busiest.lcore}` : "", [h.busy_percent], tone(busiest), 100);
  const fullest = status.pools.reduce((a, b) => b.fullest_percent > a.fullest_percent ? b : a, status.pools[0]);
  const ending = status.pools.filter(row => row.ends_soon).sort((a, b) => a.ends_in_s - b.ends_in_s)[0];
  tiles.pool.show(percent(t.pool_percent), ending ? `none left towards ${ending.backend} in ${endsIn(ending)}` : fullest ? "towards " + fullest.backend : "",
    [h.pool_percent], worst(status.pools), 100);
}

function showFindings(severity, headline, note, findings) {
  setClass($("#findings"), severity);
  setText($("#findings h2"), headline);
  setText($("#findings p"), note);
  const list = $("#findings ol");
  while (list.children.length > findings.length) list.lastChild.remove();
  findings.forEach((finding, i) => {
    let li = list.children[i];
    if (!li) {
      li = make("li");
      const text = make("div");
      text.append(make("b"), make("span"));
      li.append(make("i"), text);
      list.append(li);
    }
    setClass(li, finding.severity);
    setText($("b", li), finding.what);
    setText($("span", li), finding.remedy);
  });
  const colour = {ok: "%2314804a", warning: "%23c98500", critical: "%23d03030"}[severity] || "%238b97a3";
  const icon = `data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'><circle cx='4' cy='4' r='4' fill='${colour}'/></svg>`;
  if ($("#icon").getAttribute("href") !== icon) $("#icon").href = icon;
  const title = (severity === "ok" ? "" : "(" + (findings.length || "!") + ") ") + "Sluice: " + headline.toLowerCase();
  if (document.title !== title) document.title = title;
}

function show(status) {
  const {severity, findings} = status;
  const usable = status.backends.filter(row => row.usable).length;
  const n = findings.length;
  showFindings(severity, n === 0 ? "All is well" : n === 1 ? "One thing is wrong" : `${n} things are wrong`,
    n ? "worst first" : `${status.services.length} ${status.services.length === 1 ? "service" : "services"}, ${usable} of ${status.backends.length} backends up, ${rate(status.totals.connections_per_s)} new connections a second`,
    findings);
  const about = $("#about");
  if (!about.firstChild) about.append(make("span"), make("span", "more"));
  setText(about.firstChild, status.version);
  setText(about.lastChild, " · up " + age(status.uptime_s));
  showTiles(status);
  for (const [name, table] of Object.entries(tables)) {
    table.remember(status[name]);
    table.show(status[name]);
  }
}

// ---- once a second -------------------------------------------------------------------------------

let lastTime = 0;        // of the newest sample
let lastHeard = Date.now();

function heard(status) {
  if (status.time_ms === undefined || status.time_ms === lastTime) return;
  lastTime = status.time_ms;
  lastHeard = Date.now();
  show(status);
}

function showAge() {
  const silent = (Date.now() - lastHeard) / 1000;
  const stale = silent > 3.5;
  document.body.classList.toggle("stale", stale);
  setClass($("#live"), stale ? "off" : lastTime ? "on" : "");
  setText($("#live span"), stale ? `no news for ${age(silent)}` : lastTime ? "live" : "connecting");
  if (stale) showFindings("critical", "Sluice does not answer", lastTime ? `the figures below are ${age(silent)} old` : "", []);
}

async function ask() {
  try {
    const answer = await fetch("status.json", {cache: "no-store", signal: AbortSignal.timeout(3000)});
    if (answer.ok) heard(await answer.json());
  } catch (error) { /* showAge() tells */ }
  showAge();
  setTimeout(ask, document.hidden ? 5000 : 1000);
}
ask();
