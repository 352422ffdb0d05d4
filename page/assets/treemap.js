// What takes the room: rectangles as large as what they stand for, sections with
// their symbols inside or, where source files are known, files with theirs.

// squarify lays sizes, in falling order, out in a rectangle, in rows whose parts
// are as square as they can be.
function squarify(sizes, x, y, width, height) {
  const out = [];
  let total = sizes.reduce((a, b) => a + b, 0);
  let i = 0;
  while (i < sizes.length && total > 0) {
    const across = Math.min(width, height), perByte = (width * height) / total;
    let sum = 0, worst = Infinity, j = i;
    for (; j < sizes.length; j++) {
      const next = sum + sizes[j];
      const thick = (next * perByte) / across;
      const ratio = Math.max(thick / ((sizes[j] * perByte) / thick), (sizes[i] * perByte) / thick / thick);
      if (ratio > worst) break;
      worst = ratio;
      sum = next;
    }
    const thick = (sum * perByte) / across;
    let at = 0;
    for (let k = i; k < j; k++) {
      const long = (sizes[k] / sum) * across;
      out.push(width >= height ? { x, y: y + at, w: thick, h: long } : { x: x + at, y, w: long, h: thick });
      at += long;
    }
    if (width >= height) [x, width] = [x + thick, width - thick];
    else [y, height] = [y + thick, height - thick];
    total -= sum;
    i = j;
  }
  return out;
}

class Treemap {
  constructor(image, pick, hover) {
    Object.assign(this, { image, pick, hover, by: "section", spot: null });
    const choice = (value, label) => el("label", {}, el("input", { type: "radio", name: "by", value, checked: value === this.by, onchange: () => this.group(value) }), " " + label);
    this.count = el("span", { class: "count", role: "status" });
    this.up = el("button", { type: "button", class: "chip", hidden: true, onclick: () => this.zoom(null) });
    this.tree = el("div", { class: "tree", role: "group", "aria-label": "Sizes; Tab and arrow keys move, Enter selects", onkeydown: (e) => this.key(e) });
    this.node = [
      el("div", { class: "filter" }, choice("section", "by section"), image.sources?.length ? choice("source", "by source file") : null, this.up, el("span", { style: { flex: "1" } }), this.count),
      this.tree,
    ];
    new ResizeObserver(() => this.draw()).observe(this.tree);
  }

  async open() {
    await this.image.loadSymbols();
    this.group(this.by);
  }

  narrow(thing) {
    if (!this.groups || !thing) return;
    const g = this.groups.find((x) => x.thing === thing || x.thing === thing.parent);
    if (g && this.by === "section") this.zoom(g);
  }

  group(by) {
    this.by = by;
    this.groups = this.image.keep("sizes by " + by, () => this.collect(by));
    this.zoom(null);
  }

  // collect makes the groups: {name, size, thing, cls, parts: [{row, size}]}.
  collect(by) {
    const { image } = this;
    const groups = new Map();
    const group = (key, make) => {
      if (!groups.has(key)) groups.set(key, { size: 0, parts: [], ...make() });
      return groups.get(key);
    };
    if (by === "section") {
      for (const s of image.sections) {
        const r = s.at[VIRTUAL] ?? s.at[FILE];
        if (r && r.end > r.start) group(s.index, () => ({ name: image.title(s), thing: s, cls: s.cls, size: Number(r.end - r.start) }));
      }
      if (!image.sections.length) {
        for (const s of image.segments) group("s" + s.index, () => ({ name: image.title(s), thing: s, cls: s.cls, size: Number(s.at[VIRTUAL].end - s.at[VIRTUAL].start) }));
      }
    }
    const { table, order } = image.ready;
    let end = 0n, section = -1;
    for (const row of order) {
      if (table.section[row] !== section) [section, end] = [table.section[row], 0n];
      let size = table.size[row];
      const from = table.value[row] > end ? table.value[row] : end; // names of the same bytes count once
      const to = table.value[row] + size;
      if (to <= from) continue;
      size = Number(to - from);
      end = to;
      if (by === "section") {
        groups.get(section)?.parts.push({ row, size });
      } else {
        const g = group(table.source[row], () => ({ name: image.sources[table.source[row] - 1] ?? "(no source file known)", cls: table.source[row] ? "x" : "none" }));
        g.size += size;
        g.parts.push({ row, size });
      }
    }
    const list = [...groups.values()].sort((a, b) => b.size - a.size);
    for (const g of list) {
      g.parts.sort((a, b) => b.size - a.size);
      const named = g.parts.reduce((n, p) => n + p.size, 0);
      g.rest = Math.max(g.size - named, 0);
    }
    return list;
  }

