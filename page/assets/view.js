// View is where the columns are, how tall each draws its space, and what part
// of it is in sight.

const deepest = 60; // points that one byte may get

class View {
  get room() {
    return this.height - this.head - 12;
  }

  get head() {
    return 26;
  }

  columns() {
    const n = this.image.spaces.length;
    const digits = (s) => Math.max(hex(this.image.scales[s].at.at(-1)).length, 6) * 6.6 + 10;
    const axes = this.image.spaces.map(digits);
    const gutter = this.width < 620 ? 10 : 26;
    const width = Math.min((this.width - 20 - axes.reduce((a, b) => a + b, 0) - gutter * (n - 1)) / n, 340);
    let x = 8;
    return this.image.spaces.map((space, i) => {
      const left = x + axes[i];
      x = left + width + gutter;
      return { space, i, left, width, right: left + width, view: this.views[space], scale: this.image.scales[space] };
    });
  }

  tallest() {
    return Math.max(...this.image.spaces.map((s) => this.image.scales[s].height), 1);
  }

  least() {
    return Math.min(this.room / this.tallest(), 3);
  }

  fit() {
    cancelAnimationFrame(this.gliding);
    for (const v of this.views) Object.assign(v, { top: 0, k: this.height ? this.least() : 1 });
    this.redraw();
  }

  y(col, at) {
    return this.yOf(col, col.scale.toY(at));
  }

  yOf(col, world) {
    return this.head + (world - col.view.top) * col.view.k;
  }

  bounds(view, scale) {
    const slack = this.room / view.k;
    view.top = clamp(view.top, Math.min(0, scale.height - slack), Math.max(scale.height - slack, 0));
  }

  // zoom makes a column k times as tall around a point on the screen; linked
  // columns follow, with the same bytes at the same height.
  zoom(col, y, factor) {
    cancelAnimationFrame(this.gliding);
    const at = (y - this.head) / col.view.k + col.view.top;
    const k = clamp(col.view.k * factor, this.least(), this.deepest(col, at));
    const address = col.scale.toAt(at);
    // Inside of an address's byte there is more than toAt can tell.
    const rest = at - col.scale.toY(address);
    for (const other of this.linked ? this.columns() : [col]) {
      let world = at;
      if (other.space !== col.space) {
        const there = this.image.translate(col.space, other.space, address);
        world = there === null ? other.view.top + (y - this.head) / other.view.k : other.scale.toY(there) + rest;
      }
      other.view.k = k;
      other.view.top = world - (y - this.head) / k;
      this.bounds(other.view, other.scale);
    }
    this.redraw();
  }

  // deepest is the scale at which a byte is as tall as it may be.
  deepest(col, world) {
    const at = col.scale.toAt(world);
    const perByte = col.scale.toY(at + 1n) - col.scale.toY(at);
    return perByte > 0 ? Math.max(deepest / perByte, 4) : 1e6;
  }

  pan(col, dy) {
    cancelAnimationFrame(this.gliding);
    for (const c of this.linked ? this.columns() : [col]) {
      c.view.top += dy / c.view.k;
      this.bounds(c.view, c.scale);
    }
    this.redraw();
  }

  // reveal zooms all columns to a thing.
  reveal(thing, close = true) {
    const goals = [];
    let k = Infinity;
    const cols = this.columns().filter((c) => thing.at[c.space]);
    for (const c of cols) {
      const a = c.scale.toY(thing.at[c.space].start), b = c.scale.toY(thing.at[c.space].end);
      const part = thing.kind === SYMBOL || thing.kind === FIELD || thing.kind === PLACE ? 0.18 : 0.72;
      k = Math.min(k, clamp((this.room * part) / Math.max(b - a, 1e-12), this.least(), this.deepest(c, a)));
      if (!close && b > a && (b - a) * c.view.k > tall && this.yOf(c, a) > this.head && this.yOf(c, b) < this.height) return this.redraw();
    }
    for (const c of cols) {
      const a = c.scale.toY(thing.at[c.space].start), b = c.scale.toY(thing.at[c.space].end);
      goals.push({ view: c.view, scale: c.scale, k, middle: (a + b) / 2 });
    }
    for (const c of this.columns()) {
      if (!thing.at[c.space] && cols.length && this.linked) goals.push({ view: c.view, scale: c.scale, k, middle: c.view.top + this.room / 2 / c.view.k });
    }
    this.glide(goals);
  }

  glide(goals) {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const from = goals.map((g) => ({ k: g.view.k, middle: g.view.top + this.room / 2 / g.view.k }));
    const start = performance.now();
    const step = (now) => {
      const part = still ? 1 : clamp((now - start) / 220, 0, 1);
      const ease = part * part * (3 - 2 * part);
      goals.forEach((g, i) => {
        g.view.k = Math.exp(Math.log(from[i].k) * (1 - ease) + Math.log(g.k) * ease);
        // The middle moves as the scale does, so that the goal stays in sight.
        const share = g.k === from[i].k ? ease : clamp((1 / g.view.k - 1 / from[i].k) / (1 / g.k - 1 / from[i].k), 0, 1);
        g.view.top = from[i].middle + (g.middle - from[i].middle) * (part === 1 ? 1 : share) - this.room / 2 / g.view.k;
        this.bounds(g.view, g.scale);
      });
      this.redraw();
      if (part < 1) this.gliding = requestAnimationFrame(step);
    };
    cancelAnimationFrame(this.gliding);
    step(still ? start + 1000 : start);
  }
}
