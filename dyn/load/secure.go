package load

import (
	"path"
	"strings"
)

// secureNameMax is SECURE_NAME_LIMIT of elf/rtld.c.
const secureNameMax = 255

// allowedName says whether a name of LD_PRELOAD or LD_AUDIT is looked for
// (dso_name_valid_for_suid): in a secure start only one without a path.
func (g *glibc) allowedName(name string) bool {
	return !g.l.opt.Secure || name != "" && len(name) < secureNameMax && !strings.Contains(name, "/")
}

// distrusts says whether a search is for what a secure start preloads: ld.so.cache
// is not asked then, and a file counts only if it has the set-user-ID bit
// (__RTLD_SECURE in _dl_map_object and open_path).
func (s *search) distrusts() bool {
	return s.g.l.opt.Secure && (s.kind == Preload || s.kind == Audit)
}

const noSetuid = "not set-user-ID, in a secure start"

// secureOrigin says whether an element that begins with $ORIGIN may be followed in
// a secure start (_dl_dst_substitute): the token is first, nothing but a slash
// follows it, and of the program it leads to a trusted directory.
func (t *tokens) secureOrigin(elem, expanded string) bool {
	for i := 0; i < len(elem); i++ {
		if elem[i] != '$' {
			continue
		}
		n := tokenLen(elem[i+1:], "ORIGIN")
		if n == 0 {
			continue
		}
		if rest := elem[i+1+n:]; i != 0 || rest != "" && rest[0] != '/' {
			return false
		}
		if t.trusted != nil && !t.inTrusted(expanded) {
			return false
		}
	}
	return true
}

// inTrusted is is_trusted_path_normalize.
func (t *tokens) inTrusted(dir string) bool {
	if !strings.HasPrefix(dir, "/") {
		return false
	}
	dir = strings.TrimSuffix(path.Clean(dir), "/") + "/"
	for _, d := range t.trusted {
		if strings.HasPrefix(dir, d) {
			return true
		}
	}
	return false
}

// inhibited says whether --inhibit-rpath names an object (decompose_rpath); the
// program has no name. A secure start does not listen.
func (g *glibc) inhibited(o *Object) bool {
	if g.l.opt.InhibitRpath == "" || g.l.opt.Secure {
		return false
	}
	name := o.Path
	if o == g.program {
		name = ""
	}
	for item := range strings.SplitSeq(g.l.opt.InhibitRpath, ":") {
		if item == name {
			return true
		}
	}
	return false
}
