// The tables beside the picture. Each says how many rows it has, which lie in a
// thing, which have the words of the filter, and what a row is in the picture.

const numbers = (n) => Uint32Array.from({ length: n }, (_, i) => i);

// tablesOf are the tables of an image.
function tablesOf(image) {
  return [sectionTable(image), segmentTable(image), symbolTable(image), relocTable(image), stringTable(image)].filter((t) => t.count > 0);
}

// unbiased are the addresses of a thing as the file has them, or null.
const unbiased = (image, t) => t.at[VIRTUAL] && { start: t.at[VIRTUAL].start - image.bias, end: t.at[VIRTUAL].end - image.bias };

// ofThings is a table of things of the picture.
function ofThings(image, id, label, list, columns) {
  return {
    id, label, columns, count: list.length,
    load: async () => ({
      all: numbers(list.length),
      narrowed: (t) => (i) => list[i] === t || [FILE, VIRTUAL].some((s) => touches(list[i].at[s], t.at[s])),
      words: (query) => {
        const words = query.toLowerCase().split(/\s+/).filter(Boolean);
        return Uint32Array.from(numbers(list.length).filter((i) => words.every((w) => columns.some((c) => String(c.text(i)).toLowerCase().includes(w)))));
      },
      thing: (i) => list[i],
    }),
  };
}

function sectionTable(image) {
  const list = [...image.sections];
  const header = (i) => image.keep("shdr " + list[i].index, () => Object.fromEntries(image.fields(list[i]).map((f) => [f.name, f])));
  const value = (i, name) => header(i)[name]?.value ?? 0n;
  return ofThings(image, "sections", "Sections", list, [
    { label: "#", width: 4, right: true, text: (i) => String(list[i].index), key: (i) => list[i].index },
    { label: "name", text: (i) => list[i].name },
    { label: "type", width: 12, text: (i) => header(i).sh_type?.meaning ?? "" },
    { label: "address", width: image.bits === 64 ? 12 : 10, right: true, text: (i) => hex(value(i, "sh_addr")), key: (i) => value(i, "sh_addr") },
    { label: "offset", width: 9, right: true, text: (i) => hex(value(i, "sh_offset")), key: (i) => value(i, "sh_offset") },
    { label: "size", width: 9, right: true, text: (i) => hex(value(i, "sh_size")), key: (i) => value(i, "sh_size") },
    { label: "flags", width: 5, text: (i) => protection(list[i].prot) },
  ]);
}

function segmentTable(image) {
  const list = image.things.filter((t) => t.kind === SEGMENT || t.kind === HEADER).sort((a, b) => a.index - b.index);
  const field = (i, name) => image.keep("phdr " + list[i].index, () => Object.fromEntries(image.fields(list[i]).map((f) => [f.name, f.value])))[name] ?? 0n;
  const number = (label, name, width) => ({ label, width, right: true, text: (i) => hex(field(i, name)), key: (i) => field(i, name) });
  return ofThings(image, "segments", "Headers", list, [
    { label: "#", width: 4, right: true, text: (i) => String(list[i].index), key: (i) => list[i].index },
    { label: "type", text: (i) => list[i].name },
    { label: "prot", width: 4, text: (i) => protection(list[i].prot) },
    number("offset", "p_offset", 9), number("vaddr", "p_vaddr", 12), number("paddr", "p_paddr", 12),
    number("filesz", "p_filesz", 9), number("memsz", "p_memsz", 9), number("align", "p_align", 8),
  ]);
}

