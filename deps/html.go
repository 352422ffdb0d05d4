package deps

import "io"

func (s *Subject) HTML(w io.Writer) error { return nil }
