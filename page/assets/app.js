// The page: which image is shown, what is selected in it, and which table is
// open. Every part tells its events here and is told what follows from them.

const images = index.images.map((json, i) => new Image(json, i));
const states = new Map(); // of each image: its panels

const picture = new Picture($("picture"), {
  select: (thing) => select(thing),
  hover: (thing, e) => tip.show(current, details, thing, e),
  leave: () => tip.hide(),
  move: (thing, space) => {
    const r = thing.at[space] ?? thing.at[FILE];
    say(`${current.title(thing)}, ${kindNames[thing.kind]}${r ? `, ${hex(r.start)}, ${bytes(r.end - r.start)}` : ""}`);
    details.show(thing);
  },
});
const search = new Search($("search"), $("found"), (thing) => {
  select(thing);
  picture.reveal(thing);
});

let current, details, panels, open;

function showImage(image) {
  current = image;
  for (const [i, b] of [...$("images").children].entries()) {
    b.setAttribute("aria-selected", i === image.number);
    b.tabIndex = i === image.number ? 0 : -1;
  }
  $("what").textContent = `${image.what} · ${bytes(image.fileSize)}`;
  details = new Details($("details"), image, {
    reveal: (t) => picture.reveal(t),
    select: (t) => select(t),
    light: (things) => picture.light(things),
  });
  picture.show(image);
  search.show(image);
  if (!states.has(image)) states.set(image, panelsOf(image));
  panels = states.get(image);
  tabs();
  select(null);
  openPanel(panels[0]);
}

// panelsOf are what can stand beside the picture.
function panelsOf(image) {
  const list = [];
  if (image.steps.length) list.push(stepPanel(image));
  for (const table of tablesOf(image)) {
    list.push({ id: table.id, label: table.label, count: table.count, view: new TablePanel(image, table, (thing) => select(thing, true)) });
  }
  list.push({ id: "sizes", label: "Sizes", view: new Treemap(image, (thing) => select(thing, true), treeHover) });
  if (image.notes?.length) {
    list.push({ id: "notes", label: "Notes", count: image.notes.length, view: { node: [el("ul", { class: "notes" }, image.notes.map((n) => el("li", {}, n)))], open() {}, narrow() {} } });
  }
  return list;
}

function stepPanel(image) {
  let kept = []; // what the step that was clicked lights
  const items = image.steps.map((step) => {
    const header = image.things.find((t) => (t.kind === SEGMENT || t.kind === HEADER) && t.index === step.header);
    const things = step.ranges.length ? step.ranges.map((r) => image.place(step.title, r)) : header ? [header] : [];
    const item = el("li", { tabindex: 0 }, el("span", {}, step.title, el("small", {}, [step.rule, header && "program header " + header.index].filter(Boolean).join(" · ")), step.warn ? el("small", { class: "warn" }, "⚠ " + step.warn) : null));
    const light = () => {
      for (const other of items) other.removeAttribute("aria-current");
      item.setAttribute("aria-current", "step");
      picture.light(things);
    };
    const act = () => {
      kept = things;
      if (header) select(header);
      light();
      if (things[0]) picture.reveal(things[0], false);
    };
    build(item, {
      onpointerenter: light, onfocus: light, onclick: act,
      onkeydown: (e) => {
        const by = { ArrowDown: 1, ArrowUp: -1 }[e.key];
        if (by) items[clamp(items.indexOf(item) + by, 0, items.length - 1)].focus();
        else if (e.key === "Enter") act();
        else return;
        e.preventDefault();
      },
    }, []);
    return item;
  });
  const list = el("ol", { class: "steps", "aria-label": "What the loader does", onpointerleave: () => picture.light(kept) },
    items.flatMap((item, i) => (image.steps[i].phase && image.steps[i].phase !== image.steps[i - 1]?.phase ? [el("li", { class: "phase", role: "presentation" }, image.steps[i].phase), item] : [item])));
  return { id: "steps", label: "Loading", count: items.length, view: { node: [list], open() {}, narrow() {} } };
}

function treeHover(thing, e, text) {
  picture.hover(thing && thing.at.some(Boolean) ? thing : null);
  if (text) tip.show(current, details, thing, e, text);
  else tip.hide();
}