function symbolTable(image) {
  const { names } = image;
  let t; // the columns, when they are unpacked
  const section = (i) => image.sectionName(t.section[i]) || names.special[t.section[i]] || (t.section[i] ? String(t.section[i]) : "undefined");
  return {
    id: "symbols", label: "Symbols", count: image.symbols?.rows ?? 0,
    columns: [
      { label: "value", width: image.bits === 64 ? 12 : 10, right: true, text: (i) => hex(t.value[i]), key: (i) => t.value[i] },
      { label: "size", width: 8, right: true, text: (i) => String(t.size[i]), key: (i) => t.size[i] },
      { label: "type", width: 7, text: (i) => names.symbolType[t.info[i] & 15] },
      { label: "bind", width: 6, text: (i) => names.bind[t.info[i] >> 4] },
      { label: "section", width: 12, text: section },
      { label: "name", text: (i) => image.symbolName(t, i) },
    ],
    load: async () => {
      t = (await image.loadSymbols()).table;
      const narrowed = (thing) => {
        if (thing.kind === SYMBOL) return (i) => i === thing.row || (t.value[i] === t.value[thing.row] && t.section[i] === t.section[thing.row]);
        const r = unbiased(image, thing);
        if (image.object) return (i) => t.section[i] === thing.index && thing.kind === SECTION;
        return (i) => r && t.section[i] !== 0 && (t.info[i] & 15) !== 6 && t.value[i] >= r.start && (t.value[i] < r.end || (t.value[i] === r.start));
      };
      return { all: numbers(t.rows), narrowed, words: (q) => t.matching(q), thing: (i) => image.symbol(i) };
    },
  };
}

function relocTable(image) {
  const { names } = image;
  let t, s; // relocations and symbols, unpacked
  const name = (i) => (names.reloc[t.type[i]] ?? hex(BigInt(t.type[i]))).split("|");
  const symbol = (i) => (s && t.sym[i] < s.rows ? image.symbolName(s, t.sym[i]) : "");
  // In objects places are offsets in the section that the table applies to.
  const target = (i) => names.relocTarget[t.table[i]];
  const thing = (i) => image.keep("reloc " + i, () => {
    const size = BigInt(image.bits / 8), title = `${name(i)[0]} ${symbol(i)}`;
    const home = image.bySection.get(target(i));
    const place = home ? image.inner(home, t.off[i], size, { kind: PLACE, index: i, name: title }) : image.place(title, range(t.off[i] + image.bias, size));
    return Object.assign(place, { reloc: relocFields(i) });
  });
  const relocFields = (i) => [
    ["r_offset", hex(t.off[i]), image.object ? "in " + image.sectionName(target(i)) : image.nameAt(VIRTUAL, t.off[i] + image.bias)],
    ["type", hex(BigInt(t.type[i])), name(i).join(": ")],
    ["symbol", s && t.sym[i] < s.rows ? hex(s.value[t.sym[i]]) : "", symbol(i) || "none"],
    ["r_addend", hex(t.addend[i]), String(BigInt.asIntN(64, t.addend[i]))],
    ["table", "", names.relocTabs[t.table[i]]],
  ];
  return {
    id: "relocs", label: "Relocs", count: image.relocs?.rows ?? 0,
    columns: [
      { label: "offset", width: image.bits === 64 ? 12 : 10, right: true, text: (i) => hex(t.off[i]), key: (i) => t.off[i] },
      { label: "type", width: 22, text: (i) => name(i)[0], key: (i) => t.type[i] },
      { label: "symbol", text: symbol },
      { label: "addend", width: 12, right: true, text: (i) => { const a = BigInt.asIntN(64, t.addend[i]); return a < 0n ? "-" + hex(-a) : hex(a); }, key: (i) => BigInt.asIntN(64, t.addend[i]) },
      { label: "table", width: 10, text: (i) => names.relocTabs[t.table[i]] },
    ],
    load: async () => {
      [t, { table: s }] = await Promise.all([Table.open(image.relocs), image.loadSymbols()]);
      const narrowed = (x) => {
        if (image.object) {
          const home = x.kind === SECTION ? x : x.parent;
          const r = x.kind === SECTION ? null : x.at[FILE];
          return (i) => home && target(i) === home.index && (!r || touches(r, range(home.at[FILE].start + t.off[i], 1n)));
        }
        const r = unbiased(image, x);
        if (x.kind === SYMBOL) return (i) => t.sym[i] === x.row || (r && t.off[i] >= r.start && t.off[i] < r.end);
        return (i) => r && t.off[i] >= r.start && t.off[i] < r.end;
      };
      const words = (query) => {
        const list = query.toLowerCase().split(/\s+/).filter(Boolean);
        const symbols = list.map((w) => s?.rowsWith(w) ?? new Set());
        const types = list.map((w) => new Set(Object.entries(names.reloc).filter(([, n]) => n.toLowerCase().includes(w)).map(([k]) => Number(k))));
        const offset = list.map((w) => (w.startsWith("0x") ? w : null));
        return numbers(t.rows).filter((i) => list.every((_, k) => symbols[k].has(t.sym[i]) || types[k].has(t.type[i]) || (offset[k] && hex(t.off[i]).startsWith(offset[k]))));
      };
      return { all: numbers(t.rows), narrowed, words, thing };
    },
  };
}

