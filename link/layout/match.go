package layout

import (
	"debug/elf"
	"fmt"
	"strings"

	"elfwright/ldscript"
	"elfwright/link/model"
)

// matcher finds for an input section the patterns that may take it.
type matcher struct {
	s     *Script
	cache *ldscript.PatternCache
	set   ldscript.PatternSet
	owner []patternAt // by number of the pattern in set
	files map[*spec][]verdict
}

type patternAt struct {
	sp    *spec
	pat   int          // in sp.Patterns; -1 if it has none
	place *model.Place // that of all sections that it takes
}

func newPatternAt(sp *spec, pat int) patternAt {
	return patternAt{sp, pat, &model.Place{Spec: sp.InputSpec, Pattern: pat, Script: sp.script}}
}

// verdict is whether a file is one of those of a pattern.
type verdict uint8

const (
	unasked verdict = iota
	yes
	no
)

func newMatcher(s *Script, specs []*spec) *matcher {
	m := &matcher{s: s, files: map[*spec][]verdict{}}
	for _, sp := range specs {
		if len(sp.Patterns) == 0 {
			m.set.Add("*")
			m.owner = append(m.owner, newPatternAt(sp, -1))
		}
		for i := range sp.Patterns {
			m.set.Add(sp.Patterns[i].Name)
			m.owner = append(m.owner, newPatternAt(sp, i))
		}
	}
	m.cache = m.set.Cache()
	return m
}

// takes says whether a pattern whose name fits takes a section, which is in the
// file number obj.
func (m *matcher) takes(p patternAt, sec *model.Section, obj, objs int) bool {
	if !m.fileFits(p.sp, sec.Obj, obj, objs) {
		return false
	}
	if p.pat >= 0 && excluded(p.sp.Patterns[p.pat].Exclude, sec.Obj) {
		return false
	}
	return true
}

// fileFits remembers, for each pattern with something to say about files, the
// answer for each file.
func (m *matcher) fileFits(sp *spec, o *model.Object, obj, objs int) bool {
	if len(sp.ExcludeFiles) == 0 && anyFile(&sp.File) {
		return true
	}
	known := m.files[sp]
	if known == nil {
		known = make([]verdict, objs)
		m.files[sp] = known
	}
	if known[obj] == unasked {
		known[obj] = no
		if fileMatches(&sp.File, o) && !excluded(sp.ExcludeFiles, o) {
			known[obj] = yes
		}
	}
	return known[obj] == yes
}

func anyFile(p *ldscript.FilePattern) bool {
	return p.Archive == "" && !p.Colon && (p.Member == "*" || p.Member == "")
}

// fileMatches is GNU ld's rule: a glob is matched with the file's name as given,
// or a member's name; a name without a glob is a file as given, or an archive,
// all of whose members are meant.
func fileMatches(p *ldscript.FilePattern, o *model.Object) bool {
	switch {
	case p.Archive != "":
		return o.Archive != "" && ldscript.MatchName(p.Archive, o.Archive) &&
			(p.Member == "" || ldscript.MatchName(p.Member, fileName(o)))
	case p.Colon:
		return o.Archive == "" && (p.Member == "" || ldscript.MatchName(p.Member, fileName(o)))
	case anyFile(p):
		return true
	case o.Linker:
		return false
	case ldscript.IsGlob(p.Member):
		return ldscript.MatchName(p.Member, fileName(o))
	}
	return o.Archive == "" && o.Path == p.Member || o.Archive == p.Member
}

func fileName(o *model.Object) string {
	if o.Archive != "" {
		return o.Member
	}
	return o.Path
}

// excluded says whether EXCLUDE_FILE names a file. Unlike other patterns, one
// without a colon is matched with the name of the file's archive, too.
func excluded(list []ldscript.FilePattern, o *model.Object) bool {
	for i := range list {
		p := &list[i]
		if p.Archive != "" || p.Colon {
			if fileMatches(p, o) {
				return true
			}
			continue
		}
		if ldscript.MatchName(p.Member, fileName(o)) || o.Archive != "" && ldscript.MatchName(p.Member, o.Archive) {
			return true
		}
	}
	return false
}

