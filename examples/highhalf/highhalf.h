/* What the kernel and the machine below it agree on. */

typedef __UINTPTR_TYPE__ uintptr_t;

/* Defined by the linker script. */
extern char _stub_start[], _stub_end[];
extern char _kernel_start[], _kernel_readonly_end[], _kernel_end[];
extern char _kernel_pages[], _kernel_readonly_pages[], _kernel_readwrite_pages[];
extern char _bss_start[], _bss_end[];
extern char stack_bottom[], stack_top[];

/* Defined by MACHINE/board.c, in the high half. */
void forget_low(void);	/* take away the mapping in which the stub ran */
void put(char c);	/* one character to the serial line */
void power_off(void);	/* end the emulator */
