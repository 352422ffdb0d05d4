package cli

func runDepsAll(c *call, f *depsFlags) error { return nil }
