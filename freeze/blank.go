package freeze

import (
	"debug/elf"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
	"elfwright/freeze/capture"
	"elfwright/image"
)

// blank is what a process is that has just been started here and has done nothing:
// the processor, the kernel's code, all that a core does not tell and that is as at
// a program's start.
func blank() (*capture.Snapshot, error) {
	prog, err := blankProgram()
	if err != nil {
		return nil, err
	}
	defer prog.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	child, err := os.StartProcess(fmt.Sprintf("/proc/self/fd/%d", prog.Fd()), []string{"blank"}, &os.ProcAttr{Files: []*os.File{null, null, null}, Env: []string{}})
	if err != nil {
		return nil, fmt.Errorf("an empty process, to compare: %w", err)
	}
	defer child.Wait()
	defer child.Kill()
	var out *capture.Snapshot
	err = capture.With(child.Pid, func(t *capture.Target) (err error) {
		out, err = t.Snapshot()
		return err
	})
	return out, err
}

// blankProgram is a program that waits for a signal, in a file without a name.
func blankProgram() (*os.File, error) {
	code := []byte{
		0xb8, 0x22, 0, 0, 0, // mov $34,%eax (pause)
		0x0f, 0x05, // syscall
		0xeb, 0xf7, // jmp back
	}
	m := amd64.Machine
	img := &image.Image{
		Name: "empty program", Format: elffile.Format{Class: m.Class, Data: m.Orders[0]}, Type: elf.ET_EXEC, Machine: m.ELF, Entry: coarse,
		Segments: []image.Segment{segment(coarse, elf.PF_R|elf.PF_X, codeOff, code)},
		Headers:  []image.Header{{Type: elf.PT_GNU_STACK, Flags: elf.PF_R | elf.PF_W, Align: 16, Segment: -1, Off: image.NoOffset, Index: image.NoIndex}},
	}
	f, err := img.File()
	if err != nil {
		return nil, err
	}
	fd, err := unix.MemfdCreate("blank", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("memfd_create: %w", err)
	}
	file := os.NewFile(uintptr(fd), "blank")
	if _, err := f.Encode().WriteTo(file); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}
