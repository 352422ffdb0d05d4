package show

import (
	"elfwright/freeze/note"
	"elfwright/freeze/saved"
)

func (r *processRow) json(o *object) {
	o.int("pid", int64(r.PID))
	o.names("exe", r.Exe)
	o.str("saved_in", r.kind())
	o.int("parent", int64(r.Parent))
	o.int("group", int64(r.Group))
	o.int("session", int64(r.Process.Session))
	o.int("uid", int64(r.UID))
	o.int("gid", int64(r.GID))
	if r.Core == nil {
		r.frozenJSON(o)
	}
	o.list("threads")
	for i := range r.threads {
		o.open("")
		r.threadJSON(o, &r.threads[i])
		o.close()
	}
	o.endList()
	o.list("mappings")
	for i := range r.Maps {
		o.open("")
		mapJSON(o, &r.Maps[i])
		o.close()
	}
	o.endList()
}

// frozenJSON is what a frozen file tells and a core does not.
func (r *processRow) frozenJSON(o *object) {
	o.names("kernel", r.Kernel)
	o.names("directory", r.CWD)
	o.int("umask", int64(r.Umask))
	o.names("numbers", r.PIDs)
	o.strs("cpu", r.CPU)
	o.hex("xcr0", r.XCR0)
	for _, e := range []struct {
		key string
		v   [2]uint64
	}{{"code", r.Bounds.Code}, {"data", r.Bounds.Data}, {"heap", r.Bounds.Brk}, {"arguments", r.Bounds.Args}, {"environment", r.Bounds.Env}} {
		o.open(e.key)
		o.hex("start", e.v[0])
		o.hex("end", e.v[1])
		o.close()
	}
	o.list("descriptors")
	for i := range r.Descriptors {
		d := &r.Descriptors[i]
		o.open("")
		o.int("number", int64(d.N))
		o.names("link", d.Link)
		o.hex("flags", uint64(d.Flags))
		o.int("position", d.Pos)
		if d.Choice != "" {
			o.names("choice", d.Choice)
		}
		o.close()
	}
	o.endList()
	o.list("limits")
	for i, l := range r.Limits {
		o.open("")
		o.str("name", limitName(i))
		o.hex("current", l.Cur)
		o.hex("most", l.Max)
		o.close()
	}
	o.endList()
	r.signalsJSON(o)
	o.strs("timers", r.Timers)
	o.strs("warnings", r.Warnings)
}

func (r *processRow) signalsJSON(o *object) {
	numbersJSON(o, "pending", r.Process.Pending)
	o.list("signals")
	for i := range r.Actions {
		a := &r.Actions[i]
		o.open("")
		o.int("signal", int64(a.Signal))
		if name := signalWord(r.p, a.Signal); name != "" {
			o.str("signal_name", name)
		}
		o.hex("handler", a.Handler)
		if s, _, ok := r.Symbol(a.Handler); ok && s.Addr == a.Handler {
			r.p.symbolJSON(o, "handler_name", []byte(s.Name))
		}
		o.hex("flags", a.Flags)
		o.hex("restorer", a.Restorer)
		o.hex("mask", a.Mask)
		o.close()
	}
	o.endList()
}

func numbersJSON(o *object, key string, list []int) {
	o.list(key)
	for _, n := range list {
		o.int("", int64(n))
	}
	o.endList()
}

func (r *processRow) threadJSON(o *object, e *threadRow) {
	o.int("tid", int64(e.TID))
	o.names("name", e.Comm)
	o.hex("pc", e.pc)
	o.hex("sp", e.sp)
	o.hex("blocked", e.Mask)
	numbersJSON(o, "pending", e.Pending)
	if r.Core == nil {
		o.hex("frame", e.Frame)
	}
	if r.p.opt.Registers {
		all := append(append(registers(nil), e.regs...), e.state...)
		append(all, e.vectors...).json(o)
	}
	o.list("backtrace")
	for i := range e.frames {
		o.open("")
		r.frameJSON(o, &e.frames[i])
		o.close()
	}
	o.endList()
}

func (r *processRow) frameJSON(o *object, f *saved.Frame) {
	o.hex("pc", f.PC)
	o.hex("sp", f.SP)
	if name, off := r.function(f); name != "" {
		r.p.symbolJSON(o, "function", []byte(name))
		o.hex("function_offset", off)
	}
	if f.Module != nil {
		o.names("module", f.Module.Name)
	}
	o.str("found_by", string(f.How))
}

func mapJSON(o *object, m *note.Map) {
	o.hex("start", m.Start)
	o.num("size", m.Size)
	o.str("protection", protection(m))
	if m.Name != "" {
		o.names("name", m.Name)
		o.hex("offset", m.Off)
		o.bool("deleted", m.Deleted)
	}
	if m.Flags != "" {
		o.names("flags", m.Flags)
	}
	o.num("stored", stored(m))
	o.list("runs")
	for _, s := range m.Stored {
		o.open("")
		o.hex("start", s.Start)
		o.num("size", s.Size)
		if s.At != 0 {
			o.hex("file_offset", uint64(s.At))
		}
		o.close()
	}
	o.endList()
	if m.File != nil {
		o.bool("needs_file", true)
		if m.File.BuildID != nil {
			o.bytes("build_id", m.File.BuildID)
		}
	}
}
