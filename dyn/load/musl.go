package load

type muslPath struct {
	dirs []string
	err  error
}

type musl struct{ *namespace }

func newMusl(n *namespace) *musl { return &musl{n} }

func (m *musl) load() {
	m.p.Objects = []*Object{m.program}
}
