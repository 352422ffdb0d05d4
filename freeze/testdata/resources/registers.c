CASE(registers, "")
{
	uint64_t in[7] = {1, 2ull << 40, 3, 4, 5, 6, 7}, out[6];
	long pid = getpid();
	__asm__ volatile(
		"movq (%0), %%rbx; movq 8(%0), %%r12; movq 16(%0), %%r13; movq 24(%0), %%r14; movq 32(%0), %%r15; movq 40(%0), %%r8\n"
		"movl $62, %%eax; movq %2, %%rdi; movl $19, %%esi; syscall\n"
		"movq %%rbx, (%1); movq %%r12, 8(%1); movq %%r13, 16(%1); movq %%r14, 24(%1); movq %%r15, 32(%1); movq %%r8, 40(%1)"
		:: "d"(in), "r"(out), "r"(pid) : "rax", "rbx", "rcx", "rdi", "rsi", "r8", "r11", "r12", "r13", "r14", "r15", "memory");
	CHECK(memcmp(in, out, sizeof out) == 0);
}

CASE(x87, "")
{
	uint16_t cw = 0x0e7f, got; // round to zero, 64 bits
	long double pi = 0;
	long pid = getpid();
	__asm__ volatile("fldcw %1; fldpi; movl $62, %%eax; movq %3, %%rdi; movl $19, %%esi; syscall; fnstcw %0; fstpt %2"
		: "=m"(got) : "m"(cw), "m"(pi), "r"(pid) : "rax", "rcx", "rdi", "rsi", "r11", "memory");
	CHECK(got == cw);
	CHECK(pi > 3.14159265358979L && pi < 3.1415926535898L);
}

__attribute__((target("avx"))) static void vectors(void)
{
	uint8_t in[64], out[64];
	uint32_t csr = 0x1f80 | 0x6000, got;
	for (int i = 0; i < 64; i++)
		in[i] = i * 3 + 1;
	long pid = getpid();
	__asm__ volatile("ldmxcsr %3; vmovups (%0), %%ymm5; vmovups 32(%0), %%ymm15; movl $62, %%eax; movq %2, %%rdi; movl $19, %%esi; syscall\n"
		"vmovups %%ymm5, (%1); vmovups %%ymm15, 32(%1); stmxcsr %4"
		:: "d"(in), "r"(out), "r"(pid), "m"(csr), "m"(got) : "rax", "rcx", "rdi", "rsi", "r11", "xmm5", "xmm15", "memory");
	CHECK(memcmp(in, out, 64) == 0);
	CHECK((got & 0xffc0) == csr);
}
CASE(avx, "")
{
	if (__builtin_cpu_supports("avx"))
		vectors();
}
