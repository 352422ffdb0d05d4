// The picture: a column for each space, and what mouse, fingers and keys do to
// them.

class Picture extends Drawing {
  // events: select(thing), enter(thing), hover(thing, event), leave()
  constructor(box, events) {
    super();
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