// Keeps marks the sections that KEEP patterns match as roots of the collection
// of garbage. Whether another pattern takes such a section does not matter.
func (s *Script) Keeps(objs []*model.Object) {
	var keep []*spec
	for _, sp := range s.specs {
		if sp.Keep {
			keep = append(keep, sp)
		}
	}
	if len(keep) == 0 {
		return
	}
	m := newMatcher(s, keep)
	for _, sp := range keep { // workers share it
		m.files[sp] = make([]verdict, len(objs))
	}
	m.share(objs, func(i int, cache *ldscript.PatternCache) {
		for _, sec := range objs[i].Sections {
			if sec != nil && sec.Live && !objs[i].JustSymbols && m.takesAny(cache.Match(sec.Name), sec, i, len(objs)) {
				sec.Keep = true
			}
		}
	})
}

func (m *matcher) takesAny(ids []int32, sec *model.Section, obj, objs int) bool {
	for _, id := range ids {
		if m.takes(m.owner[id], sec, obj, objs) {
			return true
		}
	}
	return false
}

// distribute gives each live section to the first pattern that takes it. It
// returns those that none takes.
func (s *Script) distribute(objs []*model.Object) (orphans []*model.Section) {
	m := newMatcher(s, s.specs)
	s.decideConstraints(m, objs)
	ids := m.names(objs)
	m.findRelro(ids, objs)
	for _, i := range visitOrder(objs) {
		o := objs[i]
		if o.JustSymbols {
			continue
		}
		for k, sec := range o.Sections {
			if sec == nil || !sec.Live {
				continue
			}
			p, ok := m.first(sec, ids[i][k], i, len(objs))
			if !ok {
				orphans = append(orphans, sec)
				continue
			}
			p.sp.sections = append(p.sp.sections, sec)
			p.sp.hits[max(p.pat, 0)]++
			sec.Place = p.place
		}
	}
	return orphans
}

// names finds the patterns whose names fit, for all live sections of all objects:
// what most of the time of matching goes to.
func (m *matcher) names(objs []*model.Object) [][][]int32 {
	ids := make([][][]int32, len(objs))
	m.share(objs, func(i int, cache *ldscript.PatternCache) {
		ids[i] = make([][]int32, len(objs[i].Sections))
		for k, sec := range objs[i].Sections {
			if sec != nil && sec.Live {
				ids[i][k] = cache.Match(sec.Name)
			}
		}
	})
	return ids
}

// share has workers go over the objects. Each has a run of them, and a cache of its
// own.
func (m *matcher) share(objs []*model.Object, do func(i int, cache *ldscript.PatternCache)) {
	n := min(m.s.opt.Workers(), len(objs))
	model.Each(n, n, func(w int) {
		cache := m.set.Cache()
		for i := len(objs) * w / n; i < len(objs)*(w+1)/n; i++ {
			do(i, cache)
		}
	})
}

// visitOrder is the order in which sections are placed: that of the files, with
// the linker's own sections behind those of the first, to which GNU ld counts
// them.
func visitOrder(objs []*model.Object) []int {
	var list, linker []int
	for i, o := range objs {
		if o.Linker {
			linker = append(linker, i)
		} else {
			list = append(list, i)
		}
	}
	if len(list) == 0 {
		return linker
	}
	return append(list[:1:1], append(linker, list[1:]...)...)
}

// first is the first pattern that takes a section. Statements whose constraint
// failed take none.
func (m *matcher) first(sec *model.Section, ids []int32, obj, objs int) (patternAt, bool) {
	unique := m.s.isUnique(sec)
	for i, id := range ids {
		p := m.owner[id]
		switch {
		case p.sp.in.off:
		case unique && p.sp.in.name != discard:
		case !m.takes(p, sec, obj, objs):
		case !m.s.flagsFit(p.sp, sec):
		default:
			return m.shortest(p, ids[i+1:], sec, obj, objs), true
		}
	}
	return patternAt{}, false
}

// shortest is the pattern of a statement whose order counts for a section that
// several of its patterns take: in GNU ld 2.40 that with the fewest literal bytes
// before the first wildcard.
func (m *matcher) shortest(p patternAt, rest []int32, sec *model.Section, obj, objs int) patternAt {
	for _, id := range rest {
		q := m.owner[id]
		if q.sp != p.sp {
			break
		}
		if literal(q.name()) < literal(p.name()) && m.takes(q, sec, obj, objs) {
			p = q
		}
	}
	return p
}

