// Code in which many instructions of Thumb occur.
typedef long long wide;
typedef unsigned long long uwide;

int select4(int a, int b, int c) { return a > b ? (b > c ? a + c : c - b) : (a < c ? b * c : a ^ 7); }
int clampTo(int v, int low, int high) { return v < low ? low : v > high ? high : v; }
int classify(int c)
{
	switch (c) {
	case 0: return 17;
	case 1: return c * 9;
	case 2: return -4;
	case 3: return 1000000;
	case 4: return 0x12345;
	case 5: return 5;
	case 6: return 0xff00ff;
	case 9: return 77;
	}
	return c / 10 + c % 7;
}
wide multiply(wide a, wide b) { return a * b + (int)a * (wide)(int)b; }
uwide divide(unsigned a, unsigned b) { return (uwide)a * b + a / (b | 1); }
unsigned bits(unsigned v) { return (v >> 3 & 0x1f) | (v & 0xff00) << 4 | __builtin_bswap32(v) ^ __builtin_clz(v | 1); }
short halves(short *p, signed char *q, int i) { p[i] += q[i]; q[-3] = p[-1]; return p[i + 1] - q[i]; }
int atomics(int *p, char *q, short *r, wide *s)
{
	__atomic_fetch_add(p, 3, __ATOMIC_SEQ_CST);
	__atomic_fetch_or(q, 3, __ATOMIC_ACQ_REL);
	__atomic_fetch_xor(r, 3, __ATOMIC_RELAXED);
	__atomic_fetch_sub(s, 5, __ATOMIC_SEQ_CST);
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}
double floats(double a, float b, int c, unsigned d, double *p, float *q)
{
	p[1] = a * b - a / c + __builtin_sqrt(a < 0 ? -a : a);
	q[2] = b * b + d + (float)a;
	if (b > 0 && a <= b)
		return (int)b + (unsigned)a;
	return __builtin_fabs(a) - q[1];
}
void copy(int *to, const int *from, int n)
{
	for (int i = 0; i < n; i++)
		to[i] = from[i] > 5 ? from[i] * 3 : from[n - i] & ~0x80;
}
