/* Code of many kinds for the disassembler to be compared with objdump's. */
typedef unsigned long size;

size length(const char *s)
{
	size n = 0;
	while (s[n])
		n++;
	return n;
}

int compare(const unsigned char *a, const unsigned char *b, size n)
{
	for (size i = 0; i < n; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

double mean(const double *v, int n)
{
	double sum = 0;
	for (int i = 0; i < n; i++)
		sum += v[i] * (double)(i + 1);
	return n ? sum / n : -1.0;
}

long rounded(float f)
{
	return (long)f + (int)(f * 2.5f);
}

static int calls;

int fib(int n)
{
	__atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

const char *word(int n)
{
	switch (n) {
	case 0: return "zero";
	case 1: return "one";
	case 2: return "two";
	case 3: return "three";
	case 4: return "four";
	case 5: return "five";
	case 7: return "seven";
	}
	return "many";
}

unsigned crc(const unsigned char *p, size n)
{
	unsigned c = ~0u;
	while (n--) {
		c ^= *p++;
		for (int k = 0; k < 8; k++)
			c = c >> 1 ^ (c & 1 ? 0xedb88320u : 0);
	}
	return ~c;
}

void swap(void **a, void **b, int (*less)(void *, void *))
{
	if (less(*b, *a)) {
		void *t = *a;
		*a = *b;
		*b = t;
	}
}

void matrix(float *restrict c, const float *restrict a, const float *restrict b, int n)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++) {
			float s = 0;
			for (int k = 0; k < n; k++)
				s += a[i * n + k] * b[k * n + j];
			c[i * n + j] = s;
		}
}

int digits(unsigned long long v, char *out)
{
	int n = 0;
	char tmp[32];
	do {
		tmp[n++] = '0' + (unsigned)v % 10;
		v = (unsigned)v / 10;
	} while (v);
	for (int i = 0; i < n; i++)
		out[i] = tmp[n - 1 - i];
	return n;
}

int puts(const char *);
void *memcpy(void *, const void *, size);

void greet(char *to, const char *s)
{
	memcpy(to, s, length(s) + 1);
	if (puts(s) < 0)
		puts("again");
}
