// Search finds places by number and things by name:
//
//	0x4010a0, 4010a0   an address, virtual and physical, and a file offset
//	name               sections, headers, symbols whose names have these letters
//	name+0x10          a place behind the start of one

const mostFound = 60;

class Search {
  constructor(input, list, pick) {
    Object.assign(this, { input, list, pick, results: [], at: -1 });
    input.addEventListener("input", () => this.later());
    input.addEventListener("keydown", (e) => this.key(e));
    input.addEventListener("focus", () => input.value && this.run());
    input.addEventListener("blur", () => setTimeout(() => this.close(), 150));
  }

  show(image) {
    this.image = image;
    this.input.value = "";
    this.close();
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.run(), 90);
  }

  async run() {
    const query = this.input.value.trim();
    if (!query) return this.close();
    await this.image.loadSymbols();
    if (query !== this.input.value.trim()) return; // typed on meanwhile
    this.results = [...this.byNumber(query), ...this.byName(query)].slice(0, mostFound);
    this.at = this.results.length ? 0 : -1;
    this.draw(query);
  }

  byNumber(query) {
    const digits = /^(?:0x)?([0-9a-f]{1,16})$/i.exec(query)?.[1];
    if (!digits || (!/^0x/i.test(query) && !/\d/.test(query))) return [];
    const at = BigInt("0x" + digits), out = [];
    for (const space of [VIRTUAL, FILE, PHYSICAL]) {
      if (space === PHYSICAL && this.image.translate(VIRTUAL, PHYSICAL, at) === at) continue;
      if (!this.image.thingsAt(space, at).length) continue;
      const exact = space === VIRTUAL ? this.symbolAt(at) : null;
      const thing = this.placeAt(space, at);
      out.push({ text: `${spaceNames[space]} ${hex(at)}`, more: exact ?? this.image.nameAt(space, at), thing });
    }
    return out;
  }

  placeAt(space, at) {
    const home = this.image.thingsAt(space, at).find((t) => t.kind !== HEADER);
    const name = `${spaceNames[space]} ${hex(at)}`;
    return home ? this.image.inner(home, at - home.at[space].start, 1n, { kind: PLACE, index: -1, name }) : this.image.place(name, range(at, 1n), space);
  }

  // symbolAt names the place by the symbol that has it.
  symbolAt(at) {
    const { table, order } = this.image.ready;
    if (!table || this.image.object) return null;
    at -= this.image.bias;
    let i = firstIndex(order.length, (k) => table.value[order[k]] > at) - 1;
    for (let back = 0; i >= 0 && back < 8; i--, back++) {
      const off = at - table.value[order[i]];
      if (off < table.size[order[i]] || off === 0n) return this.image.symbolName(table, order[i]) + (off ? ` + ${hex(off)}` : "");
    }
    return null;
  }

  byName(query) {
    const plus = /^(.+?)\s*\+\s*(0x[0-9a-f]+|\d+)$/i.exec(query);
    const name = (plus ? plus[1] : query).toLowerCase();
    const off = plus ? BigInt(plus[2]) : 0n;
    const { image } = this, out = [];
    const add = (thing, more) => {
      const t = off ? image.inner(thing, off, 1n, { kind: PLACE, index: -1, name: `${image.title(thing)} + ${hex(off)}` }) : thing;
      out.push({ text: image.title(t), more, thing: t });
    };
    for (const t of image.things) {
      if (image.title(t).toLowerCase().includes(name)) add(t, kindNames[t.kind]);
    }
    const { table } = image.ready;
    if (table) {
      const rows = [...(table.matching(name) ?? [])];
      const rank = (r) => {
        const s = table.string(table.name[r]).toLowerCase(), nice = image.symbolName(table, r).toLowerCase();
        const undefinedHere = table.section[r] ? 0 : 8;
        return undefinedHere + (s === name || nice === name ? 0 : s.startsWith(name) || nice.startsWith(name) ? 1 : 2);
      };
      const ranked = rows.length > 20000 ? rows.slice(0, mostFound).map((r) => [2, r]) : rows.map((r) => [rank(r), r]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      const seen = new Set();
      for (const [, r] of ranked) {
        const key = table.string(table.name[r]) + table.value[r];
        if (seen.has(key)) continue;
        seen.add(key);
        add(image.symbol(r), table.section[r] ? hex(table.value[r]) : "undefined");
        if (out.length > mostFound) break;
      }
    }
    return out;
  }

  draw(query) {
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.list.replaceChildren(...(this.results.length
      ? this.results.map((r, i) => el("li", { role: "option", id: "found-" + i, "aria-selected": i === this.at, onpointerdown: (e) => { e.preventDefault(); this.take(i); } }, r.text, el("small", {}, r.more ?? "")))
      : [el("li", { role: "option", "aria-disabled": true }, `nothing is called “${query}”`)]));
    if (this.at >= 0) this.input.setAttribute("aria-activedescendant", "found-" + this.at);
    say(plural(this.results.length, "result"));
  }

  move(by) {
    if (!this.results.length) return;
    this.at = (this.at + by + this.results.length) % this.results.length;
    [...this.list.children].forEach((li, i) => li.setAttribute("aria-selected", i === this.at));
    this.list.children[this.at].scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", "found-" + this.at);
  }

  take(i) {
    const r = this.results[i];
    if (!r) return;
    this.close();
    this.pick(r.thing);
  }

  async key(e) {
    if (e.key === "ArrowDown") this.move(1);
    else if (e.key === "ArrowUp") this.move(-1);
    else if (e.key === "Escape") this.close();
    else if (e.key === "Enter") {
      clearTimeout(this.timer);
      if (this.list.hidden || this.drawn !== this.input.value) await this.runNow();
      this.take(this.at);
    } else return;
    e.preventDefault();
  }

  async runNow() {
    const at = this.list.hidden ? 0 : this.at;
    await this.run();
    if (at > 0 && at < this.results.length) this.at = at;
  }

  close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }
}
