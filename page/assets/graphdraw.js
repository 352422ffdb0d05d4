// The graph as SVG: columns of boxes, edges between them. The drawing is made once;
// zooming changes its transform, selecting the classes.

const widestBox = 230, columnGap = 60, rowGap = 36, boxHeight = 22;

// lay gives every box its place; a column is as wide as its widest box.
function lay(nodes) {
  const boxes = nodes.map((n) => ({ x: 0, y: n.y * rowGap, width: Math.min(Math.max(n.name.length, 4) * 7.3 + 16, widestBox) }));
  const widths = [];
  nodes.forEach((n, i) => (widths[n.x] = Math.max(widths[n.x] ?? 0, boxes[i].width)));
  const left = [0];
  for (const w of widths) left.push(left.at(-1) + w + columnGap);
  nodes.forEach((n, i) => (boxes[i].x = left[n.x]));
  return boxes;
}

class Drawing {
  // events: select(i), with null for nothing
  constructor(room, nodes, edges, events) {
    Object.assign(this, { room, nodes, edges, events });
    this.boxes = lay(nodes);
    this.lines = edges.map((e) => svg("path", { class: this.lineClass(e), d: this.curve(e) }));
    this.marks = nodes.map((n, i) => this.mark(n, i));
    this.all = svg("g", {}, this.lines, this.marks);
    this.svg = svg("svg", { role: "group", "aria-label": "Objects, and who asks for whom" }, this.all);
    room.replaceChildren(this.svg);
    this.listen();
    new ResizeObserver(() => this.moved || this.fit()).observe(room);
  }

  lineClass(e) {
    return ["edge", e.unused ? "vain" : "", e.kind ? "other" : "", this.nodes[e.to].missing ? "lack" : ""].join(" ").trim();
  }

  // curve goes from the right side of a box to the left side of another one; one
  // that leads back goes around.
  curve(e) {
    const a = this.boxes[e.from], b = this.boxes[e.to];
    const x = a.x + a.width, y = a.y, bend = b.x > x ? (b.x - x) / 2 : 60;
    return `M${x} ${y}C${x + bend} ${y} ${b.x - bend} ${b.y} ${b.x} ${b.y}`;
  }

  mark(n, i) {
    const box = this.boxes[i];
    const letters = Math.floor((box.width - 12) / 7.2);
    const label = n.name.length > letters ? "…" + n.name.slice(-letters + 1) : n.name;
    const node = svg("g", { class: "node" + (n.missing ? " lack" : "") + (i ? "" : " first"), tabindex: 0, role: "button", "aria-label": n.name + (n.missing ? ", missing" : ""), transform: `translate(${box.x} ${box.y})` },
      svg("title", {}, n.name),
      svg("rect", { y: -boxHeight / 2, width: box.width, height: boxHeight, rx: 4 }),
      svg("text", { x: 8, y: 4 }, label));
    node.addEventListener("click", () => this.dragged || this.events.select(i));
    node.addEventListener("keydown", (e) => this.key(e, i));
    return node;
  }

  key(e, i) {
    const column = () => this.nodes.map((n, k) => k).filter((k) => this.nodes[k].x === this.nodes[i].x).sort((a, b) => this.nodes[a].y - this.nodes[b].y);
    let to = -1;
    if (e.key === "Enter" || e.key === " ") return e.preventDefault(), this.events.select(i);
    if (e.key === "ArrowRight") to = this.edges.find((x) => x.from === i)?.to ?? -1;
    else if (e.key === "ArrowLeft") to = this.edges.find((x) => x.to === i)?.from ?? -1;
    else if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      const list = column();
      to = list[list.indexOf(i) + (e.key === "ArrowDown" ? 1 : -1)] ?? -1;
    } else return;
    e.preventDefault();
    if (to >= 0) {
      this.marks[to].focus();
      this.reveal(to);
    }
  }

  listen() {
    this.svg.addEventListener("wheel", (e) => {
      e.preventDefault();
      const at = this.svg.getBoundingClientRect();
      this.zoom(Math.exp(-e.deltaY / 500), e.clientX - at.left, e.clientY - at.top);
    }, { passive: false });
    let from = null;
    this.svg.addEventListener("pointerdown", (e) => {
      this.dragged = false;
      if (!e.button) from = { x: e.clientX, y: e.clientY };
    });
    addEventListener("pointermove", (e) => {
      if (!from || (!this.dragged && Math.hypot(e.clientX - from.x, e.clientY - from.y) < 4)) return;
      this.dragged = true;
      this.move(e.clientX - from.x, e.clientY - from.y);
      from = { x: e.clientX, y: e.clientY };
    });
    addEventListener("pointerup", () => (from = null));
    this.svg.addEventListener("click", (e) => {
      if (!this.dragged && !e.target.closest(".node")) this.events.select(null);
    });
  }

  move(x, y) {
    this.moved = true;
    this.x += x;
    this.y += y;
    this.place();
  }

  // zoom keeps what is under a point of the screen where it is.
  zoom(factor, x = this.room.clientWidth / 2, y = this.room.clientHeight / 2) {
    this.moved = true;
    const k = clamp(this.k * factor, 0.02, 4);
    this.x = x - ((x - this.x) * k) / this.k;
    this.y = y - ((y - this.y) * k) / this.k;
    this.k = k;
    this.place();
  }

  place() {
    this.all.setAttribute("transform", `translate(${this.x} ${this.y}) scale(${this.k})`);
  }

  fit() {
    const width = this.room.clientWidth, height = this.room.clientHeight;
    if (!width || !height) return;
    const right = Math.max(...this.boxes.map((b) => b.x + b.width)), low = Math.max(...this.boxes.map((b) => b.y)), high = Math.min(...this.boxes.map((b) => b.y));
    this.k = clamp(Math.min((width - 40) / right, (height - 60) / (low - high + boxHeight)), 0.02, 1.3);
    this.x = Math.max((width - right * this.k) / 2, 20);
    this.y = height / 2 - ((low + high) / 2) * this.k;
    this.moved = false;
    this.place();
  }

  // reveal moves a box into sight.
  reveal(i) {
    const b = this.boxes[i], x = this.x + b.x * this.k, y = this.y + b.y * this.k;
    const width = this.room.clientWidth, height = this.room.clientHeight;
    if (x < 10 || x + b.width * this.k > width - 10 || y < 20 || y > height - 20) this.move(width / 2 - x - (b.width * this.k) / 2, height / 2 - y);
  }

  // show lights a box, its neighbours, and the ways to it.
  show(i, way) {
    const near = new Map();
    if (i !== null) {
      for (const e of this.edges) {
        if (e.to === i) near.set(e.from, "asked");
        if (e.from === i) near.set(e.to, "asks");
      }
      near.set(i, "on");
    }
    this.all.classList.toggle("some", i !== null);
    this.marks.forEach((mark, k) => {
      for (const c of ["on", "asked", "asks"]) mark.classList.toggle(c, near.get(k) === c);
      mark.classList.toggle("far", !near.has(k) && !way.nodes.has(k));
      mark.setAttribute("aria-pressed", k === i);
    });
    this.lines.forEach((line, k) => {
      const e = this.edges[k];
      line.classList.toggle("asks", i !== null && e.from === i);
      line.classList.toggle("asked", i !== null && e.to === i);
      line.classList.toggle("way", way.edges.has(k));
      line.classList.toggle("far", e.from !== i && e.to !== i && !way.edges.has(k));
    });
  }
}
