package run

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"elfwright/dyn/load"
	"elfwright/run/cache"
	"elfwright/run/own"
	"elfwright/run/source"
	"elfwright/run/stage"
)

// keeper is the place of a program's image among those that are kept.
type keeper struct {
	cache.Cache
	key  cache.Key
	path string // of the program, absolute, links not followed
}

// keeper says where the image of the program at a path is kept; nil is nowhere, and
// the error says why.
func (p *Program) keeper(path string) (*keeper, error) {
	switch {
	case p.Cache == "":
		return nil, nil
	case p.Root != "":
		return nil, errors.New("what has its libraries in another root is not kept for the next start")
	case p.told():
		return nil, errors.New("what is searched for in another way than the dynamic linker's is not kept for the next start")
	case p.Save || path == "" || p.Row != nil || p.Musl != nil:
		return nil, errors.New("what is saved, has no file, or is made by a row from elsewhere is not kept for the next start")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	opt := p.loading()
	variables, tunables := own.LoaderVariables(p.Env)
	key := cache.Key{Program: abs, Options: append([]string{opt.LibraryPath, opt.Preload, string(p.Stop)}, append(variables, tunables...)...)}
	return &keeper{Cache: cache.Cache{Dir: p.Cache}, key: key, path: abs}, nil
}

// kept is an image of an earlier start; nil if there is none. It has not been asked
// whether it is that of its files: it does that itself.
func (p *Program) kept() *Prepared {
	name := p.Args[0]
	if p.Cache == "" || p.Renew || p.Look || p.Tell || p.Root != "" || p.Engine == Interp || name == "-" || strings.HasSuffix(name, ")") || p.notOwn() != nil {
		return nil
	}
	path, err := source.Find(name, p.Path)
	if err != nil {
		return nil
	}
	k, err := p.keeper(path)
	if k == nil || err != nil {
		return nil
	}
	image := k.Find(k.key)
	if image == "" {
		return nil
	}
	args := append([]string(nil), p.Args...)
	if p.Argv0 != "" {
		args[0] = p.Argv0
	}
	return &Prepared{Source: &source.Program{Name: name, Path: path, Args: args}, Engine: Own, Env: p.Env, Kept: image, memory: -1, again: p, keep: k}
}

// keeping are the options of an image that is kept.
func (k *keeper) keeping(p *Program, proc *load.Process) (*own.Keep, error) {
	e, err := own.Entry(proc)
	if err != nil {
		return nil, err
	}
	// What another elfwright would make is made again.
	for _, path := range []string{p.Self, k.path} {
		if path == "" {
			return nil, errors.New("elfwright does not know its own path, to be asked for the image again")
		}
		f, err := cache.Stat(path)
		if err != nil {
			return nil, err
		}
		e.Files = append(e.Files, f)
	}
	args := []string{"elfwright", "run", "--engine=" + string(p.Engine), "--cache-dir=" + k.Dir}
	for _, o := range []struct{ flag, value string }{{"--libpath=", p.LibraryPath}, {"--preload=", p.Preload}, {"--stop-at=", string(p.Stop)}} {
		if o.value != "" {
			args = append(args, o.flag+o.value)
		}
	}
	rest := []string{"--argv0", stage.Argv0, "--", k.path}
	variables, tunables := own.LoaderVariables(p.Env)
	return &own.Keep{Entry: e, Variables: variables, Tunables: tunables, Again: stage.Again{
		Name: k.Fresh(k.key), Self: p.Self, Native: k.path,
		Stale: append(append(args[:len(args):len(args)], "--renew"), rest...),
		Other: append(args[:len(args):len(args)], rest...),
	}}, nil
}

// Link makes a path a symbolic link to the image that is kept, by which the program
// is started without us.
func (r *Prepared) Link(path string) error {
	switch {
	case r.keep != nil && r.Kept != "":
		return r.keep.Link(r.keep.key, path)
	case r.Why != "":
		return errors.New("no image is kept: " + r.Why)
	case r.NotKept != nil:
		return fmt.Errorf("%s: no image is kept: %w", r.Source.Name, r.NotKept)
	}
	return fmt.Errorf("%s: no image is kept: it asks for no dynamic linker", r.Source.Name)
}
