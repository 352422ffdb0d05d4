// The selected thing: where it is, and its header field by field, each with its
// bytes in hexadecimal and what they mean.

class Details {
  // events: reveal(thing), select(thing), light(things)
  constructor(node, image, events) {
    Object.assign(this, { node, image, events });
  }

  show(thing) {
    const { image } = this;
    if (!thing) return this.overview();
    const rows = this.rows(thing);
    this.node.replaceChildren(...[
      el("h2", {}, image.title(thing), this.button("Show", () => this.events.reveal(thing)), thing.parent ? this.button("Up", () => this.events.select(thing.parent)) : null),
      el("p", {}, this.sentence(thing)),
      this.table(thing, rows),
    ].filter(Boolean));
    this.node.scrollTop = 0;
  }

  button(text, act) {
    return el("button", { type: "button", onclick: act }, text);
  }

  sentence(t) {
    const { image } = this;
    const parts = [kindNames[t.kind]];
    if (t.kind === SYMBOL) parts[0] = this.symbolSentence(t);
    if (t.parent) parts.push("in " + image.title(t.parent));
    const r = t.at[VIRTUAL] ?? t.at[FILE];
    if (r) parts.push(bytes(r.end - r.start));
    if (r && t.at[VIRTUAL] && t.kind <= SECTION && t.filled < r.end - r.start) parts.push(`${bytes(r.end - r.start - t.filled)} of them zero, in no file`);
    return parts.join(", ");
  }

  symbolSentence(t) {
    const { table } = this.image.ready, { names } = this.image;
    const source = this.image.sources?.[table.source[t.row] - 1];
    return `${names.bind[table.info[t.row] >> 4]} ${names.symbolType[table.info[t.row] & 15]} ${names.visibility[table.other[t.row] & 3]}` +
      ` in ${names.symbolTabs[table.table[t.row]]}` + (source ? `, from ${source}` : "");
  }

  // rows are [name, value, meaning, what lights up].
  rows(t) {
    const out = [];
    for (const s of this.image.spaces) {
      const r = t.at[s];
      if (r) out.push([spaceNames[s], hex(r.start), `to ${hex(r.end)}`, [t]]);
    }
    if (t.kind === SYMBOL) out.push(...this.symbolRows(t));
    if (t.map) out.push(["offset", t.map.Off, t.map.Path, []], ["protection", t.map.Prot, t.map.Header >= 0 ? "program header " + t.map.Header : "", []]);
    if (t.reloc) out.push(...t.reloc.map((r) => [...r, []]));
    if (t.field) {
      const f = this.image.fields(t.parent)[this.image.children(t.parent).indexOf(t)];
      out.push([f.name, f.text, f.meaning || f.about, this.pointed(f)]);
      out.push(["", "", f.about, []]);
      return out;
    }
    for (const f of this.image.fields(t)) out.push([f.name, f.text, f.meaning, this.pointed(f), f]);
    return out;
  }

  symbolRows(t) {
    const { table } = this.image.ready, i = t.row;
    const rows = [
      ["st_value", hex(table.value[i]), this.image.object ? "offset in its section" : (table.info[i] & 15) === 6 ? "offset in the thread-local block" : "address", [t]],
      ["st_size", hex(table.size[i]), bytes(table.size[i]), [t]],
      ["st_info", hex(table.info[i]), `${this.image.names.bind[table.info[i] >> 4]}, ${this.image.names.symbolType[table.info[i] & 15]}`, []],
      ["st_other", hex(table.other[i]), this.image.names.visibility[table.other[i] & 3], []],
      ["st_shndx", hex(table.section[i]), this.image.sectionName(table.section[i]) || this.image.names.special[table.section[i]] || (table.section[i] ? "" : "undefined"), []],
    ];
    if (table.nice[i]) rows.push(["name", "", table.string(table.name[i]), []]);
    return rows;
  }

  // pointed are what a field's own bytes are, and what they point to.
  pointed(f) {
    const own = this.image.place(f.name, range(f.at, BigInt(f.size)), FILE);
    own.at[VIRTUAL] = own.at[PHYSICAL] = null;
    if (f.points === undefined) return [own];
    const to = { kind: PLACE, name: f.name, cls: "none", prot: 0, filled: 0n, parent: null, index: -1, at: [null, null, null] };
    to.at[f.points] = range(f.points === VIRTUAL ? f.value + this.image.bias : f.value, 0n);
    return [own, to];
  }

  table(thing, rows) {
    const body = rows.map(([name, value, what, lights, field]) => {
      const on = () => this.events.light(lights);
      const off = () => this.events.light([]);
      return el("tr", { tabindex: 0, onpointerenter: on, onpointerleave: off, onfocus: on, onblur: off, title: field?.about ?? null },
        el("th", { scope: "row" }, name), el("td", { class: "mono value" }, value), el("td", { class: "about" }, what || field?.about || ""));
    });
    return el("table", { "aria-label": "Fields of " + this.image.title(thing) }, el("tbody", {}, body));
  }

  overview() {
    const { image } = this;
    const facts = [
      ["file", bytes(image.fileSize), hex(image.fileSize)],
      ["entry", image.entry ? hex(image.entry) : "", image.nameAt(VIRTUAL, image.entry)],
      ["load bias", image.bias ? hex(image.bias) : "", "added to the file's addresses"],
      ["flags", image.names.flags, ""],
      ["program headers", String(image.headers.phname?.length ?? 0), plural(image.segments.length, "segment") + " are loaded"],
      ["sections", count(image.sections.length), ""],
      ["symbols", count(image.symbols?.of ?? 0), (image.names.symbolTabs ?? []).join(", ")],
      ["relocations", count(image.relocs?.of ?? 0), image.object ? "" : (image.names.relocTabs ?? []).join(", ")],
    ].filter(([, v]) => v && v !== "0");
    this.node.replaceChildren(
      el("h2", {}, image.name),
      el("p", {}, `${image.what}, ${image.bits}-bit ${image.big ? "big" : "little"}-endian. Point at a thing to see its fields; click it to narrow the tables to it.`),
      el("table", {}, el("tbody", {}, facts.map(([a, b, c]) => el("tr", {}, el("th", { scope: "row" }, a), el("td", { class: "mono" }, b), el("td", { class: "about" }, c))))));
  }
}

// Tip is what is shown beside the pointer.
const tip = {
  show(image, details, thing, e, text) {
    const box = $("tip");
    const rows = thing ? details.rows(thing).slice(0, 12) : [];
    box.replaceChildren(
      el("b", {}, text ?? image.title(thing)),
      thing && !text ? el("div", {}, details.sentence(thing)) : "",
      el("table", {}, rows.map(([name, value, what]) => el("tr", {}, el("td", {}, name), el("td", { class: "mono" }, value), el("td", {}, what)))));
    box.hidden = false;
    const w = box.offsetWidth, h = box.offsetHeight;
    box.style.left = clamp(e.clientX + 18, 4, innerWidth - w - 4) + "px";
    box.style.top = (e.clientY + 20 + h > innerHeight ? Math.max(e.clientY - h - 14, 4) : e.clientY + 20) + "px";
  },
  hide() {
    $("tip").hidden = true;
  },
};