  zoom(g) {
    this.spot = g;
    this.up.hidden = !g;
    if (g) this.up.textContent = g.name + " ✕";
    this.draw();
  }

  draw() {
    const W = this.tree.clientWidth, H = this.tree.clientHeight;
    if (!W || !H || !this.groups) return;
    const shown = this.spot ? [this.spot] : this.groups;
    const total = shown.reduce((n, g) => n + g.size, 0);
    this.count.textContent = `${bytes(total)} in ${this.spot ? plural(this.spot.parts.length, "symbol") : plural(shown.length, this.by === "section" ? "section" : "source file")}`;
    const nodes = [];
    const boxes = squarify(shown.map((g) => g.size), 0, 0, W, H);
    boxes.forEach((b, i) => {
      if (b.w < 2 || b.h < 2) return;
      const g = shown[i];
      nodes.push(this.box(b, g.cls + " group", `${g.name}  ${bytes(g.size)}`, g.thing, () => (this.spot ? this.pick(g.thing) : this.open1(g))));
      if (b.w < 30 || b.h < 34) return;
      this.inside(g, b, nodes);
    });
    this.tree.replaceChildren(...nodes);
  }

  open1(g) {
    if (g.thing) this.pick(g.thing);
    this.zoom(g);
  }

  inside(g, b, nodes) {
    const head = 17, pad = 2;
    const w = b.w - 2 * pad, h = b.h - head - pad;
    const most = Math.min(g.parts.length, Math.max(Math.floor((w * h) / 160), 1), 600);
    const sizes = g.parts.slice(0, most).map((p) => p.size);
    const others = g.parts.slice(most).reduce((n, p) => n + p.size, 0);
    const extra = [];
    if (others) extra.push([others, `${plural(g.parts.length - most, "smaller symbol")}  ${bytes(others)}`]);
    if (g.rest && g.parts.length) extra.push([g.rest, `no symbol  ${bytes(g.rest)}`]);
    if (!g.parts.length) return;
    const all = [...sizes.map((size, k) => ({ size, part: g.parts[k] })), ...extra.map(([size, text]) => ({ size, text }))].sort((x, y) => y.size - x.size);
    squarify(all.map((x) => x.size), b.x + pad, b.y + head, w, h).forEach((r, k) => {
      if (r.w < 2.5 || r.h < 2.5) return;
      const { part, text } = all[k];
      const thing = part ? this.image.symbol(part.row) : null;
      nodes.push(this.box(r, part ? g.cls : "none", part ? `${thing.name}  ${bytes(part.size)}` : text, thing, () => thing && this.pick(thing)));
    });
  }

  box(r, cls, text, thing, act) {
    const px = (n) => n.toFixed(1) + "px";
    return el("button", {
      type: "button", class: cls, "aria-label": text, tabindex: -1,
      style: { left: px(r.x), top: px(r.y), width: px(r.w), height: px(r.h), padding: r.w < 12 ? "0" : "" },
      onclick: act,
      onpointermove: (e) => this.hover(thing, e, text),
      onpointerleave: () => this.hover(null),
    }, r.w > 28 && r.h > 13 ? el("span", {}, text) : null);
  }

  key(e) {
    const list = [...this.tree.children];
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[e.key];
    if (!by || !list.length) return;
    e.preventDefault();
    const now = list.indexOf(document.activeElement);
    list[clamp(now + by, 0, list.length - 1)].focus();
  }
}
