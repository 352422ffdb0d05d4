// An image's things: whatever can be pointed at. A thing has
//
//	kind    see below
//	name    what it is called
//	cls     its colour
//	at      for each space [start, end) or null
//	filled  bytes that come from the file, for things in memory
//	parent  the thing that contains it, or null
//	index   its number in its table
//
// Things of the picture come with the page; entries of tables, fields and
// symbols are made when they are looked at.

const EHDR = 0, PHDRS = 1, SHDRS = 2, SEGMENT = 3, HEADER = 4, SECTION = 5, MAPPING = 6, ENTRY = 7, FIELD = 8, SYMBOL = 9, PLACE = 10;
const kindNames = ["ELF header", "program header table", "section header table", "segment", "program header", "section", "mapping", "header", "field", "symbol", "place"];
const spaceNames = ["file offset", "virtual address", "physical address"];

const range = (start, size) => ({ start, end: start + size });
const within = (inner, outer) => inner && outer && inner.start >= outer.start && inner.end <= outer.end;
const touches = (a, b) => a && b && a.start < b.end && b.start < a.end;

function colour(kind, prot) {
  if (kind <= SHDRS) return "table";
  if (!prot) return "none";
  return { 0: "r", 1: "x", 2: "w", 3: "wx" }[prot & 3];
}

class Image {
  constructor(json, number) {
    Object.assign(this, json);
    this.number = number;
    this.fileSize = BigInt(json.fileSize);
    this.entry = BigInt(json.entry);
    this.bias = BigInt(json.bias); // from the file's addresses to those of a process
    this.scales = json.scales.map((s) => new Scale(s ?? []));
    this.spaces = [FILE, VIRTUAL, PHYSICAL].filter((s) => !this.scales[s].empty);
    this.things = (json.items ?? []).map((item) => this.thing(item));
    for (const t of this.things) t.parent = t.parent >= 0 ? this.things[t.parent] : null;
    this.segments = this.things.filter((t) => t.kind === SEGMENT);
    this.sections = this.things.filter((t) => t.kind === SECTION);
    this.bySection = new Map(this.sections.map((t) => [t.index, t]));
    this.steps = (json.steps ?? []).map((s) => ({ ...s, ranges: s.ranges.map(([a, n]) => range(BigInt(a) + this.bias, BigInt(n))) }));
    // What lies in a segment is drawn around it, the rest by itself.
    this.maps = this.things.filter((t) => t.kind === MAPPING);
    for (const t of this.maps) {
      t.map = json.maps[t.index];
      t.alone = !this.segments.some((s) => touches(s.at[VIRTUAL], t.at[VIRTUAL]));
    }
    this.raw = Object.fromEntries(["ehdr", "phdrs", "shdrs"].map((k) => [k, fromBase64(json.headers[k] ?? "")]));
    this.kept = new Map(); // made when first asked for
    this.object = this.segments.length === 0 && this.sections.every((s) => !s.at[VIRTUAL]);
  }

  thing([kind, index, name, prot, parent, filled, at]) {
    const extents = [0, 2, 4].map((i) => (at[i] === "" ? null : range(BigInt(at[i]), BigInt(at[i + 1]))));
    return { kind, index, name, prot, parent, filled: BigInt(filled), at: extents, cls: colour(kind, prot) };
  }

  title(t) {
    if (t.kind === SEGMENT || t.kind === HEADER) return `${t.name} ${t.index} ${protection(t.prot)}`;
    if (t.kind === SECTION) return t.name || `section ${t.index}`;
    if (t.kind === MAPPING) return `${t.map.Prot} ${baseName(t.map.Path) || "anonymous"}`;
    return t.name;
  }

  keep(key, make) {
    if (!this.kept.has(key)) this.kept.set(key, make());
    return this.kept.get(key);
  }

  sectionName(i) {
    return this.headers.shname?.[i] ?? "";
  }

  // inner makes a thing inside of another, delta bytes from its start.
  inner(parent, delta, size, more) {
    const at = parent.at.map((r) => {
      if (!r || r.start + delta > r.end) return null;
      return { start: r.start + delta, end: r.start + delta + size < r.end ? r.start + delta + size : r.end };
    });
    return { prot: parent.prot, cls: parent.cls, filled: size, parent, at, ...more };
  }