func (p patternAt) name() string { return p.sp.Patterns[p.pat].Name }

func literal(pattern string) int {
	if i := strings.IndexAny(pattern, "*?["); i >= 0 {
		return i
	}
	return len(pattern)
}

// decideConstraints settles ONLY_IF_RO and ONLY_IF_RW, in the order of the
// statements: whether all sections that one would take are read-only.
func (s *Script) decideConstraints(m *matcher, objs []*model.Object) {
	for _, o := range s.outs {
		if o.constraint != "ONLY_IF_RO" && o.constraint != "ONLY_IF_RW" {
			continue
		}
		if s.allReadOnly(m, objs, o) != (o.constraint == "ONLY_IF_RO") {
			o.off = true
		}
	}
}

func (s *Script) allReadOnly(m *matcher, objs []*model.Object, out *section) bool {
	for i, o := range objs {
		for _, sec := range o.Sections {
			if sec == nil || !sec.Live || sec.Flags&elf.SHF_WRITE == 0 {
				continue
			}
			if p, ok := m.first(sec, m.cache.Match(sec.Name), i, len(objs)); ok && p.sp.in == out {
				return false
			}
		}
	}
	return true
}

// keepsGroups says whether the output has the groups of the input.
func (s *Script) keepsGroups() bool {
	return s.opt.Relocatable && !s.opt.ForceGroup && !s.cmds.ForceGroup
}

// discard is the name of the output section that throws away.
const discard = "/DISCARD/"

// isUnique says whether a section is kept away from patterns: by
// --unique=PATTERN, and in an object where it is a member of a group, which has
// its members one by one.
func (s *Script) isUnique(sec *model.Section) bool {
	if sec.Group != nil && s.keepsGroups() {
		return true
	}
	for _, u := range s.opt.Unique {
		if u != "" && ldscript.MatchName(u, sec.Name) {
			return true
		}
	}
	return false
}

// flagsFit answers INPUT_SECTION_FLAGS: all that are named are set, all that are
// named with ! are not.
func (s *Script) flagsFit(sp *spec, sec *model.Section) bool {
	flags := sec.Flags
	if sec.Obj.Linker {
		_, flags = s.nameType(sec.Name) // as GNU ld has it: it is no ELF section yet
	}
	for _, f := range sp.Flags {
		bits, err := sectionFlag(f)
		if err != nil {
			s.once(err)
			return false
		}
		if f.Not && flags&bits != 0 || !f.Not && flags&bits != bits {
			return false
		}
	}
	return true
}

var sectionFlags = map[string]elf.SectionFlag{
	"SHF_WRITE": elf.SHF_WRITE, "SHF_ALLOC": elf.SHF_ALLOC, "SHF_EXECINSTR": elf.SHF_EXECINSTR,
	"SHF_MERGE": elf.SHF_MERGE, "SHF_STRINGS": elf.SHF_STRINGS, "SHF_INFO_LINK": elf.SHF_INFO_LINK,
	"SHF_LINK_ORDER": elf.SHF_LINK_ORDER, "SHF_OS_NONCONFORMING": elf.SHF_OS_NONCONFORMING,
	"SHF_GROUP": elf.SHF_GROUP, "SHF_TLS": elf.SHF_TLS, "SHF_MASKOS": elf.SHF_MASKOS,
	"SHF_EXCLUDE": 0x80000000, "SHF_ARM_PURECODE": 0x20000000, "SHF_X86_64_LARGE": 0x10000000,
	"SHF_COMPRESSED": elf.SHF_COMPRESSED, "SHF_GNU_RETAIN": 0x200000,
}

func sectionFlag(f ldscript.SectionFlag) (elf.SectionFlag, error) {
	if b, ok := sectionFlags[f.Name]; ok {
		return b, nil
	}
	var n uint64
	if _, err := fmt.Sscanf(f.Name, "%v", &n); err != nil {
		return 0, fault(f.Pos, "INPUT_SECTION_FLAGS", "%q is no flag of sections that is known", f.Name)
	}
	return elf.SectionFlag(n), nil
}

// once reports an error of a statement that is met again and again.
func (s *Script) once(err error) {
	if s.reported == nil {
		s.reported = map[string]bool{}
	}
	if text := err.Error(); !s.reported[text] {
		s.reported[text] = true
		s.rep.Error(err)
	}
}
