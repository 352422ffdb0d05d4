// Code in writable memory, which the program changes: a reset restores it, and the
// processor must not run what was there before.
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

#if defined(__x86_64__) || defined(__i386__)
asm(".section .writable, \"awx\"\n.globl five\nfive: mov $5, %eax\nret\n.text");
static const unsigned char seven[] = {0xb8, 7, 0, 0, 0}; // mov $7, %eax
#elif defined(__aarch64__)
asm(".section .writable, \"awx\"\n.balign 4\n.globl five\nfive: mov w0, #5\nret\n.text");
static const unsigned char seven[] = {0xe0, 0x00, 0x80, 0x52}; // mov w0, #7
#elif defined(__arm__)
asm(".section .writable, \"awx\"\n.balign 4\n.arm\n.globl five\n.type five, %function\nfive: mov r0, #5\nbx lr\n.text");
static const unsigned char seven[] = {7, 0, 0xa0, 0xe3}; // mov r0, #7
#elif defined(__riscv)
asm(".section .writable, \"awx\"\n.option push\n.option norvc\n.globl five\nfive: li a0, 5\nret\n.option pop\n.text");
static const unsigned char seven[] = {0x13, 5, 0x70, 0}; // li a0, 7
#endif

extern int five(void);
__attribute__((section(".persistent"))) volatile int runs = 1;

int main(void)
{
	int before = five();
	char *code = (char *)((unsigned long)five & ~1ul);
	memcpy(code, seven, sizeof seven);
	__builtin___clear_cache(code, code + sizeof seven);
	printf("%d %d|%d\n", before, five(), runs);
	fflush(stdout);
	if (++runs < 5)
		((void (*)(void))getauxval(AT_ENTRY))();
	return 0;
}
