package patch_test

import (
	"strings"
	"testing"

	"elfwright/internal/samples"
)

// program is C with variables of every kind. It prints them, so that what was
// written can be seen in the running program; volatile keeps the compiler from
// computing with them.
const program = `
#include <stdio.h>
#include <stdint.h>
#include <stdbool.h>
enum color { RED, GREEN = 5, BLUE = -1 };
struct uart { uint64_t base; unsigned irq : 5, mode : 3; signed level : 11; int : 0; short prio; };
struct cfg {
	int version;
	union { int i; float f; };
	struct uart uart[2];
	char label[8];
	enum color color;
	bool on;
	double ratio;
	int grid[2][3];
	struct { struct { unsigned char deep; } inner; };
};
volatile struct cfg cfg = { .version = 1, .uart = {{0x1000, 3, 1, 7, 8}, {0x2000, 4, 2, 9, 10}} };
struct cfg zero;
uint64_t microkit_irqs;
char microkit_name[64];
static volatile int counter = 7;
volatile int8_t small = -1;
volatile uint16_t half = 0x1234;
volatile int tab[8];
volatile int *volatile ptr = &tab[2];
volatile float fl;
volatile double db = 2.5;
static __thread volatile int tl = 11;
volatile const int limit = 5;
volatile unsigned char bytes[4] = {1, 2, 3, 4};
char file_bytes[4000] __attribute__((section("blob"))) = {1};
extern char __start_blob[], __stop_blob[];
int main(void) {
	volatile struct cfg *c = &cfg;
	printf("version %d f %g base %llx %llx irq %u mode %u level %d prio %d label %s color %d on %d ratio %g grid %d deep %u\n",
		c->version, c->f, (unsigned long long)c->uart[0].base, (unsigned long long)c->uart[1].base, c->uart[1].irq, c->uart[1].mode,
		c->uart[1].level, c->uart[1].prio, (char *)c->label, c->color, c->on, c->ratio, c->grid[1][2], c->inner.deep);
	printf("zero %d %d irqs %llx name %s counter %d small %d half %x tab %d %d %d ptr %ld\n", zero.version, zero.uart[1].irq,
		(unsigned long long)*(volatile uint64_t *)&microkit_irqs, microkit_name, counter, small, half, tab[0], tab[3], tab[7], (long)(ptr - tab));
	printf("fl %g db %g tl %d limit %d bytes %d %d %d %d blob %d %d %d\n", fl, db, tl, limit, bytes[0], bytes[1], bytes[2], bytes[3],
		file_bytes[0], file_bytes[3999], (int)(__stop_blob - __start_blob));
	return 0;
}
`

// before is what it prints as it is.
const before = `version 1 f 0 base 1000 2000 irq 4 mode 2 level 9 prio 10 label  color 0 on 0 ratio 0 grid 0 deep 0
zero 0 0 irqs 0 name  counter 7 small -1 half 1234 tab 0 0 0 ptr 2
fl 0 db 2.5 tl 11 limit 5 bytes 1 2 3 4 blob 1 0 4000
`

// changes are what is set, and after is what it prints then.
var changes = []string{
	"cfg.uart[1].base=0x9000000", "cfg.uart[1].irq=31", "cfg.uart[1].mode=5", "cfg.uart[1].level=-1000", "cfg.uart[1].prio=-5", "cfg.f=1.5",
	`cfg.label="hello"`, "cfg.color=GREEN", "cfg.on=true", "cfg.ratio=3", "cfg.grid[1][2]=42", "cfg.inner.deep=200",
	"zero.version=77", "zero.uart[1].irq=17", "microkit_irqs=0xff00000000000000", `microkit_name="pd \"one\""`, "prog.c:counter=-3",
	"small=-128", "half=0xffff", "tab[]=1,2,3,4", "tab[7]=99", "ptr=&tab[5]", "fl=0.25", "db=-1e10", "tl=12", "limit=6", "bytes=hex:09_07",
}

const after = `version 1 f 1.5 base 1000 9000000 irq 31 mode 5 level -1000 prio -5 label hello color 5 on 1 ratio 3 grid 42 deep 200
zero 77 17 irqs ff00000000000000 name pd "one" counter -3 small -128 half ffff tab 1 4 99 ptr 5
fl 0.25 db -1e+10 tl 12 limit 6 bytes 9 7 0 0 blob 1 0 4000
`

// A machine is a C toolchain and what runs its programs.
type machine struct {
	prefix, emulator string
}

var (
	native   = machine{}
	machines = []machine{
		native, {"i686-linux-gnu-", "qemu-i386"}, {"aarch64-linux-gnu-", "qemu-aarch64"}, {"arm-linux-gnueabihf-", "qemu-arm"},
		{"riscv64-linux-gnu-", "qemu-riscv64"}, {"s390x-linux-gnu-", "qemu-s390x"}, {"powerpc-linux-gnu-", "qemu-ppc"},
	}
)

func (m machine) String() string {
	if m.prefix == "" {
		return "x86-64"
	}
	return strings.TrimSuffix(m.prefix, "-")
}

// build compiles the program.
func (m machine) build(t testing.TB, flags ...string) string {
	t.Helper()
	return samples.MakeFile(t, samples.Recipe{
		Files: map[string]string{"prog.c": program},
		Steps: [][]string{append([]string{m.prefix + "gcc", "-g", "-o", "prog", "prog.c"}, flags...)},
		Out:   "prog",
	})
}
