// Scale is the line from addresses to heights that package picture made: linear
// between its stops, so that gaps are short and small things are tall.
class Scale {
  constructor(stops) {
    this.at = stops.map((s) => BigInt(s[0]));
    this.y = stops.map((s) => s[1]);
    this.gap = stops.map((s) => s[2] === 1);
    this.height = this.y.at(-1) ?? 0;
  }

  get empty() {
    return this.at.length === 0;
  }

  toY(at) {
    const i = firstIndex(this.at.length, (k) => this.at[k] > at) - 1;
    if (i < 0) return 0;
    if (i === this.at.length - 1) return this.height;
    const part = Number(at - this.at[i]) / Number(this.at[i + 1] - this.at[i]);
    return this.y[i] + (this.y[i + 1] - this.y[i]) * part;
  }

  // toAt is the address at a height, rounded down.
  toAt(y) {
    const i = firstIndex(this.y.length, (k) => this.y[k] > y) - 1;
    if (i < 0) return this.at[0] ?? 0n;
    if (i === this.at.length - 1) return this.at[i];
    const size = this.at[i + 1] - this.at[i];
    const part = (y - this.y[i]) / (this.y[i + 1] - this.y[i]);
    return this.at[i] + BigInt(Math.floor(part * Number(size)));
  }
}
