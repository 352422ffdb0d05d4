// The index, and the chunks: tables in columns of little-endian numbers,
// deflated, in base64. A chunk is unpacked when it is first asked for.

const index = JSON.parse($("index").textContent);
const unpacked = new Map(); // chunk: promise of its bytes

function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const raw = atob(text);
  const out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return out;
}

function unpack(chunk) {
  if (chunk < 0) return Promise.resolve(new ArrayBuffer(0));
  let bytes = unpacked.get(chunk);
  if (!bytes) {
    const packed = fromBase64($("chunk-" + chunk).textContent);
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    bytes = new Response(stream).arrayBuffer();
    unpacked.set(chunk, bytes);
  }
  return bytes;
}

const decoder = new TextDecoder();

// Table is an unpacked table: its columns by name, and its names.
class Table {
  static async open(desc) {
    const [raw, text] = await Promise.all([unpack(desc.chunk), unpack(desc.text)]);
    return new Table(desc, raw, text);
  }

  constructor(desc, raw, text) {
    this.rows = desc.rows;
    this.text = new Uint8Array(text);
    let at = 0;
    for (const col of desc.cols) {
      const type = { 64: BigUint64Array, 32: Uint32Array, 8: Uint8Array }[col.bits];
      this[col.name] = new type(raw, at, this.rows);
      at += (this.rows * col.bits) / 8;
    }
  }

  string(off) {
    const end = this.text.indexOf(0, off);
    return decoder.decode(this.text.subarray(off, end < 0 ? undefined : end));
  }

  // matching returns the rows in whose names the words occur, all of them,
  // whatever the case. Names lie in the order of the rows, so that one search
  // through all text finds them.
  matching(query) {
    let rows = null;
    for (const word of query.toLowerCase().split(/\s+/).filter(Boolean)) {
      const found = this.rowsWith(word);
      rows = rows ? rows.filter((r) => found.has(r)) : [...found];
    }
    return rows ? Uint32Array.from(rows) : null;
  }

  // lower is all text in lower case, its bytes as the characters of the same
  // number.
  get lower() {
    this.lowered ??= new TextDecoder("latin1").decode(this.text.map((c) => (c >= 65 && c <= 90 ? c + 32 : c)));
    return this.lowered;
  }

  rowsWith(word) {
    const needle = new TextDecoder("latin1").decode(new TextEncoder().encode(word));
    const found = new Set();
    for (let at = this.lower.indexOf(needle); at >= 0; ) {
      let row = firstIndex(this.rows, (i) => this.name[i] > at) - 1;
      if (row < 0) break;
      // Neighbours of one name have it once.
      for (let r = row; r >= 0 && this.name[r] === this.name[row]; r--) found.add(r);
      const next = row + 1 < this.rows ? this.name[row + 1] : this.lower.length;
      at = this.lower.indexOf(needle, Math.max(next, at + 1));
    }
    return found;
  }
}
