package compare

import "io"

// WriteHTML writes the report as one page.
func (r *Report) WriteHTML(w io.Writer, o Output) error { return nil }
