package link

import (
	"debug/elf"

	"elfwright/ldscript"
	"elfwright/link/emul"
	"elfwright/link/input"
	"elfwright/link/layout"
	"elfwright/link/model"
)

// readScripts reads the scripts of -T, and the default script where it counts.
func (l *linkage) readScripts() error {
	e, err := Emulation(l.opt)
	if err != nil {
		return err
	}
	l.emul = e
	if e.Bare && l.opt.Target2 == "" { // AAELF32: a platform chooses
		l.opt.Target2 = "rel"
	}
	l.env.Class, l.env.Order = 64, byteOrder(e.Data)
	if e.Class == elf.ELFCLASS32 {
		l.env.Class = 32
	}
	texts, err := scriptTexts(l.opt, e)
	if err != nil {
		return err
	}
	for _, t := range texts {
		tree, err := l.parse(t.Name, t.Text)
		if err != nil {
			return err
		}
		if t.Default {
			l.standard = tree
		} else {
			l.trees = append(l.trees, tree)
		}
	}
	return l.compile()
}

// parse reads a script, and what it includes.
func (l *linkage) parse(name string, text []byte) (*ldscript.Script, error) {
	return ldscript.Parse(name, text, ldscript.Options{Open: opener(l.opt), LLD: l.opt.Dialect == "lld"})
}

// compile makes the layout of the scripts that are known.
func (l *linkage) compile() (err error) {
	l.script, err = layout.Compile(l.opt, layout.Sources{Own: l.trees, Default: l.standard, Texts: l.implicit}, l.env.Report)
	if err != nil {
		return err
	}
	if l.opt.Output == "" {
		l.opt.Output = l.script.Commands().Output
	}
	return l.checkFormat()
}

// opener finds scripts and lists, and the files that they include: as named, in
// the directories of -L with the sysroot put in, in those of SEARCH_DIR.
func opener(opt *model.Options) layout.Open {
	return ldscript.OpenIn(input.Dirs(opt))
}

// scriptTexts are the scripts of a link: those of -T, and behind them the default
// script.
func scriptTexts(opt *model.Options, e *emul.Emulation) ([]layout.Text, error) {
	var texts []layout.Text
	open := opener(opt)
	for _, name := range opt.Scripts {
		path, text, err := open(name, nil)
		if err != nil {
			return nil, err
		}
		texts = append(texts, layout.Text{Name: path, Text: text})
	}
	if opt.DefaultScript != "" {
		path, text, err := open(opt.DefaultScript, nil)
		if err != nil {
			return nil, err
		}
		return append(texts, layout.Text{Name: path, Text: text, Default: true}), nil
	}
	return append(texts, layout.Text{Name: "default script", Text: []byte(e.Script(kind(opt, e))), Default: true}), nil
}

func kind(opt *model.Options, e *emul.Emulation) emul.Kind {
	relro := opt.Relro == nil || *opt.Relro
	return emul.Kind{
		Relocatable: opt.Relocatable, Shared: opt.Shared, PIE: opt.PIE, NMagic: opt.NMagic, OMagic: opt.OMagic,
		Now: opt.Now && relro, SeparateCode: opt.SeparateCode, Dirs: e.SearchDirs(),
	}
}

// ScriptText is what --verbose prints: the script that a link goes by, and
// whether it is a file's.
func ScriptText(opt *model.Options) (text string, external bool, err error) {
	e, err := Emulation(opt)
	if err != nil {
		return "", false, err
	}
	texts, err := scriptTexts(opt, e)
	if err != nil {
		return "", false, err
	}
	return string(texts[0].Text), len(opt.Scripts) > 0 || opt.DefaultScript != "", nil
}
