package cli

func tourVerb() *verb {
	return &verb{
		name:  "tour",
		short: "a guided tour over real programs",
		usage: []string{""},
		run:   func(c *call) error { return errNotBuilt },
	}
}
