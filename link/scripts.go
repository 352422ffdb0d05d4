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
	if err := l.parseScripts(); err != nil {
		return err
	}
	return l.compile()
}

// parseScripts reads the scripts of -T, and the default script: a file in any case,
// ours only if it counts, for making its text takes as long as linking a few
// objects.
func (l *linkage) parseScripts() error {
	own, err := ownTexts(l.opt)
	if err != nil {
		return err
	}
	for _, t := range own {
		tree, err := l.parse(t.Name, t.Text)
		if err != nil {
			return err
		}
		l.trees = append(l.trees, tree)
	}
	if l.opt.DefaultScript == "" && !layout.AddsToDefault(l.trees) {
		return nil
	}
	t, err := defaultText(l.opt, l.emul)
	if err == nil {
		l.standard, err = l.parse(t.Name, t.Text)
	}
	return err
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

// ownTexts are the scripts of -T.
func ownTexts(opt *model.Options) ([]layout.Text, error) {
	var texts []layout.Text
	open := opener(opt)
	for _, name := range opt.Scripts {
		path, text, err := open(name, nil)
		if err != nil {
			return nil, err
		}
		texts = append(texts, layout.Text{Name: path, Text: text})
	}
	return texts, nil
}

// defaultText is the default script: a file's, or ours.
func defaultText(opt *model.Options, e *emul.Emulation) (layout.Text, error) {
	if opt.DefaultScript != "" {
		path, text, err := opener(opt)(opt.DefaultScript, nil)
		return layout.Text{Name: path, Text: text, Default: true}, err
	}
	return layout.Text{Name: "default script", Text: []byte(e.Script(kind(opt, e))), Default: true}, nil
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
	texts, err := ownTexts(opt)
	if err != nil {
		return "", false, err
	}
	if len(texts) > 0 {
		return string(texts[0].Text), true, nil
	}
	t, err := defaultText(opt, e)
	return string(t.Text), opt.DefaultScript != "", err
}
