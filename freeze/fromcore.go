package freeze

import "errors"

// FromCore makes an executable of a core.
func FromCore(file, exe, name string, opt Options) (*Report, error) {
	return nil, errors.New("not yet")
}
