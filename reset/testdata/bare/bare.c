// A program without an operating system that counts: in .data, in .bss, in a
// persistent variable, through a pointer, and in a word that was patched. It
// changes all of them and starts itself again; each line must be the same but for
// the persistent number. The machine's file has put, stop, and _start, which sets
// sp where nobody else does: there is no other check of sp than on M-profile.
typedef unsigned long word;

void put(int c);
void stop(void);

word data = 5, zero, *pointer = &data, many[200] = {[3] = 9, [190] = 4};
volatile word patched = 7, patchedZero;
void *volatile again; // where to jump to: patched
__attribute__((section(".persistent"))) volatile word runs = 1;

static void number(word v, int end)
{
	char digits[20];
	int n = 0;
	do
		digits[n++] = '0' + v % 10;
	while (v /= 10);
	while (n)
		put(digits[--n]);
	put(end);
}

void start(void)
{
	word there = (word)&there; // sinks if sp is not restored
	static word first __attribute__((section(".persistent"))) = 1;
	if (first == 1)
		first = there;
	number(data, ' ');
	number(zero, ' ');
	number(*pointer, ' ');
	number(patched, ' ');
	number(patchedZero, ' ');
	number(many[3] + many[190], ' ');
	number(first - there, '|');
	number(runs, '\n');
	data += 3, zero += 2, patched = 1, patchedZero = 6, many[3] = many[150] = 0, many[190]++;
	pointer = &zero;
	runs = runs + 1;
	if (runs < 5 && again)
		((void (*)(void))again)();
	stop();
}
