// Numbers as text, and elements. Text from the file goes through textContent
// alone and never becomes markup.

const hex = (n) => "0x" + n.toString(16);

function bytes(n) {
  n = Number(n);
  if (n < 1024) return n + " B";
  let unit = 0;
  for (; n >= 1023.5 && unit < 6; unit++) n /= 1024;
  return (n < 9.95 ? n.toFixed(1) : n.toFixed(0)) + " " + " KMGTPE"[unit] + "iB";
}

const count = (n) => n.toLocaleString("en");
// short is a count in four characters: 355k.
const short = (n) => (n < 10000 ? String(n) : n < 999500 ? Math.round(n / 1000) + "k" : (n / 1e6).toFixed(1) + "M");
const plural = (n, one, many = one + "s") => count(n) + " " + (n === 1 ? one : many);

const baseName = (path) => path.slice(path.lastIndexOf("/") + 1) || path;

function build(node, attrs, children) {
  for (const [key, value] of Object.entries(attrs ?? {})) {
    if (value === undefined || value === null || (value === false && !key.startsWith("aria-"))) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "style") Object.assign(node.style, value);
    else node.setAttribute(key, value === true && !key.startsWith("aria-") ? "" : value);
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined && child !== false) node.append(child);
  }
  return node;
}

const el = (tag, attrs, ...children) => build(document.createElement(tag), attrs, children);
const svg = (tag, attrs, ...children) => build(document.createElementNS("http://www.w3.org/2000/svg", tag), attrs, children);
const $ = (id) => document.getElementById(id);

// say tells who listens instead of looking.
function say(text) {
  $("say").textContent = text;
}

// firstIndex is the first i of [0, n) for which at(i) holds, or n; where it
// holds once, it holds for all after.
function firstIndex(n, at) {
  let low = 0, high = n;
  while (low < high) {
    const mid = (low + high) >>> 1;
    if (at(mid)) high = mid;
    else low = mid + 1;
  }
  return low;
}

const clamp = (x, low, high) => Math.min(Math.max(x, low), high);
