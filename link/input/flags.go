package input

func (l *loader) mergeFlags() {
	for _, o := range l.objects {
		if o.elf != nil {
			l.set.Flags |= o.Flags
		}
	}
}
