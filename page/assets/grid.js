// Grid is a table of any length: only the rows in sight exist. Rows are chosen
// with the mouse or the keys, sorted by a click on a column's head.

const rowHeight = 22;
// Browsers do not make boxes of any height; longer tables scroll in larger steps.
const tallestBox = 8_000_000;

class Grid {
  // columns: {label, width (ch) or grow, right, text(row), key(row)}
  constructor(columns, { label, pick }) {
    this.columns = columns;
    this.pick = pick;
    this.rows = [];
    this.at = -1;
    this.heads = el("div", { class: "heads", role: "row" }, columns.map((c, i) => el("button", { type: "button", role: "columnheader", class: this.cls(c), style: this.style(c), onclick: () => this.sort(i) }, c.label)));
    this.spacer = el("div", { style: { width: "1px" }, "aria-hidden": true });
    this.body = el("div", { class: "body", tabindex: 0, role: "rowgroup", "aria-label": label + ", arrow keys move, Enter selects", onscroll: () => this.redraw(), onkeydown: (e) => this.key(e), onpointerdown: (e) => (this.pressed = e), onpointerup: (e) => this.click(e) }, this.spacer);
    this.node = el("div", { class: "grid", role: "grid", "aria-label": label }, this.heads, this.body);
    new ResizeObserver(() => this.redraw()).observe(this.body);
  }

  cls(c) {
    return [c.width ? "" : "grow", c.right ? "right" : ""].join(" ").trim() || null;
  }

  style(c) {
    return c.width ? { width: `calc(${c.width}ch + 10px)` } : {};
  }

  // set shows these rows: numbers that the columns understand.
  set(rows, nothing = "nothing here") {
    this.nothing = nothing;
    const chosen = this.at >= 0 ? this.rows[this.at] : undefined;
    this.given = rows;
    this.rows = rows;
    if (this.by !== undefined) this.order();
    this.at = chosen === undefined ? -1 : this.rows.indexOf(chosen);
    this.node.setAttribute("aria-rowcount", this.rows.length + 1);
    this.spacer.style.height = this.total() + "px";
    this.body.scrollTop = 0;
    this.redraw();
  }

  total() {
    return Math.min(this.rows.length * rowHeight, tallestBox);
  }

  sort(i) {
    const chosen = this.rows[this.at];
    this.down = this.by === i ? !this.down : false;
    this.by = i;
    [...this.heads.children].forEach((h, k) => h.setAttribute("aria-sort", k !== i ? "none" : this.down ? "descending" : "ascending"));
    [...this.heads.children].forEach((h, k) => (h.textContent = this.columns[k].label + (k !== i ? "" : this.down ? " ▾" : " ▴")));
    this.order();
    this.at = chosen === undefined ? -1 : this.rows.indexOf(chosen);
    this.redraw();
  }

  order() {
    const key = this.columns[this.by].key ?? this.columns[this.by].text;
    const keys = new Map();
    for (const r of this.given) keys.set(r, key(r));
    const sign = this.down ? -1 : 1;
    this.rows = Array.from(this.given).sort((a, b) => {
      const x = keys.get(a), y = keys.get(b);
      return x < y ? -sign : x > y ? sign : a - b;
    });
  }

  redraw() {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      this.draw();
    });
  }

  // first is the row at the top, and how far it is from there in the box.
  draw() {
    const seen = this.body.clientHeight;
    if (!seen) return;
    this.heads.scrollLeft = this.body.scrollLeft;
    const total = this.rows.length * rowHeight, box = this.total();
    const top = box < total ? (this.body.scrollTop / Math.max(box - seen, 1)) * (total - seen) : this.body.scrollTop;
    const first = Math.max(Math.floor(top / rowHeight) - 4, 0);
    const last = Math.min(first + Math.ceil(seen / rowHeight) + 9, this.rows.length);
    const shift = this.body.scrollTop - top;
    const nodes = [this.spacer];
    for (let i = first; i < last; i++) {
      const row = this.rows[i];
      nodes.push(el("div", { class: "row", role: "row", id: "row-" + i, "aria-rowindex": i + 2, "aria-selected": i === this.at, style: { top: i * rowHeight + shift + "px" } },
        this.columns.map((c) => el("span", { class: this.cls(c), style: this.style(c), role: "gridcell" }, c.text(row)))));
    }
    if (!this.rows.length) nodes.push(el("div", { class: "empty" }, this.nothing));
    this.body.replaceChildren(...nodes);
    if (this.at >= 0) this.body.setAttribute("aria-activedescendant", "row-" + this.at);
  }

  // click is made of the button's going down and up again at one place. The
  // browser's own click does not come where the row that was pressed has been
  // drawn anew meanwhile; and the row is looked for anew for the same reason.
  click(e) {
    const down = this.pressed;
    this.pressed = null;
    if (e.button || !down || Math.hypot(e.clientX - down.clientX, e.clientY - down.clientY) > 4) return;
    const row = document.elementFromPoint(e.clientX, e.clientY)?.closest(".row");
    if (row) this.choose(Number(row.id.slice("row-".length)));
  }

  choose(i, enter = true) {
    this.at = i;
    this.redraw();
    if (enter) this.pick(this.rows[i]);
  }

  key(e) {
    const page = Math.max(Math.floor(this.body.clientHeight / rowHeight) - 1, 1);
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[e.key];
    if (e.key === "Enter" && this.at >= 0) return this.choose(this.at);
    if (by === undefined || !this.rows.length) return;
    e.preventDefault();
    this.choose(clamp(this.at + by, 0, this.rows.length - 1), false);
    this.scrollTo(this.at);
    say(this.columns.map((c) => c.text(this.rows[this.at])).join(", "));
  }

  scrollTo(i) {
    const seen = this.body.clientHeight, total = this.rows.length * rowHeight, box = this.total();
    if (box < total) {
      this.body.scrollTop = (i * rowHeight / (total - seen)) * (box - seen);
      return;
    }
    const top = i * rowHeight;
    if (top < this.body.scrollTop) this.body.scrollTop = top;
    else if (top + rowHeight > this.body.scrollTop + seen) this.body.scrollTop = top + rowHeight - seen;
  }
}
