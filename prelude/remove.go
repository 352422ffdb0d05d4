package prelude

import (
	"elfwright/elffile"
	"elfwright/phdr"
)

// Remove takes a prelude out of a program, which then starts where it did before.
// The error has a method No where there is none.
func Remove(f *elffile.File, opt phdr.Options) (*phdr.Result, error) {
	found, err := Installed(f)
	if err != nil {
		return nil, err
	}
	i := loadWith(f, f.Header.Entry)
	plain := *f
	plain.Header.Entry = found.Entry
	started, err := elffile.ParseBody(f.Name, plain.Encode())
	if err != nil {
		return nil, err
	}
	return phdr.Detach(started, i, opt)
}
