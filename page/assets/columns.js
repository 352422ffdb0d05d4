// The picture: a column for each space, drawn anew at every change, and never
// more of it than can be seen. What is too small is put together.

const tall = 12; // points a name needs
const tiny = 3; // things that are lower are put together
const deepest = 60; // points that one byte may get

// shortName fits a function's name: without arguments, then without what is
// before its last words, which say the most.
function shortName(name, max) {
  if (name.length <= max) return name;
  let s = name;
  if (!s.startsWith("(")) s = s.replace(/\(.*$/, "");
  for (let before = ""; before !== s; ) {
    before = s;
    s = s.replace(/<[^<>]*>/g, ""); // from the inside out
  }
  while (s.length > max && s.includes("::")) s = s.slice(s.indexOf("::") + 2);
  return s.length > max ? s.slice(0, max - 1) + "…" : s || name.slice(0, max - 1) + "…";
}

class Picture {
  // events: select(thing), enter(thing), hover(thing, event), leave()
  constructor(box, events) {
    this.box = box;
    this.events = events;
    this.svg = svg("svg", { role: "application", tabindex: 0, "aria-roledescription": "memory map" });
    box.append(this.svg);
    this.views = [0, 1, 2].map(() => ({ top: 0, k: 1 }));
    this.lit = [];
    this.linked = true;
    new ResizeObserver(() => this.resize()).observe(box);
    this.listen();
  }

  show(image) {
    this.image = image;
    this.chosen = this.cursor = this.hovered = null;
    this.lit = [];
    this.lanes = image.spaces.map((s) => this.layLanes(s));
    this.svg.setAttribute("aria-label", `Memory map of ${image.name}: ${image.spaces.map((s) => spaceNames[s]).join(", ")}. Arrow keys move.`);
    this.fit();
    image.loadSymbols().then(() => this.redraw());
  }

  resize() {
    const whole = !this.height || !this.image || this.views.every((v) => v.k <= this.least() * 1.001);
    this.width = this.box.clientWidth;
    this.height = this.box.clientHeight;
    if (this.image && whole) this.fit();
    this.redraw();
  }

  redraw() {
    if (this.pending || !this.image || !this.height) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      this.draw();
    });
  }

  // Geometry.

  get room() {
    return this.height - this.head - 12;
  }

  get head() {
    return 26;
  }

  columns() {
    const n = this.image.spaces.length;
    const digits = (s) => Math.max(hex(this.image.scales[s].at.at(-1)).length, 6) * 6.6 + 10;
    const axes = this.image.spaces.map(digits);
    const gutter = this.width < 620 ? 10 : 26;
    const width = Math.min((this.width - 20 - axes.reduce((a, b) => a + b, 0) - gutter * (n - 1)) / n, 340);
    let x = 8;
    return this.image.spaces.map((space, i) => {
      const left = x + axes[i];
      x = left + width + gutter;
      return { space, i, left, width, right: left + width, view: this.views[space], scale: this.image.scales[space] };
    });
  }

  tallest() {
    return Math.max(...this.image.spaces.map((s) => this.image.scales[s].height), 1);
  }

  least() {
    return Math.min(this.room / this.tallest(), 3);
  }

  fit() {
    cancelAnimationFrame(this.gliding);
    for (const v of this.views) Object.assign(v, { top: 0, k: this.height ? this.least() : 1 });
    this.redraw();
  }

  y(col, at) {
    return this.yOf(col, col.scale.toY(at));
  }

  yOf(col, world) {
    return this.head + (world - col.view.top) * col.view.k;
  }

  bounds(view, scale) {
    const slack = this.room / view.k;
    view.top = clamp(view.top, Math.min(0, scale.height - slack), Math.max(scale.height - slack, 0));
  }

  // zoom makes a column k times as tall around a point on the screen; linked
  // columns follow, with the same bytes at the same height.
  zoom(col, y, factor) {
    cancelAnimationFrame(this.gliding);
    const at = (y - this.head) / col.view.k + col.view.top;
    const k = clamp(col.view.k * factor, this.least(), this.deepest(col, at));
    const address = col.scale.toAt(at);
    // Inside of an address's byte there is more than toAt can tell.
    const rest = at - col.scale.toY(address);
    for (const other of this.linked ? this.columns() : [col]) {
      let world = at;
      if (other.space !== col.space) {
        const there = this.image.translate(col.space, other.space, address);
        world = there === null ? other.view.top + (y - this.head) / other.view.k : other.scale.toY(there) + rest;
      }
      other.view.k = k;
      other.view.top = world - (y - this.head) / k;
      this.bounds(other.view, other.scale);
    }
    this.redraw();
  }

  // deepest is the scale at which a byte is as tall as it may be.
  deepest(col, world) {
    const at = col.scale.toAt(world);
    const perByte = col.scale.toY(at + 1n) - col.scale.toY(at);
    return perByte > 0 ? Math.max(deepest / perByte, 4) : 1e6;
  }

  pan(col, dy) {
    cancelAnimationFrame(this.gliding);
    for (const c of this.linked ? this.columns() : [col]) {
      c.view.top += dy / c.view.k;
      this.bounds(c.view, c.scale);
    }
    this.redraw();
  }

  // reveal zooms all columns to a thing.
  reveal(thing, close = true) {
    const goals = [];
    let k = Infinity;
    const cols = this.columns().filter((c) => thing.at[c.space]);
    for (const c of cols) {
      const a = c.scale.toY(thing.at[c.space].start), b = c.scale.toY(thing.at[c.space].end);
      const part = thing.kind === SYMBOL || thing.kind === FIELD || thing.kind === PLACE ? 0.18 : 0.72;
      k = Math.min(k, clamp((this.room * part) / Math.max(b - a, 1e-12), this.least(), this.deepest(c, a)));
      if (!close && b > a && (b - a) * c.view.k > tall && this.yOf(c, a) > this.head && this.yOf(c, b) < this.height) return this.redraw();
    }
    for (const c of cols) {
      const a = c.scale.toY(thing.at[c.space].start), b = c.scale.toY(thing.at[c.space].end);
      goals.push({ view: c.view, scale: c.scale, k, middle: (a + b) / 2 });
    }
    for (const c of this.columns()) {
      if (!thing.at[c.space] && cols.length && this.linked) goals.push({ view: c.view, scale: c.scale, k, middle: c.view.top + this.room / 2 / c.view.k });
    }
    this.glide(goals);
  }

  glide(goals) {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const from = goals.map((g) => ({ k: g.view.k, middle: g.view.top + this.room / 2 / g.view.k }));
    const start = performance.now();
    const step = (now) => {
      const part = still ? 1 : clamp((now - start) / 220, 0, 1);
      const ease = part * part * (3 - 2 * part);
      goals.forEach((g, i) => {
        g.view.k = Math.exp(Math.log(from[i].k) * (1 - ease) + Math.log(g.k) * ease);
        // The middle moves as the scale does, so that the goal stays in sight.
        const share = g.k === from[i].k ? ease : clamp((1 / g.view.k - 1 / from[i].k) / (1 / g.k - 1 / from[i].k), 0, 1);
        g.view.top = from[i].middle + (g.middle - from[i].middle) * (part === 1 ? 1 : share) - this.room / 2 / g.view.k;
        this.bounds(g.view, g.scale);
      });
      this.redraw();
      if (part < 1) this.gliding = requestAnimationFrame(step);
    };
    cancelAnimationFrame(this.gliding);
    step(still ? start + 1000 : start);
  }

  // Drawing.

  draw() {
    this.hits = []; // what is drawn, for keys: [column, thing, top, bottom]
    const cols = this.columns();
    const root = [svg("defs", {}, svg("pattern", { id: "zero", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, svg("path", { d: "M0 0V6", class: "hatch" })))];
    for (let i = 0; i + 1 < cols.length; i++) root.push(this.bands(cols[i], cols[i + 1]));
    for (const col of cols) root.push(this.column(col));
    root.push(this.marks(cols));
    root.push(svg("rect", { class: "headback", x: 0, y: 0, width: this.width, height: this.head - 4 }));
    for (const col of cols) root.push(svg("text", { class: "head", x: col.left, y: 15 }, spaceNames[col.space]));
    this.svg.dataset.zoom = (cols[0].view.k / this.least()).toFixed(2);
    this.svg.replaceChildren(...root);
  }

  band(a, b, thing, cls) {
    const from = thing.at[a.space], to = thing.at[b.space];
    if (!from || !to) return null;
    let size = from.end - from.start;
    if (to.end - to.start < size) size = to.end - to.start;
    const limit = (y) => clamp(y, this.head - 3000, this.height + 3000);
    const y = [this.y(a, from.start), this.y(a, from.start + size), this.y(b, to.start), this.y(b, to.start + size)].map(limit);
    if (Math.max(...y) < this.head || Math.min(...y) > this.height) return null;
    const mid = (a.right + b.left) / 2;
    const d = `M${a.right} ${y[0]}C${mid} ${y[0]} ${mid} ${y[2]} ${b.left} ${y[2]}V${Math.max(y[3], y[2] + 1)}C${mid} ${y[3]} ${mid} ${y[1]} ${a.right} ${Math.max(y[1], y[0] + 1)}Z`;
    return svg("path", { class: cls, d });
  }

  bands(a, b) {
    const g = svg("g", { "aria-hidden": true });
    for (const s of this.image.segments) {
      const path = this.band(a, b, s, "band " + s.cls);
      if (path) g.append(path);
    }
    return g;
  }

  column(col) {
    const g = svg("g");
    const labels = [];
    this.gaps(col, g);
    for (const t of this.image.segments) this.segment(col, t, g, labels);
    for (const t of this.image.things) {
      if (t.kind === SECTION || t.kind <= SHDRS || t.alone) this.part(col, t, g, labels);
    }
    this.brackets(col, g);
    for (const m of this.image.maps) if (!m.alone) this.outline(col, m, g);
    for (const [space, a, b, start, size] of this.image.overlaps ?? []) {
      if (space !== col.space) continue;
      const r = this.extent(col, range(BigInt(start), BigInt(size)));
      if (!r) continue;
      const things = this.image.things;
      g.append(svg("rect", { class: "over", x: col.left - 3, y: r.y, width: col.width + 6, height: Math.max(r.h, 2) }, svg("title", {}, `${this.image.title(things[a])} and ${this.image.title(things[b])} overlap`)));
    }
    this.axis(col, labels, g);
    return g;
  }

  // extent is what can be seen of a range: {y, h, whole}, or null.
  extent(col, r) {
    if (!r) return null;
    const a = this.y(col, r.start), b = this.y(col, r.end);
    if (b < this.head || a > this.height) return null;
    const y = Math.max(a, this.head - 20), end = Math.min(b, this.height + 20);
    return { y, h: Math.max(end - y, 0.4), whole: b - a, a, b };
  }

  rect(col, thing, e, attrs, x, width) {
    if (e.b - e.a >= 2) this.hits.push({ space: col.space, thing, a: e.a, b: e.b });
    const node = svg("rect", { ...attrs, x, y: e.y, width, height: e.h });
    node.thing = thing;
    node.space = col.space;
    return node;
  }

  // label writes a name, and a size if there is room, where both can be seen.
  label(g, thing, e, x, width, size) {
    const top = Math.max(e.y, this.head), bottom = Math.min(e.y + e.h, this.height);
    if (bottom - top < tall) return;
    const y = (e.whole > 80 && bottom - top > 30 ? top + 10 : (top + bottom) / 2) + 4;
    const room = Math.floor((width - 10) / 6.65);
    const text = size ? bytes(size) : "";
    const name = this.image.title(thing);
    const withSize = text && room >= Math.min(name.length, 14) + text.length + 2;
    const max = withSize ? room - text.length - 2 : room;
    if (max < 3) return;
    g.append(svg("text", { x: x + 6, y }, thing.kind === SYMBOL ? shortName(name, max) : name.length > max ? name.slice(0, max - 1) + "…" : name));
    if (withSize) g.append(svg("text", { class: "dim end", x: x + width - 6, y }, text));
  }

  segment(col, t, g, labels) {
    const e = this.extent(col, t.at[col.space]);
    if (!e) return;
    g.append(this.rect(col, t, e, { class: "seg " + t.cls }, col.left, col.width));
    this.zeros(col, t, g, col.left, col.width);
    labels.push([e.a, t.at[col.space].start, 3], [e.b, t.at[col.space].end, 2]);
    if (!this.image.sections.length && e.whole > 40) this.inside(col, t, g, col.left + 22, col.width - 22 - this.lanes[col.i].width, labels);
    const top = Math.max(e.y, this.head), h = Math.min(e.y + e.h, this.height) - top;
    const title = this.image.title(t), small = `${t.index} ${protection(t.prot)}`;
    const name = [title, small, String(t.index)].find((n) => h > n.length * 6.8);
    if (name) {
      g.append(svg("text", { class: "side", transform: `translate(${col.left + 14} ${top + h / 2}) rotate(-90)` }, name));
    }
  }

  zeros(col, t, g, x, width) {
    const r = t.at[col.space];
    if (col.space === FILE || t.filled >= r.end - r.start) return;
    const e = this.extent(col, { start: r.start + t.filled, end: r.end });
    if (e) g.append(svg("rect", { class: "zero", x, y: e.y, width, height: e.h }));
  }

  part(col, t, g, labels) {
    const r = t.at[col.space];
    const e = this.extent(col, r);
    if (!e || r.end === r.start) return;
    const x = col.left + 22, width = col.width - 22 - this.lanes[col.i].width;
    if (e.whole < 0.7 && this.last === Math.round(e.y) && col.space === this.lastSpace) return; // under the one before
    this.last = Math.round(e.y);
    this.lastSpace = col.space;
    g.append(this.rect(col, t, e, { class: "part " + t.cls }, x, width));
    this.zeros(col, t, g, x, width);
    labels.push([e.a, r.start, 1]);
    const opened = e.whole > 40 && this.opens(col, t);
    if (opened) this.inside(col, t, g, x, width, labels);
    this.label(g, t, e, x, opened ? this.split(width) : width, r.end - r.start);
  }

  // opens says whether there is something to see inside of a thing.
  opens(col, t) {
    return this.image.children(t).length > 0 || (t.kind === SECTION && this.image.symbolsOf(t, col.space)?.rows.length > 0);
  }

  // split is how much of a thing's width its own name keeps.
  split(width) {
    return clamp(width * 0.34, Math.min(56, width / 2), 100);
  }

  // inside draws what a thing contains: fields and entries, or symbols.
  inside(col, t, g, x, width, labels) {
    const in0 = x + this.split(width);
    const w = x + width - in0;
    const children = this.image.children(t);
    for (const c of children) {
      const e = this.extent(col, c.at[col.space]);
      if (!e || e.whole < tiny) continue;
      g.append(this.rect(col, c, e, { class: "sub " + t.cls }, in0, w));
      this.label(g, c, e, in0, w, 0);
      if (e.whole > 60 && c.kind === ENTRY) this.inside(col, c, g, in0, w, labels);
      if (e.whole > 13) labels.push([e.a, c.at[col.space].start, 0]);
    }
    const symbols = t.kind === SECTION || t.kind === SEGMENT ? this.image.symbolsOf(t, col.space) : null;
    if (symbols) this.symbols(col, symbols, g, in0, w, t, labels);
  }

  symbols(col, { rows, top, bottom }, g, x, width, t, labels) {
    const { view } = col;
    const screen = (world) => this.head + (world - view.top) * view.k;
    let i = Math.max(firstIndex(rows.length, (k) => screen(top[k]) >= this.head) - 1, 0);
    const end = firstIndex(rows.length, (k) => screen(top[k]) > this.height);
    while (i < end) {
      const a = screen(top[i]);
      const next = i + 1 < rows.length ? screen(top[i + 1]) : Infinity;
      // Names without a size reach to the next one.
      const b = Math.min(bottom[i] > top[i] ? screen(bottom[i]) : Math.min(next, a + tall), Math.max(next, a));
      if (b - a >= tiny || (next - a > tiny && bottom[i] > top[i])) {
        if (b > this.head) {
          const sym = this.image.symbol(rows[i]);
          const y = Math.max(a, this.head - 20);
          const e = { a, b, y, h: Math.max(Math.min(b, this.height + 20) - y, 0.7), whole: b - a };
          g.append(this.rect(col, sym, e, { class: "sub " + t.cls }, x, width));
          this.label(g, sym, e, x, width, 0);
          if (e.whole > 13 && sym.at[col.space]) labels.push([a, sym.at[col.space].start, 0]);
        }
        i++;
        continue;
      }
      // Many in a few points: together until they are tall enough to point at.
      const limit = a + 4;
      let j = firstIndex(rows.length, (k) => screen(top[k]) >= limit);
      if (j <= i) j = i + 1;
      const low = Math.max(screen(bottom[j - 1]), a + 1);
      if (low > this.head) {
        const many = this.run(col, rows, i, j, t);
        const e = { a, b: Math.min(low, a + 6), y: a, h: Math.min(low - a, 4), whole: low - a };
        g.append(this.rect(col, many, e, { class: (j - i > 1 ? "many " : "sub ") + t.cls }, x, width));
      }
      i = j;
    }
  }

  // run is the thing that stands for several symbols.
  run(col, rows, i, j, t) {
    const first = this.image.symbol(rows[i]);
    if (j - i === 1) return first;
    const last = this.image.symbol(rows[j - 1]);
    const at = t.at.map((_, s) => (first.at[s] && last.at[s] ? { start: first.at[s].start, end: last.at[s].end } : null));
    return { kind: PLACE, index: -1, name: `${count(j - i)} symbols, ${first.name} …`, cls: t.cls, prot: t.prot, filled: 0n, parent: t, at };
  }

  gaps(col, g) {
    const { scale } = col;
    for (let i = 0; i + 1 < scale.at.length; i++) {
      if (!scale.gap[i]) continue;
      const a = this.yOf(col, scale.y[i]), b = this.yOf(col, scale.y[i + 1]);
      if (b < this.head || a > this.height || b - a < 9) continue;
      const x = col.left + col.width / 2 - 44;
      const top = Math.max(a, this.head), bottom = Math.min(b, this.height);
      g.append(svg("path", { class: "gap", d: `M${x} ${top + 2}V${bottom - 2}` }));
      const what = col.space === FILE ? "unused" : "gap";
      g.append(svg("text", { class: "dim", x: x + 8, y: (top + bottom) / 2 + 4 }, `${bytes(scale.at[i + 1] - scale.at[i])} ${what}`));
    }
  }

  // layLanes gives each program header that is no segment a lane at the right.
  layLanes(space) {
    const lanes = new Map(), ends = [];
    const list = this.image.things
      .filter((t) => t.kind === HEADER && t.at[space] && t.at[space].end > t.at[space].start)
      .sort((a, b) => (a.at[space].start < b.at[space].start ? -1 : a.at[space].start > b.at[space].start ? 1 : a.at[space].end > b.at[space].end ? -1 : 1));
    for (const t of list) {
      let lane = ends.findIndex((end) => end <= t.at[space].start);
      if (lane < 0) lane = ends.length;
      if (lane > 4) continue;
      ends[lane] = t.at[space].end;
      lanes.set(t, lane);
    }
    return { lanes, width: ends.length * 14 + 3 };
  }

  brackets(col, g) {
    for (const [t, lane] of this.lanes[col.i].lanes) {
      const e = this.extent(col, t.at[col.space]);
      if (!e) continue;
      const x = col.right - 3 - lane * 14;
      g.append(svg("path", { class: "lane", d: `M${x - 5} ${e.y + 0.5}h5V${e.y + Math.max(e.h - 0.5, 1)}h-5` }));
      g.append(this.rect(col, t, e, { class: "lanehit" }, x - 10, 12));
      const top = Math.max(e.y, this.head), h = Math.min(e.y + e.h, this.height) - top;
      if (h > t.name.length * 5.6) g.append(svg("text", { class: "lanetext", transform: `translate(${x - 3} ${top + h / 2}) rotate(-90)` }, t.name));
    }
  }

  outline(col, m, g) {
    const e = this.extent(col, m.at[col.space]);
    if (e) g.append(this.rect(col, m, e, { class: "map" }, col.left - 4, col.width + 8));
  }

  // axis writes addresses, the important ones first, none over another.
  axis(col, labels, g) {
    const placed = [];
    labels.sort((a, b) => b[2] - a[2] || a[0] - b[0]);
    for (const [y, at] of labels) {
      if (y < this.head - 2 || y > this.height - 2 || placed.some((p) => Math.abs(p - y) < 12)) continue;
      placed.push(y);
      g.append(svg("text", { class: "addr", x: col.left - 6, y: y + 4 }, hex(at)));
    }
  }

  // marks draws over all what is chosen, lit, pointed at and under the cursor.
  marks(cols) {
    const g = svg("g", { "aria-hidden": true });
    const outline = (thing, cls, band) => {
      for (const c of cols) {
        const e = this.extent(c, thing.at[c.space]);
        if (e) g.append(svg("rect", { class: cls, x: c.left - 1, y: e.y, width: c.width + 2, height: Math.max(e.h, 2), rx: 1 }));
      }
      for (let i = 0; band && i + 1 < cols.length; i++) {
        const path = this.band(cols[i], cols[i + 1], thing, band);
        if (path) g.append(path);
      }
    };
    for (const t of this.lit) outline(t, "lit", "litband");
    if (this.chosen) outline(this.chosen, "chosen", "litband");
    if (this.hovered && this.hovered !== this.chosen) outline(this.hovered, "hover", null);
    if (this.cursor && this.cursor !== this.chosen && this.box.classList.contains("keyed")) outline(this.cursor, "cursor", null);
    return g;
  }

  light(things) {
    this.lit = things;
    this.redraw();
  }

  choose(thing) {
    this.chosen = this.cursor = thing;
    this.redraw();
  }

  hover(thing) {
    if (thing === this.hovered) return;
    this.hovered = thing;
    this.redraw();
  }

  // Mouse, touch and keys.

  listen() {
    const at = (e) => {
      const box = this.svg.getBoundingClientRect();
      return [e.clientX - box.left, e.clientY - box.top];
    };
    const columnAt = (x) => {
      const cols = this.columns();
      return cols.find((c) => x < c.right + 12) ?? cols.at(-1);
    };
    this.svg.addEventListener("wheel", (e) => {
      const [x, y] = at(e);
      const col = columnAt(x);
      if (!col) return;
      e.preventDefault();
      const lines = e.deltaMode === 1 ? e.deltaY * 16 : e.deltaY;
      if (e.shiftKey) this.pan(col, lines + (e.deltaX || 0));
      else this.zoom(col, y, Math.exp(-clamp(lines, -200, 200) * 0.0035));
    }, { passive: false });
    let drag = null;
    this.svg.addEventListener("pointerdown", (e) => {
      const [x, y] = at(e);
      this.box.classList.remove("keyed");
      drag = { col: columnAt(x), y, moved: 0, thing: this.thingFrom(e), id: e.pointerId };
      this.svg.focus({ preventScroll: true });
    });
    this.svg.addEventListener("pointermove", (e) => {
      const [, y] = at(e);
      if (drag?.col && e.buttons) {
        drag.moved += Math.abs(drag.y - y);
        if (drag.moved > 4) {
          this.svg.setPointerCapture(drag.id);
          this.pan(drag.col, drag.y - y);
          this.events.leave();
        }
        drag.y = y;
        return;
      }
      const thing = this.thingFrom(e);
      this.hover(thing);
      if (thing) this.events.hover(thing, e);
      else this.events.leave();
    });
    this.svg.addEventListener("pointerup", () => {
      // While a button is down the elements are drawn anew: a click event would
      // go to none of them.
      if (drag && drag.moved <= 4) this.events.select(drag.thing);
      drag = null;
    });
    this.svg.addEventListener("pointerleave", () => {
      this.hover(null);
      this.events.leave();
    });
    this.svg.addEventListener("dblclick", (e) => {
      const thing = this.thingFrom(e);
      if (thing) this.reveal(thing);
    });
    this.svg.addEventListener("keydown", (e) => this.key(e));
    for (const type of ["focus", "blur"]) this.svg.addEventListener(type, () => this.redraw());
  }

  thingFrom(e) {
    return document.elementsFromPoint(e.clientX, e.clientY).find((n) => n.thing)?.thing ?? null;
  }

  key(e) {
    const cols = this.columns();
    const space = this.space ?? cols[0]?.space;
    const col = cols.find((c) => c.space === space) ?? cols[0];
    if (!col || e.ctrlKey || e.metaKey || e.altKey) return;
    const acts = {
      ArrowDown: () => this.step(col, 1), ArrowUp: () => this.step(col, -1),
      ArrowRight: () => this.across(cols, col, 1), ArrowLeft: () => this.across(cols, col, -1),
      Home: () => this.step(col, -Infinity), End: () => this.step(col, Infinity),
      "+": () => this.zoomKey(col, 1.6), "=": () => this.zoomKey(col, 1.6), "-": () => this.zoomKey(col, 1 / 1.6), 0: () => this.fit(),
      PageDown: () => this.pan(col, this.room * 0.8), PageUp: () => this.pan(col, -this.room * 0.8),
      Enter: () => this.enter(), " ": () => this.enter(),
      Backspace: () => this.cursor?.parent && this.move(this.cursor.parent),
      Escape: () => this.events.select(null),
    };
    if (!acts[e.key]) return;
    e.preventDefault();
    this.box.classList.add("keyed");
    acts[e.key]();
  }

  zoomKey(col, factor) {
    const r = this.cursor?.at[col.space];
    const e = r && this.extent(col, r);
    this.zoom(col, e ? clamp((e.y + e.y + e.h) / 2, this.head, this.height) : this.height / 2, factor);
  }

  // step moves the cursor to the next thing that is drawn in the column.
  step(col, by) {
    const list = this.hits.filter((h) => h.space === col.space && (h.thing.kind !== MAPPING || h.thing.alone)).sort((a, b) => a.a - b.a || b.b - a.b);
    if (!list.length) return;
    const now = list.findIndex((h) => h.thing === this.cursor);
    const next = list[clamp(now < 0 ? 0 : now + by, 0, list.length - 1)];
    if (now >= 0 && next.thing === this.cursor && Math.abs(by) === 1) return this.pan(col, by * 60);
    this.space = col.space;
    this.move(next.thing);
  }

  across(cols, col, by) {
    const next = cols[cols.indexOf(col) + by];
    if (!next) return;
    this.space = next.space;
    if (this.cursor && !this.cursor.at[next.space]) this.cursor = null;
    if (this.cursor) this.move(this.cursor);
    else this.step(next, 0);
  }

  move(thing) {
    this.cursor = thing;
    const col = this.columns().find((c) => c.space === (this.space ?? this.image.spaces[0]));
    const e = col && thing.at[col.space] ? { a: this.y(col, thing.at[col.space].start), b: this.y(col, thing.at[col.space].end) } : null;
    if (e && e.a < this.head) this.pan(col, e.a - this.head - 20);
    else if (e && Math.min(e.b, e.a + 40) > this.height) this.pan(col, Math.min(e.b, e.a + 40) - this.height + 20);
    this.events.move(thing, col?.space);
    this.redraw();
  }

  enter() {
    if (!this.cursor) return;
    if (this.cursor === this.chosen) this.reveal(this.cursor);
    else this.events.select(this.cursor);
  }
}
