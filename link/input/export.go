package input

func (l *loader) export() {}
