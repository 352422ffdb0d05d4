package ldscript

import (
	"fmt"
	"reflect"
)

// FormatSafe is Format, and proof that it changed nothing: what it made is read
// with the options that the script was read with, and compared.
func FormatSafe(s *Script, opt Options) ([]byte, error) {
	text := Format(s)
	again, err := Parse(s.Source.Name+" (formatted)", text, opt)
	if err != nil {
		return nil, fmt.Errorf("%s: this script cannot be formatted: %w", s.Source.Name, err)
	}
	if !Same(s, again) {
		return nil, fmt.Errorf("%s: this script cannot be formatted: its meaning would change", s.Source.Name)
	}
	return text, nil
}

// Same says whether two scripts are the same but for places, comments and
// superfluous parentheses.
func Same(a, b *Script) bool { return sameTree(reflect.ValueOf(a.Body), reflect.ValueOf(b.Body)) }

func sameTree(a, b reflect.Value) bool {
	if a.Type() != b.Type() {
		return false
	}
	if a.Type() == reflect.TypeFor[Pos]() {
		return true
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return sameTree(a.Elem(), b.Elem())
	case reflect.Struct:
		for i := range a.NumField() {
			if !sameTree(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !sameTree(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	}
	return a.Equal(b)
}
