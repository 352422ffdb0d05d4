package cli

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"elfwright/internal/near"
)

// bind puts the flags of the table into set.
func bind(set *pflag.FlagSet, flags []flag) {
	set.SortFlags = false
	other := make(map[string]string)
	for _, f := range flags {
		bindOne(set, f)
		for _, a := range f.also {
			other[a] = f.name
		}
	}
	if len(other) == 0 {
		return
	}
	set.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if n, ok := other[name]; ok {
			name = n
		}
		return pflag.NormalizedName(name)
	})
}

func bindOne(set *pflag.FlagSet, f flag) {
	switch to := f.to.(type) {
	case *bool:
		if f.stops {
			set.VarPF(&stop{to, set}, f.name, f.short, f.help).NoOptDefVal = "true"
			break
		}
		set.BoolVarP(to, f.name, f.short, *to, f.help)
	case *[]string:
		set.StringArrayVarP(to, f.name, f.short, *to, f.help)
	case *int:
		set.IntVarP(to, f.name, f.short, *to, f.help)
	case *uint64:
		set.VarP((*number)(to), f.name, f.short, f.help)
	case *string:
		set.VarP(&word{to, f.words}, f.name, f.short, f.help)
	default:
		panic(fmt.Sprintf("flag --%s: no way to parse a %T", f.name, f.to))
	}
	bound := set.Lookup(f.name)
	bound.Hidden = f.hidden
	if f.bare != "" {
		bound.NoOptDefVal = f.bare
	}
}

// A word is a string, perhaps one out of a list.
type word struct {
	to    *string
	words []string
}

func (w *word) Type() string   { return "string" }
func (w *word) String() string { return *w.to }

func (w *word) Set(s string) error {
	if w.words != nil && !slices.Contains(w.words, s) {
		return fmt.Errorf("want %s", orList(w.words))
	}
	*w.to = s
	return nil
}

// orList returns "a, b or c".
func orList(words []string) string {
	n := len(words)
	if n == 1 {
		return words[0]
	}
	return strings.Join(words[:n-1], ", ") + " or " + words[n-1]
}

// A stop is a flag that makes the first argument end the flags: what follows
// belongs to that.
type stop struct {
	to  *bool
	set *pflag.FlagSet
}

func (s *stop) Type() string   { return "bool" }
func (s *stop) String() string { return strconv.FormatBool(*s.to) }

func (s *stop) Set(v string) (err error) {
	*s.to, err = strconv.ParseBool(v)
	s.set.SetInterspersed(!*s.to)
	return err
}

// A number is a uint64 that may be written in hexadecimal, or in KiB, MiB, GiB.
type number uint64

func (n *number) Type() string   { return "number" }
func (n *number) String() string { return strconv.FormatUint(uint64(*n), 10) }

func (n *number) Set(s string) error {
	v, err := parseNumber(s)
	if err == nil {
		*n = number(v)
	}
	return err
}

// parseNumber reads 0x10, 16, 4K, 1M or 2G. A leading zero is refused: in C it
// would make the number octal, and nobody can tell what was meant.
func parseNumber(s string) (uint64, error) {
	digits, base, unit := s, 10, uint64(1)
	switch {
	case strings.HasPrefix(s, "0x"), strings.HasPrefix(s, "0X"):
		digits, base = s[2:], 16
	case len(s) > 1 && s[0] == '0':
		return 0, errors.New("a leading zero could mean octal: write 0x… or a decimal number")
	case s != "":
		if i := strings.IndexByte("KMG", s[len(s)-1]); i >= 0 {
			digits, unit = s[:len(s)-1], 1<<(10*(i+1))
		}
	}
	v, err := strconv.ParseUint(digits, base, 64)
	if errors.Is(err, strconv.ErrRange) {
		return 0, errors.New("does not fit 64 bits")
	}
	if err != nil {
		return 0, errors.New("want a number such as 4096, 0x1000 or 4K")
	}
	hi, lo := bits.Mul64(v, unit)
	if hi != 0 {
		return 0, errors.New("does not fit 64 bits")
	}
	return lo, nil
}

// flagFault says in our words what pflag found wrong with a command line.
func flagFault(err error, v *verb) string {
	var (
		unknown *pflag.NotExistError
		missing *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
	)
	switch {
	case errors.As(err, &unknown):
		name := unknown.GetSpecifiedName()
		if unknown.GetSpecifiedShortnames() != "" {
			return "unknown flag -" + name
		}
		return "unknown flag --" + name + didYouMean("--"+name, flagNames(v))
	case errors.As(err, &missing):
		return "flag " + named(missing.GetFlag()) + " needs a value"
	case errors.As(err, &invalid):
		return fmt.Sprintf("flag %s: %q: %v", named(invalid.GetFlag()), invalid.GetValue(), plainCause(invalid))
	}
	return err.Error()
}

// plainCause drops strconv's function names from the cause of a bad value.
func plainCause(e *pflag.InvalidValueError) error {
	var num *strconv.NumError
	if errors.As(e.Unwrap(), &num) {
		if e.GetFlag().Value.Type() == "bool" {
			return errors.New("takes no value")
		}
		return errors.New("want a whole number")
	}
	return e.Unwrap()
}

func named(f *pflag.Flag) string { return "--" + f.Name }

func flagNames(v *verb) []string {
	out := []string{"--help"}
	for _, f := range v.flags {
		if f.hidden {
			continue
		}
		out = append(out, "--"+f.name)
		for _, a := range f.also {
			out = append(out, "--"+a)
		}
	}
	return out
}

// didYouMean returns a question about the nearest of the names, or nothing
// when none is near.
func didYouMean(name string, names []string) string {
	if nearest, ok := near.Name(name, names); ok {
		return " (did you mean " + nearest + "?)"
	}
	return ""
}