function tabs() {
  $("tabs").replaceChildren(...panels.map((p) =>
    el("button", { type: "button", role: "tab", id: "tab-" + p.id, "aria-controls": "panel", onclick: () => openPanel(p), onkeydown: (e) => arrow(e, $("tabs")) }, p.label, p.count ? el("small", {}, short(p.count)) : null)));
}

// arrow moves between tabs.
function arrow(e, list) {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
  if (!by) return;
  e.preventDefault();
  const all = [...list.children];
  const next = all[(all.indexOf(e.currentTarget) + by + all.length) % all.length];
  next.focus();
  next.click();
}

async function openPanel(panel) {
  open = panel;
  for (const tab of $("tabs").children) {
    const on = tab.id === "tab-" + panel.id;
    tab.setAttribute("aria-selected", on);
    tab.tabIndex = on ? 0 : -1;
  }
  $("panel").setAttribute("aria-labelledby", "tab-" + panel.id);
  $("panel").replaceChildren(...panel.view.node);
  await panel.view.open();
}

// select chooses a thing: the picture marks it, the details tell its fields, the
// tables keep to what lies in it, unless it was picked in a table.
function select(thing, fromTable = false) {
  picture.choose(thing);
  if (!thing) picture.light([]);
  details.show(thing);
  if (thing) say(`selected ${current.title(thing)}`);
  if (fromTable) {
    if (thing?.at.some(Boolean)) picture.reveal(thing, false);
    return;
  }
  for (const p of panels) p.view.narrow(thing);
}

function legend() {
  const kinds = [["r", "read"], ["x", "execute"], ["w", "write"], ["wx", "write and execute"], ["none zero", "zero-filled"], ["table", "header tables"], ["none", "in the file only"]];
  $("legend").replaceChildren(...kinds.map(([cls, text]) => el("li", { class: cls }, el("i"), text)));
}

// printTables writes what paper gets instead of tables that scroll.
function printTables() {
  const parts = [];
  for (const p of panels.filter((x) => x.id === "segments" || x.id === "sections")) {
    const { columns } = p.view.table;
    const rows = Array.from({ length: Math.min(p.count, 400) }, (_, i) => el("tr", {}, columns.map((c) => el("td", { class: c.right ? "mono right" : "mono" }, c.text(i)))));
    parts.push(el("h2", {}, p.label), el("table", {}, el("thead", {}, el("tr", {}, columns.map((c) => el("th", { class: c.right ? "right" : null }, c.label)))), el("tbody", {}, rows)));
    if (p.count > rows.length) parts.push(el("p", {}, `… and ${count(p.count - rows.length)} more`));
  }
  if (current.steps.length) parts.push(el("h2", {}, "Loading"), el("ol", {}, current.steps.map((s) => el("li", {}, `${s.title} (${s.rule})`))));
  $("print").replaceChildren(...parts);
}

function start() {
  $("title").textContent = images.length > 1 ? plural(images.length, "image") : baseName(index.title);
  $("title").title = index.title;
  if (images.length > 1) {
    $("images").replaceChildren(...images.map((image) => el("button", { type: "button", role: "tab", onclick: () => showImage(image), onkeydown: (e) => arrow(e, $("images")), title: image.name }, baseName(image.name))));
  }
  paintWith($("theme"));
  $("help").addEventListener("click", () => {
    $("keys").hidden = !$("keys").hidden;
    $("help").setAttribute("aria-expanded", !$("keys").hidden);
  });
  $("linked").addEventListener("change", (e) => (picture.linked = e.target.checked));
  const middle = (factor) => () => picture.zoomKey(picture.columns().find((c) => c.space === picture.space) ?? picture.columns()[0], factor);
  $("in").addEventListener("click", middle(1.6));
  $("out").addEventListener("click", middle(1 / 1.6));
  $("fit").addEventListener("click", () => picture.fit());
  addEventListener("keydown", (e) => {
    if (e.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
      e.preventDefault();
      $("search").focus();
    }
  });
  addEventListener("beforeprint", () => { printTables(); picture.resize(); picture.draw(); });
  addEventListener("afterprint", () => picture.resize());
  legend();
  showImage(images[0]);
  document.documentElement.dataset.ready = "yes";
}

start();