  // struct says which header structure a thing is: its kind and its bytes.
  struct(t) {
    const word = { [EHDR]: "ehdr", [SEGMENT]: "phdr", [HEADER]: "phdr", [SECTION]: "shdr" }[t.kind] ?? t.struct;
    if (!word) return null;
    const size = structSize(word, this.bits);
    const from = word === "ehdr" ? 0 : t.index * size;
    const raw = (word === "ehdr" ? this.raw.ehdr : word === "phdr" ? this.raw.phdrs : this.raw.shdrs).subarray(from, from + size);
    const base = word === "ehdr" ? 0n : BigInt((word === "phdr" ? this.headers.phoff : this.headers.shoff) || 0) + BigInt(from);
    return { word, raw, base };
  }

  // fields are a thing's header, field by field.
  fields(t) {
    const s = this.struct(t);
    if (!s) return [];
    return readFields(s.word, this.bits, this.big, s.raw).map((f) => {
      f.of = t.index;
      f.at = s.base + BigInt(f.off);
      f.meaning = meaning(this, s.word, f);
      return f;
    });
  }

  // children are what a thing shows when there is room: entries of a table,
  // fields of a header. Symbols are in symbolsOf.
  children(t) {
    return this.keep(t, () => {
      if (t.kind === PHDRS || t.kind === SHDRS) return this.entries(t);
      if (t.kind === EHDR || t.kind === ENTRY) {
        return this.fields(t).map((f) => this.inner(t, BigInt(f.off), BigInt(f.size), { kind: FIELD, index: t.index, name: f.name, field: f }));
      }
      return [];
    });
  }

  entries(t) {
    const word = t.kind === PHDRS ? "phdr" : "shdr";
    const size = structSize(word, this.bits);
    const names = t.kind === PHDRS ? this.headers.phname : this.headers.shname;
    return (names ?? []).map((name, i) =>
      this.inner(t, BigInt(i * size), BigInt(size), { kind: ENTRY, index: i, name: `[${i}] ${name || "(no name)"}`, struct: word }));
  }

  // loadSymbols unpacks the symbols and sorts those that have a place.
  loadSymbols() {
    return this.keep("symbols", async () => {
      if (!this.symbols) return (this.ready = { table: null, order: new Uint32Array(0) });
      const table = await Table.open(this.symbols);
      const rows = [];
      for (let i = 0; i < table.rows; i++) {
        const type = table.info[i] & 15;
        // Not: section symbols, files, thread-local offsets, undefined, reserved.
        if (type !== 3 && type !== 4 && type !== 6 && table.section[i] && table.section[i] < 0xff00 && table.name[i] !== undefined) rows.push(i);
      }
      const order = Uint32Array.from(rows);
      const { value, size, section } = table;
      const byPlace = this.object
        ? (a, b) => section[a] - section[b] || (value[a] < value[b] ? -1 : value[a] > value[b] ? 1 : Number(size[b] - size[a]))
        : (a, b) => (value[a] < value[b] ? -1 : value[a] > value[b] ? 1 : size[a] > size[b] ? -1 : size[a] < size[b] ? 1 : 0);
      order.sort(byPlace);
      return (this.ready = { table, order });
    });
  }

  symbolName(table, row) {
    return table.nice[row] ? table.string(table.nice[row]) : table.string(table.name[row]);
  }

  // homeOf is the section that has a symbol or, without sections, the segment.
  homeOf(row) {
    const { table } = this.ready;
    const s = this.bySection.get(table.section[row]);
    if (s) return s;
    const at = range(table.value[row] + this.bias, 0n);
    return this.segments.find((t) => within(at, t.at[VIRTUAL])) ?? null;
  }

  // symbol makes the thing that is a row of the symbol table; null if it has no
  // place.
  symbol(row) {
    return this.keep("symbol " + row, () => {
      const { table } = this.ready;
      const home = table.section[row] && (table.info[row] & 15) !== 6 ? this.homeOf(row) : null;
      const base = { kind: SYMBOL, index: row, name: this.symbolName(table, row), row };
      if (!home) return { ...base, prot: 0, cls: "none", filled: 0n, parent: null, at: [null, null, null] };
      const start = this.object ? 0n : home.at[VIRTUAL] ? home.at[VIRTUAL].start - this.bias : home.at[FILE].start;
      const delta = table.value[row] - start;
      if (delta < 0n) return { ...base, prot: 0, cls: "none", filled: 0n, parent: null, at: [null, null, null] };
      return this.inner(home, delta, table.size[row], base);
    });
  }

