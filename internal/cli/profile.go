package cli

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
)

// profiles are the files that --cpuprofile and --memprofile name.
type profiles struct {
	cpu, mem string
	open     *os.File
}

// start begins what was asked for.
func (p *profiles) start() error {
	if p.cpu == "" {
		return nil
	}
	f, err := os.Create(p.cpu)
	if err != nil {
		return err
	}
	p.open = f
	return pprof.StartCPUProfile(f)
}

// stop writes what was collected.
func (p *profiles) stop() error {
	if p.open != nil {
		pprof.StopCPUProfile()
		if err := p.open.Close(); err != nil {
			return err
		}
	}
	if p.mem == "" {
		return nil
	}
	f, err := os.Create(p.mem)
	if err != nil {
		return err
	}
	defer f.Close()
	runtime.GC() // so that the profile shows what is still in use
	if err := pprof.WriteHeapProfile(f); err != nil {
		return fmt.Errorf("%s: %w", p.mem, err)
	}
	return f.Close()
}
