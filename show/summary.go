package show

// showSummary prints what a file is, in a few lines.
func showSummary(p *printer) {
	p.object(newHeaderRow(p))
}
