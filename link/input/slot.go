package input

import (
	"hash/maphash"
	"strings"
	"sync"

	"elfwright/link/model"
)

// slot is what the link knows of a COMDAT signature, or of what a .gnu.linkonce
// section defines.
type slot struct {
	name  string
	group *model.Group     // the first
	once  []*model.Section // sections that were kept, of different names
}

// slots has the slots by name; it may be used by many goroutines.
type slots struct {
	seed  maphash.Seed
	shard [32]struct {
		sync.Mutex
		m map[string]*slot
	}
}

func newSlots() *slots {
	t := &slots{seed: maphash.MakeSeed()}
	for i := range t.shard {
		t.shard[i].m = map[string]*slot{}
	}
	return t
}

func (t *slots) get(name string) *slot {
	p := &t.shard[maphash.String(t.seed, name)%uint64(len(t.shard))]
	p.Lock()
	defer p.Unlock()
	s := p.m[name]
	if s == nil {
		s = &slot{name: name}
		p.m[name] = s
	}
	return s
}

// onceKey is what a section .gnu.linkonce.KIND.KEY is found by: the part behind
// its kind.
func onceKey(name string) string {
	rest := name[len(".gnu.linkonce."):]
	if _, key, ok := strings.Cut(rest, "."); ok {
		return key
	}
	return rest
}
