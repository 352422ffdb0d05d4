// A heap that begins where the program's memory ends, as newlib's sbrk has it: what is
// loaded there is overwritten.
typedef unsigned long word;

extern char end[];
void put(int c);
void stop(void);

word data = 5;
void *volatile again;
__attribute__((section(".persistent"))) volatile word runs = 1;

void start(void)
{
	put('0' + data);
	put('|');
	put('0' + runs);
	put('\n');
	data++;
	for (char *p = end; p < end + 0x10000; p++)
		*(volatile char *)p = 0xff;
	if (++runs < 5)
		((void (*)(void))again)();
	stop();
}
