package input

import (
	"errors"

	"elfwright/link/model"
)

// warnings tells those who refer to a symbol what a section .gnu.warning.SYMBOL
// says of it: once an object, at its first reference.
func (l *loader) warnings() {
	texts := map[*model.Symbol]string{}
	for _, o := range l.objects {
		for _, w := range o.warnings {
			if sym := l.table.Get(w.symbol); sym != nil {
				texts[sym] = w.text
			}
		}
	}
	if len(texts) == 0 || l.opt.Relocatable {
		return
	}
	for _, o := range l.objects {
		for _, sym := range o.Symbols[min(o.Locals, len(o.Symbols)):] {
			if text, ok := texts[sym]; ok && sym.Obj != o.Object {
				l.warnReference(o, sym, text)
			}
		}
	}
}

func (l *loader) warnReference(o *object, sym *model.Symbol, text string) {
	for _, s := range o.Sections {
		if s == nil || !s.Live {
			continue
		}
		for i := range s.Relocs {
			if r := &s.Relocs[i]; s.Symbol(r) == sym {
				l.rep.WarnAt(s, r.Off, errors.New(text))
				return
			}
		}
	}
}
