// The page of a graph: what is selected, what is told of it, and the table of
// symbols, which keeps to the selected object.

const { nodes, edges } = index;
const nowhere = 0xffffffff;
let selected = null;

const drawing = new Drawing($("picture"), nodes, edges, { select });

// shortest are the ways from the first node that are as short as can be.
function shortest(goal) {
  const way = { nodes: new Set(), edges: new Set() };
  if (goal === null) return way;
  const depth = nodes.map(() => -1);
  depth[0] = 0;
  for (const queue = [0]; queue.length; ) {
    const at = queue.shift();
    for (const e of edges) {
      if (e.from === at && depth[e.to] < 0) {
        depth[e.to] = depth[at] + 1;
        queue.push(e.to);
      }
    }
  }
  if (depth[goal] < 0) return way;
  for (const queue = [goal]; queue.length; ) {
    const at = queue.shift();
    way.nodes.add(at);
    edges.forEach((e, k) => {
      if (e.to !== at || depth[e.from] < 0 || depth[e.from] + 1 !== depth[at]) return;
      way.edges.add(k);
      if (!way.nodes.has(e.from)) queue.push(e.from);
    });
  }
  return way;
}

function select(i) {
  selected = i;
  drawing.show(i, shortest(i));
  details(i);
  panel.narrow();
  if (i !== null) say("selected " + nodes[i].name);
}

// others is a list of the objects at the other ends of edges.
function others(title, list, end) {
  if (!list.length) return [];
  return [el("h3", {}, `${title} (${list.length})`), el("ul", { class: "needs" }, list.map((e) => {
    const n = nodes[e[end]];
    const about = [e.kind, n.missing ? "missing" : index.links.of ? (e.count ? plural(e.count, "symbol") : "no symbol") : "", e.unused ? "in vain" : ""].filter(Boolean).join(", ");
    return el("li", {}, el("button", { type: "button", onclick: () => { select(e[end]); drawing.reveal(e[end]); } }, n.name), " ", el("small", {}, about));
  }))];
}

function details(i) {
  if (i === null) {
    const gone = nodes.filter((n) => n.missing).length;
    $("details").replaceChildren(el("p", {}, `${plural(nodes.length - gone, "object")}, ${plural(edges.length, "request")}${gone ? `, ${gone} missing` : ""}. Select an object to see who asks for it, what it asks for, and what is bound.`), index.notes?.length ? el("ul", { class: "notes" }, index.notes.map((n) => el("li", {}, n))) : "");
    return;
  }
  const n = nodes[i];
  $("details").replaceChildren(
    el("h2", { class: n.missing ? "warn" : null }, n.name),
    el("table", {}, el("tbody", {}, n.fields.map((f) => el("tr", {}, el("th", { scope: "row" }, f.name), el("td", { class: "value" }, f.text))))),
    ...others("asked for by", edges.filter((e) => e.to === i), "from"),
    ...others("asks for", edges.filter((e) => e.from === i), "to"));
}

// Panel is the table of symbols with its filter.
class Panel {
  constructor() {
    this.input = el("input", { type: "search", placeholder: "symbol …", "aria-label": "Filter symbols", oninput: () => this.narrow() });
    this.count = el("span", { class: "count" });
    this.chip = el("button", { type: "button", class: "chip", hidden: true, title: "of all objects", onclick: () => select(null) });
    const who = (i) => (i === nowhere ? "–" : nodes[i].name);
    const column = (label, width, text) => ({ label, width, text });
    this.grid = new Grid([
      column("From", 18, (r) => who(this.table.from[r])),
      { label: "Symbol", text: (r) => this.table.string(this.table.name[r]) },
      column("Version", 14, (r) => index.texts[this.table.version[r]]),
      column("To", 18, (r) => who(this.table.to[r])),
      column("", 12, (r) => index.texts[this.table.note[r]]),
    ], { label: "Symbols", pick: (r) => this.pick(r) });
    $("panel").replaceChildren(el("div", { class: "filter" }, this.input, this.chip, this.count), this.grid.node);
  }

  async open() {
    this.table = await Table.open(index.links);
    this.narrow();
  }

  pick(r) {
    const to = this.table.to[r], other = to === selected ? this.table.from[r] : to;
    if (other !== nowhere) drawing.reveal(other);
  }

  narrow() {
    const t = this.table;
    if (!t) return;
    this.chip.hidden = selected === null;
    this.chip.textContent = selected === null ? "" : nodes[selected].name + " ×";
    let rows = t.matching(this.input.value) ?? Uint32Array.from({ length: t.rows }, (_, i) => i);
    if (selected !== null) rows = rows.filter((r) => t.from[r] === selected || t.to[r] === selected);
    this.grid.set(rows);
    const cut = index.links.of > t.rows ? `, the first ${count(t.rows)} of ${count(index.links.of)}` : "";
    this.count.textContent = rows.length === t.rows ? count(t.rows) + cut : `${count(rows.length)} of ${count(t.rows)}${cut}`;
  }
}

const panel = new Panel();

// The search: objects by a part of their name.
function find() {
  const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const hits = words.length ? nodes.map((_, i) => i).filter((i) => words.every((w) => nodes[i].name.toLowerCase().includes(w))).slice(0, 30) : [];
  $("found").hidden = !hits.length;
  $("search").setAttribute("aria-expanded", hits.length > 0);
  $("found").replaceChildren(...hits.map((i, k) => el("li", { role: "option", "aria-selected": k === 0, onpointerdown: (e) => { e.preventDefault(); go(i); } }, nodes[i].name)));
  return hits;
}

function go(i) {
  $("search").value = "";
  find();
  select(i);
  drawing.reveal(i);
}

function legend() {
  const kinds = [["asked", "asks for the selected one"], ["asks", "the selected one asks for it"], ["lack", "missing"]];
  if (index.links.of) kinds.push(["vain", "dotted: nothing is bound along it"]);
  $("legend").replaceChildren(...kinds.map(([cls, text]) => el("li", { class: cls }, el("i"), text)));
}

function start() {
  $("title").textContent = baseName(index.title);
  $("title").title = index.title;
  $("what").textContent = index.title;
  $("search").addEventListener("input", find);
  $("search").addEventListener("keydown", (e) => {
    const hits = e.key === "Enter" ? find() : [];
    if (hits.length) go(hits[0]);
    if (e.key === "Escape") $("found").hidden = true;
  });
  $("help").addEventListener("click", () => {
    $("keys").hidden = !$("keys").hidden;
    $("help").setAttribute("aria-expanded", !$("keys").hidden);
  });
  $("in").addEventListener("click", () => drawing.zoom(1.5));
  $("out").addEventListener("click", () => drawing.zoom(1 / 1.5));
  $("fit").addEventListener("click", () => drawing.fit());
  addEventListener("keydown", (e) => {
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) return;
    if (e.key === "/") {
      e.preventDefault();
      $("search").focus();
    } else if (e.key === "Escape") select(null);
    else if (e.key === "+") drawing.zoom(1.5);
    else if (e.key === "-") drawing.zoom(1 / 1.5);
    else if (e.key === "0") drawing.fit();
  });
  paintWith($("theme"));
  legend();
  drawing.fit();
  select(null);
  panel.open().then(() => (document.documentElement.dataset.ready = "yes"));
}

start();
