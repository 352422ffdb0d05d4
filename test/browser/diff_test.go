package browser

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// difference makes the page of what changed between two programs.
func difference(t *testing.T) string {
	t.Helper()
	need(t, "gcc")
	dir := t.TempDir()
	build := func(name, source string) string {
		src, out := filepath.Join(dir, name+".c"), filepath.Join(dir, name)
		if err := os.WriteFile(src, []byte(source), 0o644); err != nil {
			t.Fatal(err)
		}
		run(t, "gcc", "-O1", "-o", out, src)
		return out
	}
	const common = "int grows(int x) { return BODY; }\nint stays(int x) { return x + 1; }\n"
	old := build("old", "#define BODY x * 3\n"+common+"int goes(void) { return 7; }\nint main(int c, char **v) { return grows(c) + stays(c) + goes(); }\n")
	now := build("new", "#define BODY (x * 3 ^ x / 7) % 1001 + (x << 3)\n"+common+"int comes(void) { return 8; }\nint main(int c, char **v) { return grows(c) + stays(c) + comes(); }\n")
	page := filepath.Join(dir, "diff.html")
	cmd := exec.Command(elfwright, "show", "--diff=html", old, now)
	html, err := cmd.Output()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 1 {
		t.Fatalf("the exit code of a difference is 1: %v", err)
	}
	if err := os.WriteFile(page, html, 0o644); err != nil {
		t.Fatal(err)
	}
	return page
}

// TestDifference sorts, filters and turns the page of a difference dark.
func TestDifference(t *testing.T) {
	need(t, "chromium")
	b := visit(t, difference(t))
	b.shot("difference")
	for _, name := range []string{"grows", "comes", "goes"} {
		b.until(`[...document.querySelectorAll("tbody td")].some(c => c.textContent.includes("` + name + `"))`)
	}

	b.run("sort", func(*testing.T) {
		// The first column of numbers: twice, and its rows come the other way round.
		b.until(`window.col = [...document.querySelectorAll("th.n button")].find(x => x.closest("table").tBodies[0].rows.length > 2)`)
		order := `(() => { const i = col.closest("th").cellIndex; return [...col.closest("table").tBodies[0].rows].map(r => Number(r.cells[i].dataset.s ?? r.cells[i].textContent) || 0); })()`
		js[bool](b, `(col.click(), true)`)
		down := js[[]float64](b, order)
		js[bool](b, `(col.click(), true)`)
		up := js[[]float64](b, order)
		for i := 1; i < len(down); i++ {
			if down[i] > down[i-1] || up[i] < up[i-1] {
				t.Errorf("sorted once %v, twice %v", down, up)
				break
			}
		}
	})

	b.run("filter", func(*testing.T) {
		b.do(chromedp.SendKeys(chromedp.CSS("#filter"), "grows"))
		b.until(`[...document.querySelectorAll("tbody tr")].filter(r => !r.hidden).every(r => r.textContent.toLowerCase().includes("grows"))`)
		if n := js[int](b, `[...document.querySelectorAll("tbody tr")].filter(r => !r.hidden).length`); n == 0 {
			t.Error("nothing is left of the function that grew")
		}
	})

	b.run("theme", func(*testing.T) {
		before := js[string](b, `getComputedStyle(document.body).backgroundColor`)
		b.press("#theme")
		b.until(`getComputedStyle(document.body).backgroundColor !== "` + before + `"`)
	})
}