  // symbolsOf is the part of the sorted symbols that lies in a section, with the
  // heights of each in a space: {rows, top, bottom}, or null before they are
  // loaded.
  symbolsOf(t, space) {
    if (!this.ready?.table || !t.at[space]) return null;
    return this.keep(`${t.kind} ${t.index} in ${space}`, () => {
      const { table, order } = this.ready;
      const { value, size, section } = table;
      let rows;
      if (this.object) {
        const from = firstIndex(order.length, (i) => section[order[i]] >= t.index);
        rows = order.subarray(from, firstIndex(order.length, (i) => section[order[i]] > t.index));
      } else {
        if (!t.at[VIRTUAL]) return null;
        const r = { start: t.at[VIRTUAL].start - this.bias, end: t.at[VIRTUAL].end - this.bias };
        const from = firstIndex(order.length, (i) => value[order[i]] >= r.start);
        rows = order.subarray(from, firstIndex(order.length, (i) => value[order[i]] >= r.end));
      }
      const base = this.object ? 0n : t.at[VIRTUAL].start - this.bias;
      const { start, end } = t.at[space], scale = this.scales[space];
      const top = new Float64Array(rows.length), bottom = new Float64Array(rows.length);
      // In a section the scale is nearly always one line; asked once, not for each.
      const y0 = scale.toY(start), perByte = (scale.toY(end) - y0) / Number(end - start);
      for (let i = 0; i < rows.length; i++) {
        const delta = Number(value[rows[i]] - base);
        top[i] = y0 + delta * perByte;
        bottom[i] = Math.min(top[i] + Number(size[rows[i]]) * perByte, y0 + Number(end - start) * perByte);
      }
      return { rows, top, bottom };
    });
  }

  // thingsAt are the things at a place, the smallest first.
  thingsAt(space, at) {
    return this.things
      .filter((t) => t.at[space] && t.at[space].start <= at && at < t.at[space].end)
      .sort((a, b) => (a.at[space].end - a.at[space].start < b.at[space].end - b.at[space].start ? -1 : 1));
  }

  // nameAt names a place: ".text + 0x10".
  nameAt(space, at) {
    const best = this.thingsAt(space, at).find((t) => t.kind !== HEADER);
    if (!best) return space === FILE && at === this.fileSize ? "end of the file" : "";
    const off = at - best.at[space].start;
    return this.title(best) + (off ? ` + ${hex(off)}` : "");
  }

  // translate takes a place from one space to another, by the things that are
  // in both; null if there is none.
  translate(from, to, at) {
    if (from === to) return at;
    for (const t of this.thingsAt(from, at)) {
      const a = t.at[from], b = t.at[to];
      if (!a || !b) continue;
      const off = at - a.start;
      if (b.start + off <= b.end && (to !== FILE || off <= t.filled)) return b.start + off;
    }
    return null;
  }

  // place makes a thing of a range of addresses, such as a step's.
  place(name, r, space = VIRTUAL) {
    const at = [null, null, null];
    at[space] = r;
    for (const to of [FILE, VIRTUAL, PHYSICAL]) {
      if (to === space) continue;
      for (const s of this.segments) {
        const a = s.at[space], b = s.at[to];
        if (!a || !b || !touches(a, r)) continue;
        const low = (r.start > a.start ? r.start : a.start) - a.start;
        let high = (r.end < a.end ? r.end : a.end) - a.start;
        if (to === FILE && high > s.filled) high = s.filled;
        if (low >= high && r.end > r.start) continue;
        const part = { start: b.start + low, end: b.start + high };
        at[to] = at[to] ? { start: at[to].start < part.start ? at[to].start : part.start, end: at[to].end > part.end ? at[to].end : part.end } : part;
      }
    }
    return { kind: PLACE, name, cls: "none", prot: 0, filled: 0n, parent: null, at, index: -1 };
  }
}
