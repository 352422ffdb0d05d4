package patch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// FileSets is what a file of sets asks for: docs/patch-values.md has its form.
type FileSets struct {
	Sets    []Set
	Outputs []Output
}

// Output is one variant of an image: what is set for all, and then Sets.
type Output struct {
	Name string
	Sets []Set
}

type jsonFile struct {
	Version int          `json:"version"`
	Set     []jsonSet    `json:"set"`
	Outputs []jsonOutput `json:"outputs"`
}

type jsonOutput struct {
	Output string    `json:"output"`
	Set    []jsonSet `json:"set"`
}

type jsonSet struct {
	Name    string          `json:"name"`
	Type    string          `json:"type"`
	Section string          `json:"section"`
	Between []string        `json:"between"`
	Value   json.RawMessage `json:"value"`
}

type jsonValue struct {
	Text    *string `json:"text"`
	Hex     *string `json:"hex"`
	File    *string `json:"file"`
	Address *string `json:"address"`
	Fact    *string `json:"fact"`
	Number  *string `json:"number"`
}

// ParseFile reads a file of sets: an array of them, or an object with "set" and
// "outputs".
func ParseFile(name string, data []byte, open Open) (*FileSets, error) {
	var in jsonFile
	var err error
	if b := bytes.TrimLeft(data, " \t\r\n"); len(b) > 0 && b[0] == '[' {
		err = decode(data, &in.Set)
	} else {
		err = decode(data, &in)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if in.Version > 1 {
		return nil, fmt.Errorf("%s: version %d is not known here, only 1", name, in.Version)
	}
	out := &FileSets{}
	if out.Sets, err = parseSets(in.Set, open); err != nil {
		return nil, fmt.Errorf("%s: set%w", name, err)
	}
	for i, o := range in.Outputs {
		sets, err := parseSets(o.Set, open)
		if err != nil {
			return nil, fmt.Errorf("%s: outputs[%d].set%w", name, i, err)
		}
		if o.Output == "" {
			return nil, fmt.Errorf("%s: outputs[%d]: there is no \"output\"", name, i)
		}
		out.Outputs = append(out.Outputs, Output{o.Output, sets})
	}
	return out, nil
}

// decode reads one JSON value and nothing behind it.
func decode(data []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return fmt.Errorf("at byte %d: %w", d.InputOffset(), err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("at byte %d: more follows", d.InputOffset())
	}
	return nil
}

func parseSets(list []jsonSet, open Open) ([]Set, error) {
	var out []Set
	for i, j := range list {
		s, err := j.set(open)
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		out = append(out, s)
	}
	return out, nil
}

func (j *jsonSet) set(open Open) (Set, error) {
	s := Set{Place: j.Name, Type: j.Type, Section: j.Section}
	places := 0
	for _, there := range []bool{j.Name != "", j.Section != "", j.Between != nil} {
		if there {
			places++
		}
	}
	if places != 1 {
		return s, errors.New("want one of \"name\", \"section\" and \"between\"")
	}
	if j.Between != nil {
		if len(j.Between) != 2 || j.Between[0] == "" || j.Between[1] == "" {
			return s, errors.New("\"between\": want two names")
		}
		s.Between = [2]string{j.Between[0], j.Between[1]}
	}
	if j.Name != "" && s.Type == "" {
		s.Place, s.Type = cutType(j.Name)
	}
	if s.Type != "" {
		if _, err := parseType(s.Type, 8); err != nil {
			return s, err
		}
	}
	if s.Place != "" {
		if err := checkPlace(s.Place); err != nil {
			return s, err
		}
	}
	if j.Value == nil {
		return s, errors.New("there is no \"value\"")
	}
	var err error
	s.Value, err = parseJSON(j.Value, open)
	return s, err
}

// parseJSON reads a value: a number, a boolean, a string as on the command line,
// an array, or an object that says what its string is.
func parseJSON(raw json.RawMessage, open Open) (Value, error) {
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) == 0:
		return Value{}, errors.New("there is no value")
	case raw[0] == '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return Value{}, err
		}
		return ParseValue(s, open)
	case raw[0] == '[':
		var list []json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			return Value{}, err
		}
		out := Value{Kind: List}
		for _, r := range list {
			v, err := parseJSON(r, open)
			if err != nil || v.Kind == List {
				return out, errors.Join(err, nested(v))
			}
			out.List = append(out.List, v)
		}
		return out, nil
	case raw[0] == '{':
		return parseObject(raw, open)
	case string(raw) == "null":
		return Value{}, errors.New("null is no value")
	}
	return ParseValue(string(raw), open) // a number, true or false
}

func nested(v Value) error {
	if v.Kind == List {
		return errors.New("a list within a list")
	}
	return nil
}

func parseObject(raw json.RawMessage, open Open) (Value, error) {
	var o jsonValue
	if err := decode(raw, &o); err != nil {
		return Value{}, err
	}
	var out []Value
	var all []error
	add := func(s *string, parse func(string) (Value, error)) {
		if s != nil {
			v, err := parse(*s)
			out, all = append(out, v), append(all, err)
		}
	}
	add(o.Text, func(s string) (Value, error) { return Value{Kind: Text, Text: s}, nil })
	add(o.Hex, parseHex)
	add(o.File, func(s string) (Value, error) { return ParseValue("@"+s, open) })
	add(o.Address, func(s string) (Value, error) { return ParseValue("&"+strings.TrimPrefix(s, "&"), open) })
	add(o.Fact, func(s string) (Value, error) {
		if !isFact(s) {
			return Value{}, fmt.Errorf("%q is no fact; there are %s", s, factForms)
		}
		return ParseValue(s, open)
	})
	add(o.Number, parseScalar)
	if len(out) != 1 {
		return Value{}, errors.New("want an object with one of \"text\", \"hex\", \"file\", \"address\", \"fact\" and \"number\"")
	}
	return out[0], errors.Join(all...)
}
