// Drawing puts what is in sight into SVG, anew at every change, and never more
// than can be seen: what is too small is put together.

const tall = 12; // points a name needs
const tiny = 3; // things that are lower are put together

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

class Drawing extends View {
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
}
