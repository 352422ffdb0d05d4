package desc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Arch is a machine that Microkit has boards for.
type Arch string

// The machines.
const (
	AArch64 Arch = "aarch64"
	RISCV64 Arch = "riscv64"
	X86_64  Arch = "x86_64"
)

// Archs are all machines.
func Archs() []string { return []string{string(AArch64), string(RISCV64), string(X86_64)} }

// Number is a number that a board description writes as one, or as text in the
// language's own form: "0x1000".
type Number uint64

// UnmarshalJSON reads both forms.
func (n *Number) UnmarshalJSON(b []byte) error {
	s := string(b)
	if bytes.HasPrefix(b, []byte(`"`)) {
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
	}
	v, err := parseNumber(s)
	*n = Number(v)
	return err
}

// MarshalJSON writes hexadecimal text.
func (n Number) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, `"0x%x"`, uint64(n)), nil }

// Memory is a range of physical addresses.
type Memory struct {
	Start Number `json:"start"`
	End   Number `json:"end"`
}

// Board is what a system description is checked against: the machine, and how
// the kernel was built for it.
type Board struct {
	Name       string `json:"name,omitempty"`
	Arch       Arch   `json:"arch"`
	Cores      Number `json:"cores"`
	Hypervisor bool   `json:"hypervisor"`
	SMC        bool   `json:"smc"`
	IOMMU      bool   `json:"iommu"`
	Domains    Number `json:"domains"`         // KernelNumDomains
	Schedule   Number `json:"schedule"`        // KernelNumDomainSchedules
	UserTop    Number `json:"user_vspace_top"` // seL4_UserVSpaceTop: the last address a user may have
	// PageSizes are those of the MMU that Microkit uses, the smallest first.
	PageSizes []Number `json:"page_sizes"`
	// Memory is what is free once the kernel has booted, for regions that need
	// a physical address and name none.
	Memory []Memory `json:"memory,omitempty"`
}

// Default returns a board as the kernels of the stock SDK are built: one core,
// 16 domains and 100 entries of their schedule, on AArch64 a hypervisor with 40
// bits of physical address, RISC-V with Sv39.
func Default(a Arch) Board {
	b := Board{Arch: a, Cores: 1, Domains: 16, Schedule: 100, PageSizes: []Number{0x1000, 0x200000}}
	switch a {
	case AArch64:
		b.Hypervisor, b.UserTop = true, 0xff_ffff_ffff
	case RISCV64:
		b.UserTop = 0x3f_ffff_efff
	case X86_64:
		b.UserTop = 0x7fff_ffff_efff
	}
	return b
}

// ParseBoard reads a board description: a JSON object with the fields of Board.
// What it does not say is as in Default.
func ParseBoard(name string, text []byte) (Board, error) {
	var only struct {
		Arch Arch `json:"arch"`
	}
	if err := json.Unmarshal(text, &only); err != nil {
		return Board{}, jsonError(name, text, err)
	}
	b := Default(only.Arch)
	sizes := b.PageSizes
	b.PageSizes = nil
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&b); err != nil {
		return Board{}, jsonError(name, text, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return Board{}, fmt.Errorf("%s: something stands behind the board's object", name)
	}
	if b.PageSizes == nil {
		b.PageSizes = sizes
	}
	if err := b.Check(); err != nil {
		return Board{}, fmt.Errorf("%s: %w", name, err)
	}
	return b, nil
}

func jsonError(name string, text []byte, err error) error {
	off := int64(-1)
	msg := err.Error()
	switch e := err.(type) {
	case *json.SyntaxError:
		off = e.Offset
	case *json.UnmarshalTypeError:
		off = e.Offset
		msg = fmt.Sprintf("%s: %s is not what belongs there", e.Field, e.Value)
	}
	if off < 0 {
		return fmt.Errorf("%s: %s", name, strings.TrimPrefix(msg, "json: "))
	}
	return fmt.Errorf("%v: %s", Pos{newSource(name, text), int(off)}, strings.TrimPrefix(msg, "json: "))
}

// Check says what is wrong with a board.
func (b *Board) Check() error {
	switch {
	case b.Arch == "":
		return fmt.Errorf("arch is missing: want one of %s", strings.Join(Archs(), ", "))
	case b.Arch != AArch64 && b.Arch != RISCV64 && b.Arch != X86_64:
		return fmt.Errorf("arch: %s is not known: want one of %s", quote(string(b.Arch)), strings.Join(Archs(), ", "))
	case b.Cores == 0 || b.Cores > 256:
		return fmt.Errorf("cores: %d is not within 1..256", b.Cores)
	case b.SMC && b.Arch != AArch64:
		return fmt.Errorf("smc: only the kernel of AArch64 forwards SMC, not that of %s", b.Arch)
	case b.Hypervisor && b.Arch == RISCV64:
		return fmt.Errorf("hypervisor: the kernel is none on %s", b.Arch)
	case b.IOMMU && b.Arch != X86_64:
		return fmt.Errorf("iommu: Microkit uses one on x86_64 alone, not on %s", b.Arch)
	case b.Domains == 0 || b.Domains > 256:
		return fmt.Errorf("domains: %d is not within 1..256", b.Domains)
	case b.UserTop < 0x200_0000 || b.UserTop >= 1<<63:
		return fmt.Errorf("user_vspace_top: %#x is no address of the top of a user's address space", uint64(b.UserTop))
	case len(b.PageSizes) == 0:
		return fmt.Errorf("page_sizes: there is none")
	}
	return b.checkRanges()
}

func (b *Board) checkRanges() error {
	for i, n := range b.PageSizes {
		if n == 0 || n&(n-1) != 0 || i > 0 && n <= b.PageSizes[i-1] {
			return fmt.Errorf("page_sizes[%d]: %#x is no power of two above the one before", i, uint64(n))
		}
	}
	if b.PageSizes[0] != 0x1000 {
		return fmt.Errorf("page_sizes[0]: %#x: IPC buffers, stacks and their guards have pages of 0x1000", uint64(b.PageSizes[0]))
	}
	for i, m := range b.Memory {
		if m.Start >= m.End {
			return fmt.Errorf("memory[%d]: start %#x is not below end %#x", i, uint64(m.Start), uint64(m.End))
		}
	}
	return nil
}

// pageSize is the smallest.
func (b *Board) pageSize() uint64 { return uint64(b.PageSizes[0]) }

// IPCBuffer is where a protection domain has its IPC buffer: in the highest page.
func (b *Board) IPCBuffer() uint64 { return uint64(b.UserTop) &^ (b.pageSize() - 1) }

// StackTop is the first address above a stack; between it and the IPC buffer
// lies a page that nothing is mapped to.
func (b *Board) StackTop() uint64 { return b.IPCBuffer() - b.pageSize() }

// StackBottom is the lowest address of a stack of that size, below which the
// protection domain's mappings lie.
func (b *Board) StackBottom(size uint64) uint64 { return b.StackTop() - min(size, b.StackTop()) }
