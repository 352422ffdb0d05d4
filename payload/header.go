package payload

import _ "embed"

// Header is the text of payload.h, by which programs in C and C++ find what they
// carry.
//
//go:embed payload.h
var Header string
