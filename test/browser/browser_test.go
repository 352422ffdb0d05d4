// Package browser tests the pages that elfwright show makes, with --html and with
// --diff=html, in a real browser, Chromium, which it drives by the DevTools protocol. It is a module of
// its own, so that this protocol is in nobody else's graph.
package browser

import (
	"bytes"
	"context"
	"fmt"
	neturl "net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

var elfwright string // the program under test

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "browser")
	if err != nil {
		panic(err)
	}
	elfwright = filepath.Join(dir, "elfwright")
	build := exec.Command("go", "build", "-C", "../..", "-o", elfwright, "./cmd/elfwright")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Println("building elfwright:", err)
		os.RemoveAll(dir)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// need skips the test without a tool; with CI=true it fails.
func need(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	var talk bytes.Buffer
	cmd.Stdout, cmd.Stderr = &talk, &talk
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, talk.String())
	}
}

// program builds the sample with DWARF and without PIE, so that the file, its
// virtual and its physical addresses differ.
func program(t *testing.T) string {
	need(t, "gcc", "g++")
	out := filepath.Join(t.TempDir(), "sample")
	run(t, "g++", "-g", "-O1", "-no-pie", "-Wl,-z,now", "-o", out, "testdata/sample.cc", "testdata/second.cc")
	return out
}

// write makes the page of files and returns its path.
func write(t *testing.T, files ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "page.html")
	run(t, elfwright, append([]string{"show", "--html=" + out}, files...)...)
	return out
}

// tab is a page in the browser.
type tab struct {
	*testing.T
	ctx context.Context

	mu     sync.Mutex
	faults []string
	asked  []string // what the page requested
}

// browse opens a page of files and waits until it is drawn.
func browse(t *testing.T, files ...string) *tab {
	t.Helper()
	need(t, "chromium")
	b := visit(t, write(t, files...))
	b.do(chromedp.WaitReady(chromedp.CSS(`html[data-ready=yes]`)),
		chromedp.WaitVisible(chromedp.CSS(`#picture rect`)))
	return b
}

// visit opens a page. At the end of the test no error may have been reported,
// and nothing asked for but the page.
func visit(t *testing.T, page string) *tab {
	t.Helper()
	need(t, "chromium")
	b := &tab{T: t}
	alloc, cancel := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath("chromium"), chromedp.UserDataDir(t.TempDir()),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.WindowSize(1440, 900),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true))
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	b.ctx = ctx
	if err := chromedp.Listen(ctx, b.event); err != nil {
		t.Fatal(err)
	}
	b.call("network", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
		return err
	})
	b.call("log", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, cdplog.Enable, cdp.Empty{})
		return err
	})
	b.call("runtime", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, runtime.Enable, cdp.Empty{})
		return err
	})
	b.do(chromedp.EmulateViewport(1440, 900),
		chromedp.Navigate("file://"+(&neturl.URL{Path: page}).EscapedPath()),
		chromedp.WaitReady(chromedp.CSS("body")))
	t.Cleanup(func() { b.clean(page) })
	return b
}

// run runs a part of a test on the same page.
func (b *tab) run(name string, f func(t *testing.T)) {
	whole := b.T
	whole.Run(name, func(t *testing.T) {
		b.T = t
		f(t)
	})
	b.T = whole
}

func (b *tab) event(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch ev := ev.(type) {
	case *runtime.EventExceptionThrown:
		b.faults = append(b.faults, ev.ExceptionDetails.Text+" "+describe(ev.ExceptionDetails.Exception))
	case *runtime.EventConsoleAPICalled:
		if ev.Type == runtime.ConsoleAPICalledTypeError || ev.Type == runtime.ConsoleAPICalledTypeWarning {
			b.faults = append(b.faults, fmt.Sprintf("console: %s", describe(ev.Args...)))
		}
	case *cdplog.EventEntryAdded:
		b.faults = append(b.faults, fmt.Sprintf("log: %s %s", ev.Entry.Text, ev.Entry.URL))
	case *network.EventRequestWillBeSent:
		b.asked = append(b.asked, ev.Request.URL)
	}
}

func describe(args ...*runtime.RemoteObject) (s string) {
	for _, a := range args {
		if a != nil {
			s += a.Description + " " + string(a.Value)
		}
	}
	return s
}

// clean checks what happened besides.
func (b *tab) clean(page string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.faults {
		b.Errorf("the browser complains: %s", f)
	}
	for _, url := range b.asked {
		if !strings.HasSuffix(url, (&neturl.URL{Path: page}).EscapedPath()) && !strings.HasPrefix(url, "blob:") {
			b.Errorf("the page asks for %s", url)
		}
	}
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	b.call("", func(ctx context.Context) error { return chromedp.Do(ctx, actions...) })
}

// call does something within a time that is long enough for anything.
func (b *tab) call(what string, f func(ctx context.Context) error) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	if err := f(ctx); err != nil {
		b.Fatal(what, err)
	}
}

// js evaluates an expression in the page.
func js[T any](b *tab, expr string) (v T) {
	b.Helper()
	b.call(expr, func(ctx context.Context) (err error) {
		v, err = chromedp.Run(ctx, chromedp.Evaluate[T](expr))
		return err
	})
	return v
}

// until waits for an expression to become true.
func (b *tab) until(expr string) {
	b.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for !js[bool](b, "!!("+expr+")") {
		if time.Now().After(deadline) {
			b.Fatalf("did not come true: %s", expr)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// shot keeps a picture of the page if a folder for them is named.
func (b *tab) shot(name string) {
	dir := os.Getenv("ELFWRIGHT_SHOTS")
	if dir == "" {
		return
	}
	time.Sleep(400 * time.Millisecond)
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		b.Fatal(err)
	}
}

// center returns the middle of the first rectangle of the picture whose thing is
// drawn with this text.
func (b *tab) center(label string) (x, y float64) {
	b.Helper()
	b.until(fmt.Sprintf(`[...document.querySelectorAll("#picture text")].some(t => t.textContent === %q)`, label))
	at := js[[]float64](b, fmt.Sprintf(`(() => { const t = [...document.querySelectorAll("#picture text")].find(t => t.textContent === %q); const r = t.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()`, label))
	return at[0], at[1]
}

func (b *tab) click(label string) {
	b.Helper()
	x, y := b.center(label)
	b.do(chromedp.MouseClickXY(x, y))
}

// press clicks where an element is now: the page may draw it anew meanwhile.
func (b *tab) press(css string) {
	b.Helper()
	b.until(fmt.Sprintf(`document.querySelector(%q)`, css))
	at := js[[]float64](b, fmt.Sprintf(`(r => [r.x + Math.min(r.width / 2, 60), r.y + r.height / 2])(document.querySelector(%q).getBoundingClientRect())`, css))
	b.do(chromedp.MouseClickXY(at[0], at[1]))
}

// open opens a tab of the tables.
func (b *tab) open(id string) {
	b.Helper()
	b.do(chromedp.Click(chromedp.CSS("#tab-" + id)))
	b.until(fmt.Sprintf(`document.querySelector("#tab-%s").getAttribute("aria-selected") === "true"`, id))
}

const details = `document.getElementById("details").textContent`
