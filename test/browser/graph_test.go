package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// graph builds a program with libraries, of which one is missing and one needed in
// vain, and makes the page of what it loads.
func graph(t *testing.T) string {
	t.Helper()
	need(t, "gcc")
	dir := t.TempDir()
	build := func(name, source string, args ...string) {
		src := filepath.Join(dir, name+".c")
		if err := os.WriteFile(src, []byte(source), 0o644); err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(dir, name)
		run(t, "gcc", append([]string{"-o", out, src, "-L" + dir, "-Wl,--no-as-needed", "-Wl,--disable-new-dtags", "-Wl,-rpath,$ORIGIN", "-Wl,--allow-shlib-undefined"}, args...)...)
	}
	build("libgone.so", "int gone(void) { return 1; }\n", "-shared", "-fPIC")
	build("libdeep.so", "int gone(void);\nint deep(void) { return gone(); }\n", "-shared", "-fPIC", "-lgone")
	build("libvain.so", "int vain(void) { return 1; }\n", "-shared", "-fPIC")
	build("libflat.so", "int deep(void);\nint flat(void) { return deep(); }\n", "-shared", "-fPIC", "-ldeep")
	build("graphed", "int flat(void);\nint main(void) { return flat(); }\n", "-lflat", "-lvain")
	if err := os.Remove(filepath.Join(dir, "libgone.so")); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "graphed")
}

// TestGraph follows the graph of what a program loads.
func TestGraph(t *testing.T) {
	program := graph(t)
	page := filepath.Join(t.TempDir(), "graph.html")
	// The exit code is 1: a library is missing.
	run(t, "sh", "-c", `"$0" deps --html="$1" "$2"; test $? = 1`, elfwright, page, program)
	b := visit(t, page)
	b.do(chromedp.WaitReady(chromedp.CSS(`html[data-ready=yes]`)))
	b.shot("graph")

	node := func(name string) string {
		return fmt.Sprintf(`[...document.querySelectorAll("#picture .node")].find(n => n.querySelector("title").textContent.endsWith(%q))`, name)
	}
	press := func(name string) {
		b.Helper()
		at := js[[]float64](b, `(r => [r.x + r.width / 2, r.y + r.height / 2])(`+node(name)+`.querySelector("rect").getBoundingClientRect())`)
		b.do(chromedp.MouseClickXY(at[0], at[1]))
		b.until(node(name) + `.classList.contains("on")`)
	}

	b.run("select", func(t *testing.T) {
		press("libdeep.so")
		d := js[string](b, details)
		for _, want := range []string{"found by", "rpath of", "asked for by (1)", "libflat.so", "asks for", "libgone.so", "missing", "1 symbol"} {
			if !strings.Contains(d, want) {
				t.Errorf("the details of libdeep.so lack %q: %s", want, d)
			}
		}
		if way := js[int](b, `document.querySelectorAll("#picture .edge.way").length`); way != 2 {
			t.Errorf("the way to libdeep.so has %d edges, want 2", way)
		}
		// Rows are drawn with the next frame.
		b.until(`(t => t.includes("gone") && t.includes("deep") && !t.includes("main"))(document.querySelector("#panel .body").textContent)`)
		b.shot("graph-selected")
	})

	b.run("missing", func(t *testing.T) {
		press("libgone.so")
		if d := js[string](b, details); !strings.Contains(d, "not found") || !strings.Contains(d, "no such file") {
			t.Errorf("the details of what is missing: %s", d)
		}
	})

	b.run("search", func(t *testing.T) {
		b.do(chromedp.SendKeys(chromedp.CSS("#search"), "libvain"), chromedp.KeyEvent(kb.Enter))
		b.until(node("libvain.so") + `.classList.contains("on")`)
		if d := js[string](b, details); !strings.Contains(d, "in vain") {
			t.Errorf("the details of what is needed in vain: %s", d)
		}
	})

	b.run("filter", func(t *testing.T) {
		js[bool](b, `(document.activeElement.blur(), true)`)
		b.do(chromedp.KeyEvent(kb.Escape))
		b.until(`!document.querySelector("#picture .on")`)
		b.do(chromedp.SendKeys(chromedp.CSS("#panel .filter input"), "flat"))
		b.until(`document.querySelector("#panel .count").textContent.startsWith("1 of ")`)
	})

	b.run("zoom", func(t *testing.T) {
		before := js[string](b, `document.querySelector("#picture svg > g").getAttribute("transform")`)
		b.press("#in")
		b.until(`document.querySelector("#picture svg > g").getAttribute("transform") !== "` + before + `"`)
		b.press("#fit")
		b.until(`document.querySelector("#picture svg > g").getAttribute("transform") === "` + before + `"`)
	})
}
