package sdf

import (
	"slices"

	"elfwright/elffile"
	"elfwright/phdr"
	"elfwright/reset"
	"elfwright/sdf/desc"
)

// resettable makes an image that has its values resettable, if that is asked for.
// The values are part of the state that a reset restores.
func (a *applier) resettable(p *desc.PD, both pair, body *elffile.Body) (*elffile.Body, error) {
	if a.opt.Reset == "" {
		return body, nil
	}
	f, err := elffile.ParseBody(both.img.Name, body)
	if err != nil {
		return nil, err
	}
	opt := reset.Options{Shape: a.opt.Reset, OS: reset.NoneOS, NoMatch: true} // that was checked when they were opened
	if both.syms != both.img {
		opt.Symbols = []*elffile.File{both.syms}
	}
	for _, k := range a.opt.Persistent {
		if k.Domain == p.Name {
			opt.Persistent = append(opt.Persistent, k.What)
		}
	}
	r, err := reset.Apply(f, opt)
	if err != nil {
		return nil, err
	}
	r.Report.Warnings = slices.DeleteFunc(r.Report.Warnings, func(w phdr.Warning) bool { return slices.Contains(moot, w.Code) })
	a.out.Plan.Domains[p.Index].Reset = r.Report
	return r.Body, nil
}

// moot is what reset warns of for other systems. Microkit starts images at e_entry
// and maps their segments, no more: nothing in them makes memory read-only later,
// behind them is no heap that was not there before, and there is no C library that
// looks for program headers in the first page. An image of program headers alone
// has its symbols beside it.
var moot = []string{"deflate", "relro", "heap", "phdr-first-page", "no-sections"}
