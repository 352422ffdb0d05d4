package deps

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"elfwright/internal/term"
)

// Text prints what is broken, cause by cause, then what is open.
func (r *Scanned) Text(w io.Writer, style term.Style) {
	for i := range r.Broken {
		c := &r.Broken[i]
		if c.Kind == Damaged { // says of itself what file it is about
			fmt.Fprintln(w, style.Red(strings.ReplaceAll(c.Text, "\n", "\n    ")))
		} else {
			fmt.Fprintf(w, "%s: %s\n", c.Object, c.text(style))
		}
		for _, t := range c.Tried {
			fmt.Fprintf(w, "    %s: %s%s\n", t.Path, t.Why, style.Dim(" ["+Why(t)+"]"))
		}
		if len(c.Affects) > 1 || c.Affects[0] != c.Object {
			fmt.Fprintf(w, "    breaks %s\n", few(c.Affects))
		}
	}
	for i := range r.Plugins {
		fmt.Fprintln(w, r.Plugins[i].text(style))
	}
	for _, f := range r.Foreign {
		fmt.Fprintf(w, "%d shared objects for %s are not judged: there is no %s\n", f.Files, f.Machine, f.Interp)
	}
	fmt.Fprintf(w, "%s, %s, %s, %s: ", count(r.Programs, "program"), count(r.Libraries, "shared object"), count(r.Static, "static program"), count(r.Bindings, "binding"))
	if len(r.Broken) == 0 {
		fmt.Fprintln(w, style.Green("nothing is broken"))
		return
	}
	fmt.Fprintln(w, style.Red(count(len(r.Broken), "cause")+" of failure"))
}

// count is a number of things in words.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// text tells what a plugin expects.
func (p *Plugin) text(style term.Style) string {
	var what []string
	if n := len(p.Libraries); n > 0 {
		what = append(what, few(p.Libraries))
	}
	switch n := len(p.Symbols); n {
	case 0:
	case 1:
		what = append(what, "the symbol "+p.Symbols[0])
	default:
		what = append(what, fmt.Sprintf("%d symbols", n))
	}
	text := fmt.Sprintf("%s: expects %s of who loads it", p.Path, strings.Join(what, " and "))
	if len(p.By) > 0 {
		text += style.Dim("; found in " + few(p.By))
	}
	if len(p.Nowhere) > 0 {
		text += "; " + style.Yellow("nothing here has "+few(p.Nowhere))
	}
	return text
}

func (c *Cause) text(style term.Style) string {
	switch c.Kind {
	case NoLibrary:
		if c.Text != "" {
			return "needs " + style.Bold(c.Name) + ": " + style.Red(c.Text)
		}
		return "needs " + style.Bold(c.Name) + ": " + style.Red("not found")
	case NoVersion:
		return "needs version " + style.Bold(c.Name) + " of " + c.File + ": " + style.Red("not there")
	}
	text := "needs symbol " + style.Bold(c.Name) + ": " + style.Red("undefined")
	if c.File != "" {
		text += ", was in " + c.File
	}
	if c.Lazy {
		text += "; bound lazily: an error when it is called"
	}
	return text
}

// The form of the document, see docs/deps-json.md.
type scanJSON struct {
	Version   int           `json:"version"`
	Kind      string        `json:"kind"`
	Programs  int           `json:"programs"`
	Libraries int           `json:"libraries"`
	Static    int           `json:"static"`
	Debug     int           `json:"debug"`
	Bindings  int           `json:"bindings"`
	Resolved  bool          `json:"resolved"`
	Broken    []causeJSON   `json:"broken"`
	Plugins   []pluginJSON  `json:"plugins"`
	Foreign   []foreignJSON `json:"foreign"`
	Faults    []string      `json:"unreadable"`
}

type causeJSON struct {
	Kind    string    `json:"kind"`
	Object  string    `json:"object"`
	Name    string    `json:"name"`
	File    string    `json:"file,omitempty"`
	Text    string    `json:"text,omitempty"`
	Lazy    bool      `json:"lazy,omitempty"`
	Tried   []tryJSON `json:"tried,omitempty"`
	Affects []string  `json:"affects"`
}

type pluginJSON struct {
	Object    string   `json:"object"`
	Libraries []string `json:"libraries"`
	Symbols   []string `json:"symbols"`
	By        []string `json:"by"`
	Nowhere   []string `json:"nowhere"`
}

type foreignJSON struct {
	Machine string `json:"machine"`
	Interp  string `json:"interpreter"`
	Files   int    `json:"files"`
}

var causeNames = [...]string{NoLibrary: "library", NoVersion: "version", NoSymbol: "symbol", Damaged: "damage"}

// JSON writes the same as one document.
func (r *Scanned) JSON(w io.Writer) error {
	d := scanJSON{
		Version: 1, Kind: "deps-all", Programs: r.Programs, Libraries: r.Libraries, Static: r.Static, Debug: r.Debug, Bindings: r.Bindings,
		Resolved: len(r.Broken) == 0, Broken: []causeJSON{}, Plugins: []pluginJSON{}, Foreign: []foreignJSON{}, Faults: []string{},
	}
	for _, c := range r.Broken {
		j := causeJSON{Kind: causeNames[c.Kind], Object: c.Object, Name: c.Name, File: c.File, Text: c.Text, Lazy: c.Lazy, Affects: c.Affects}
		for _, t := range c.Tried {
			j.Tried = append(j.Tried, tryOf(t))
		}
		d.Broken = append(d.Broken, j)
	}
	for _, o := range r.Plugins {
		d.Plugins = append(d.Plugins, pluginJSON{o.Path, empty(o.Libraries), empty(o.Symbols), empty(o.By), empty(o.Nowhere)})
	}
	for _, f := range r.Foreign {
		d.Foreign = append(d.Foreign, foreignJSON(f))
	}
	for _, err := range r.Faults {
		d.Faults = append(d.Faults, err.Error())
	}
	return json.NewEncoder(w).Encode(d)
}
