package page

import (
	"bufio"
	"crypto/sha256"
	"debug/elf"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"slices"
	"strings"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/picture"
)

// Subject is an image on the page.
type Subject struct {
	Image *image.Image
	// File is where tables are read from; nil for an image that is in no file.
	// Its sections and the Image's need not be read before.
	File  *elffile.File
	Steps []Step // what a loader does with it, in order
	// Maps are those of a process that runs the image; Bias is added to the file's
	// addresses to have the process's.
	Maps []picture.Map
	Bias image.Addr
}

// Options are what a page depends on besides its subjects.
type Options struct {
	Title string
	// Limit is the size that a page may have, in bytes; 0: 20 MB. Tables that
	// would not fit are cut, and say so.
	Limit int
}

// DefaultLimit is what a browser opens without stalling, and what still can be
// sent by mail.
const DefaultLimit = 20_000_000

// Report says what was wrong with the subjects; the page has what could be read.
type Report struct {
	Faults []error
	Size   int64 // bytes written
}

//go:embed assets
var assets embed.FS

// look is what a kind of page is composed of.
type look struct {
	maker   string   // the command that writes it
	body    string   // assets
	styles  []string // joined in this order
	scripts []string // parts of the page's program, each with what it offers to those after it
}

var imageLook = look{"elfwright show --html", "body.html", []string{"style.css"}, []string{
	"format.js",  // numbers as text, elements
	"theme.js",   // light and dark
	"data.js",    // the index, and chunks unpacked on demand
	"scale.js",   // address to height and back
	"fields.js",  // every header field: where it is, what it means
	"model.js",   // an image's things, and who contains whom
	"view.js",    // what part of the columns is in sight
	"drawing.js", // the columns as SVG
	"columns.js", // the picture: columns, mouse and keys
	"grid.js",    // a table of any length
	"tables.js",  // which tables there are
	"treemap.js", // what takes the room
	"details.js", // the selected thing, field by field
	"search.js",  // by address and by name
	"app.js",     // puts them together
}}

// Write makes the page.
func Write(w io.Writer, list []Subject, opt Options) (*Report, error) {
	if opt.Limit == 0 {
		opt.Limit = DefaultLimit
	}
	if opt.Title == "" {
		opt.Title = title(list)
	}
	report := new(Report)
	p := &packer{left: opt.Limit}
	index := indexJSON{Version: 1, Title: opt.Title}
	for i := range list {
		b := &builder{Subject: &list[i], packer: p}
		p.share = (p.left - (len(list)-i)*reserve) / (len(list) - i)
		index.Images = append(index.Images, b.build())
		report.Faults = append(report.Faults, b.faults...)
	}
	data, err := json.Marshal(&index)
	if err != nil {
		return report, err
	}
	out := &counter{w: bufio.NewWriterSize(w, 1<<16)}
	if err := imageLook.compose(out, opt.Title, data, p.chunks); err != nil {
		return report, err
	}
	report.Size = out.n
	return report, out.w.Flush()
}

// reserve is what style, scripts and an image's index need, about.
const reserve = 600_000

func title(list []Subject) string {
	var names []string
	for i := range list {
		names = append(names, list[i].Image.Name)
		if i == 2 && len(list) > 3 {
			names = append(names, fmt.Sprintf("%d more", len(list)-3))
			break
		}
	}
	return strings.Join(names, ", ")
}

// join reads assets, one behind the other.
func join(names []string, before func(name string) string) (string, error) {
	var all strings.Builder
	for _, name := range names {
		part, err := assets.ReadFile("assets/" + name)
		if err != nil {
			return "", err
		}
		all.WriteString(before(name))
		all.Write(part)
	}
	return all.String(), nil
}

// compose writes the page's parts.
func (l *look) compose(w io.Writer, title string, index []byte, chunks []string) error {
	style, err := join(l.styles, func(string) string { return "" })
	if err != nil {
		return err
	}
	body, err := assets.ReadFile("assets/" + l.body)
	if err != nil {
		return err
	}
	program, err := join(l.scripts, func(name string) string { return "// " + name + "\n" })
	if err != nil {
		return err
	}
	program = "\"use strict\";\n(() => {\n" + program + "})();\n"
	hash := sha256.Sum256([]byte(program))
	styleHash := sha256.Sum256([]byte(style))
	policy := fmt.Sprintf("default-src 'none'; script-src 'sha256-%s'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'",
		base64.StdEncoding.EncodeToString(hash[:]), base64.StdEncoding.EncodeToString(styleHash[:]))
	fmt.Fprintf(w, `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="%s">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="%s">
<title>%s</title>
<style>%s</style>
</head>
<body>
%s<script type="application/json" id="index">%s</script>
`, policy, l.maker, html.EscapeString(strings.ToValidUTF8(title, "\uFFFD")), style, body, index)
	for i, c := range chunks {
		fmt.Fprintf(w, "<script type=\"application/octet-stream\" id=\"chunk-%d\">%s</script>\n", i, c)
	}
	_, err = fmt.Fprintf(w, "<script>%s</script>\n</body>\n</html>\n", program)
	return err
}

// counter counts what it hands on.
type counter struct {
	w *bufio.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// model reads what the picture is made of.
func (b *builder) model() *picture.Model {
	if b.File != nil {
		b.fault(b.Image.ReadSections(b.File))
	}
	if b.Bias == 0 && b.Maps == nil {
		return picture.New(b.Image, b.File)
	}
	m := picture.New(moved(b.Image, b.Bias), b.File, plain(b.Maps)...)
	m.Drop(picture.Physical) // a process has none that it knows of
	return m
}

// moved returns an image as it is in memory, bias above the file's addresses.
func moved(img *image.Image, bias image.Addr) *image.Image {
	out := *img
	out.Segments, out.Headers, out.Sections = slices.Clone(img.Segments), slices.Clone(img.Headers), slices.Clone(img.Sections)
	for i := range out.Segments {
		out.Segments[i].Vaddr += bias
	}
	for i := range out.Headers {
		if out.Headers[i].Memsz > 0 {
			out.Headers[i].Vaddr += bias
		}
	}
	for i := range out.Sections {
		if out.Sections[i].Flags&elf.SHF_ALLOC != 0 {
			out.Sections[i].Addr += bias
		}
	}
	if out.Entry != 0 {
		out.Entry += bias
	}
	return &out
}