function stringTable(image) {
  let t;
  const thing = (i) => image.keep("string " + i, () => {
    const size = BigInt(new TextEncoder().encode(t.string(t.name[i])).length);
    const name = JSON.stringify(t.string(t.name[i]));
    const home = image.bySection.get(t.section[i]);
    if (home?.at[FILE]) return Object.assign(image.inner(home, t.off[i] - home.at[FILE].start, size, { kind: PLACE, index: i, name }), { parent: home });
    return image.place(name, range(t.off[i], size), FILE);
  });
  return {
    id: "strings", label: "Strings", count: image.strings?.rows ?? 0,
    columns: [
      { label: "offset", width: 10, right: true, text: (i) => hex(t.off[i]), key: (i) => t.off[i] },
      { label: "address", width: image.bits === 64 ? 12 : 10, right: true, text: (i) => (t.addr[i] ? hex(t.addr[i]) : ""), key: (i) => t.addr[i] },
      { label: "section", width: 14, text: (i) => image.sectionName(t.section[i]) },
      { label: "text", text: (i) => t.string(t.name[i]).replace(/\n/g, "⏎").replace(/\t/g, "⇥") },
    ],
    load: async () => {
      t = await Table.open(image.strings);
      const narrowed = (x) => {
        const f = x.at[FILE];
        return (i) => f && t.off[i] >= f.start && t.off[i] < f.end;
      };
      return { all: numbers(t.rows), narrowed, words: (q) => t.matching(q), thing };
    },
  };
}

// TablePanel is a table with its filter.
class TablePanel {
  constructor(image, table, pick) {
    this.image = image;
    this.table = table;
    this.input = el("input", { type: "search", placeholder: "filter", "aria-label": "Filter " + table.label, spellcheck: "false", oninput: () => this.later() });
    this.count = el("span", { class: "count", role: "status" });
    this.chip = el("button", { type: "button", class: "chip", hidden: true, onclick: () => this.narrow(null) });
    this.grid = new Grid(table.columns, { label: table.label, pick: (row) => pick(this.data.thing(row)) });
    this.node = [el("div", { class: "filter" }, this.input, this.chip, this.count), this.grid.node];
  }

  async open() {
    if (!this.data) {
      this.count.textContent = "unpacking …";
      await new Promise((done) => setTimeout(done)); // so that it is seen
      this.data = await this.table.load();
    }
    this.update();
  }

  // narrow keeps to the rows that lie in a thing.
  narrow(thing) {
    this.thing = thing;
    if (this.data && this.grid.node.isConnected) this.update();
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.update(), 120);
  }

  update() {
    const query = this.input.value.trim();
    let rows = (query && this.data.words(query)) || this.data.all;
    if (query) rows = rows.slice().sort((a, b) => a - b);
    if (this.thing) rows = rows.filter(this.data.narrowed(this.thing));
    this.chip.hidden = !this.thing;
    if (this.thing) {
      this.chip.textContent = `${this.image.title(this.thing)} ✕`;
      this.chip.setAttribute("aria-label", `Only in ${this.image.title(this.thing)}; show all`);
    }
    const all = this.data.all.length;
    this.count.textContent = rows.length === all ? count(all) : `${count(rows.length)} of ${count(all)}`;
    this.grid.set(rows, this.thing ? `nothing in ${this.image.title(this.thing)}${query ? " has these words" : ""}` : "nothing has these words");
  }
}
