package term

// Style wraps text in the escape sequences of ECMA-48, select graphic
// rendition. The zero Style leaves text as it is.
type Style struct{ On bool }

func (s Style) wrap(sgr, text string) string {
	if !s.On || text == "" {
		return text
	}
	return "\x1b[" + sgr + "m" + text + "\x1b[0m"
}

// Bold is for headings.
func (s Style) Bold(text string) string { return s.wrap("1", text) }

// Dim is for what most readers skip.
func (s Style) Dim(text string) string { return s.wrap("2", text) }

// Red is for faults.
func (s Style) Red(text string) string { return s.wrap("31", text) }

// Green is for what is well, and for what was added.
func (s Style) Green(text string) string { return s.wrap("32", text) }

// Yellow is for warnings.
func (s Style) Yellow(text string) string { return s.wrap("33", text) }

// Blue is for names of types.
func (s Style) Blue(text string) string { return s.wrap("34", text) }

// Cyan is for addresses and names.
func (s Style) Cyan(text string) string { return s.wrap("36", text) }
