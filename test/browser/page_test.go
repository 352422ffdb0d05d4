package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// wheel turns the mouse's wheel over a point.
func wheel(x, y, by float64) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (v chromedp.Void, err error) {
		_, err = cdp.Call(ctx, t, input.DispatchMouseEvent, input.DispatchMouseEventParams{
			Type: input.DispatchMouseEventTypeMouseWheel, X: x, Y: y, DeltaY: by, DeltaX: 0.01, // 0 would be left out
		})
		return v, err
	}
}

// TestExplore uses one page the way people do.
func TestExplore(t *testing.T) {
	b := browse(t, program(t))
	b.shot("explore")

	b.run("hover", func(t *testing.T) {
		x, y := b.center(".rodata")
		b.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, x, y))
		b.until(`!document.getElementById("tip").hidden`)
		if tip := js[string](b, `document.getElementById("tip").textContent`); !strings.Contains(tip, "sh_addr") || !strings.Contains(tip, "PROGBITS") {
			t.Errorf("the tip does not tell the fields: %s", tip)
		}
		b.shot("hover")
	})

	b.run("click narrows", func(t *testing.T) {
		b.open("symbols")
		b.until(`document.querySelector("#panel .count").textContent.match(/^[0-9]/)`)
		all := js[string](b, `document.querySelector("#panel .count").textContent`)
		b.click(".rodata")
		b.until(`document.querySelector("#panel .count").textContent.includes(" of ")`)
		if rows := js[string](b, `document.querySelector("#panel .body").textContent`); !strings.Contains(rows, "apple_names") || strings.Contains(rows, "ripe_fruit") {
			t.Errorf("symbols of .rodata: %s", rows)
		}
		if d := js[string](b, details); !strings.Contains(d, "sh_offset") || !strings.Contains(d, ".rodata") {
			t.Errorf("details: %s", d)
		}
		b.shot("narrowed")
		b.press("#panel .chip")
		b.until(fmt.Sprintf(`document.querySelector("#panel .count").textContent === %q`, all))
	})

	b.run("filter", func(t *testing.T) {
		b.do(chromedp.SendKeys(chromedp.CSS("#panel .filter input"), "GARDEN grow"))
		b.until(`document.querySelectorAll("#panel .row").length === 1`)
		if row := js[string](b, `document.querySelector("#panel .row").textContent`); !strings.Contains(row, "garden::Tree::grow(int)") {
			t.Errorf("row: %s", row)
		}
		b.press("#panel .row")
		b.until(`document.querySelector("#details h2").textContent.includes("garden::Tree::grow")`)
		if d := js[string](b, details); !strings.Contains(d, "sample.cc") || !strings.Contains(d, "st_value") {
			t.Errorf("details: %s", d)
		}
		b.shot("symbol")
	})

	b.run("search a symbol", func(t *testing.T) {
		b.do(chromedp.KeyEvent(kb.Escape), chromedp.SendKeys(chromedp.CSS("#search"), "ripe_fr"))
		b.until(`[...document.querySelectorAll("#found li")].some(x => x.textContent.includes("ripe_fruit"))`)
		b.do(chromedp.KeyEvent(kb.Enter))
		b.until(`document.querySelector("#details h2").textContent.startsWith("ripe_fruit")`)
		b.until(`[...document.querySelectorAll("#picture text")].some(t => t.textContent === "ripe_fruit")`) // it was zoomed to
		b.shot("searched")
	})

	b.run("search an address", func(t *testing.T) {
		addr := js[string](b, `[...document.querySelectorAll("#details tr")].find(r => r.textContent.startsWith("st_value")).querySelector(".value").textContent`)
		js[bool](b, `!(document.getElementById("search").value = "")`)
		b.do(chromedp.SendKeys(chromedp.CSS("#search"), addr))
		b.until(`document.querySelector("#found li")?.textContent.includes("ripe_fruit")`)
		b.do(chromedp.KeyEvent(kb.Enter))
		b.until(`document.querySelector("#details h2").textContent.includes("virtual address ` + addr + `")`)
	})

	b.run("zoom", func(t *testing.T) {
		b.do(chromedp.Click(chromedp.CSS("#fit")), chromedp.Sleep(100*time.Millisecond))
		zoom := `Number(document.querySelector("#picture svg").dataset.zoom)`
		b.until(zoom + " === 1")
		for range 3 {
			b.press("#in")
		}
		b.until(zoom + " > 4")
		b.press("#out")
		b.until(zoom + " < 3")
		b.press("#fit")
		b.until(zoom + " === 1")
		x, y := b.center("ELF header")
		for range 14 {
			b.do(wheel(x, y, -120), chromedp.Sleep(20*time.Millisecond))
		}
		b.until(`[...document.querySelectorAll("#picture text")].some(t => t.textContent === "e_entry")`) // deep enough for fields
		b.click("e_entry")
		b.until(`document.querySelector("#details h2").textContent.startsWith("e_entry")`)
		if d := js[string](b, details); !strings.Contains(d, "first instruction") || !strings.Contains(d, ".text") {
			t.Errorf("details of e_entry: %s", d)
		}
		b.shot("field")
		b.press("#fit")
	})

	b.run("keys", func(t *testing.T) {
		b.do(chromedp.Focus(chromedp.CSS("#picture svg")), chromedp.KeyEvent(kb.Escape), chromedp.KeyEvent(kb.Home))
		said := `document.getElementById("say").textContent`
		b.until(said + `.length > 0`)
		first := js[string](b, said)
		b.do(chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.ArrowDown))
		b.until(said + " !== " + fmt.Sprintf("%q", first))
		b.do(chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(kb.Enter))
		b.until(said + `.startsWith("selected")`)
		b.do(chromedp.KeyEvent("/"))
		b.until(`document.activeElement.id === "search"`)
		b.do(chromedp.KeyEvent(kb.Escape))
	})

	b.run("loading", func(t *testing.T) {
		b.press("#fit")
		b.open("steps")
		step := `[...document.querySelectorAll(".steps li[tabindex]")].find(x => x.textContent.startsWith("r-x [0x401000"))`
		js[bool](b, step+`.scrollIntoView() === undefined`)
		at := js[[]float64](b, `(r => [r.x + 50, r.y + 10])(`+step+`.getBoundingClientRect())`)
		b.do(chromedp.MouseClickXY(at[0], at[1]))
		b.until(`document.querySelectorAll("#picture .lit").length > 0`)
		b.until(step + `.getAttribute("aria-current") === "step"`)
		if d := js[string](b, details); !strings.Contains(d, "p_vaddr") {
			t.Errorf("details of the step's header: %s", d)
		}
		b.shot("loading")
	})

	b.run("sizes", func(t *testing.T) {
		b.open("sizes")
		b.until(`document.querySelectorAll(".tree button").length > 10`)
		b.shot("sizes")
		b.press(`.filter input[value=source]`)
		b.until(`[...document.querySelectorAll(".tree .group")].some(g => g.textContent.includes("second.cc"))`)
		b.until(`[...document.querySelectorAll(".tree .group")].some(g => g.textContent.includes("sample.cc") && g.offsetWidth > 400)`) // by its variables
		b.shot("sources")
	})

	b.run("tables", func(t *testing.T) {
		b.do(chromedp.Focus(chromedp.CSS("#picture svg")), chromedp.KeyEvent(kb.Escape))
		for id, want := range map[string]string{"sections": ".rodata", "segments": "INTERP", "relocs": "R_X86_64_", "strings": "Boskoop"} {
			b.open(id)
			b.until(`document.querySelectorAll("#panel .row").length > 0`)
			b.do(chromedp.SendKeys(chromedp.CSS("#panel .filter input"), want), chromedp.Sleep(250*time.Millisecond)) // it waits for more to be typed
			b.until(fmt.Sprintf(`document.querySelectorAll("#panel .row").length > 0 && [...document.querySelectorAll("#panel .row")].every(r => r.textContent.includes(%q))`, want))
			b.press(".heads button:nth-child(2)")
			b.until(`document.querySelector(".heads [aria-sort=ascending]")`)
			b.press("#panel .row")
			b.shot("table-" + id)
			b.until(`document.querySelector("#panel .row[aria-selected=true]")`)
		}
	})

	b.run("colours", func(t *testing.T) {
		dark := `document.documentElement.classList.contains("dark")`
		b.call("media", func(ctx context.Context) error {
			_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
			})
			return err
		})
		b.until(dark)
		b.press("#fit")
		b.open("sizes")
		b.shot("dark")
		b.press("#theme")
		b.until("!" + dark)
		b.press("#theme")
		b.until(dark)
	})
}

// TestPrint makes a PDF, which is what paper would get.
func TestPrint(t *testing.T) {
	b := browse(t, program(t))
	pdf, err := chromedp.Run(b.ctx, chromedp.PrintToPDF(chromedp.PDFPrintBackground()))
	if err != nil {
		t.Fatal(err)
	}
	if len(pdf) < 20_000 || !strings.HasPrefix(string(pdf), "%PDF") {
		t.Errorf("%d bytes of PDF", len(pdf))
	}
	if dir := os.Getenv("ELFWRIGHT_SHOTS"); dir != "" {
		os.WriteFile(filepath.Join(dir, "print.pdf"), pdf, 0o644)
	}
	b.call("media", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
		return err
	})
	js[bool](b, `dispatchEvent(new Event("beforeprint"))`)
	b.shot("print")
	if n := js[int](b, `document.querySelectorAll("#print tr").length`); n < 30 {
		t.Errorf("%d rows are printed", n)
	}
}

// TestSeveral has a page of three images, one of which has no sections at all.
func TestSeveral(t *testing.T) {
	need(t, "objcopy")
	sample := program(t)
	object := filepath.Join(t.TempDir(), "second.o")
	run(t, "g++", "-c", "-ffunction-sections", "-o", object, "testdata/second.cc")
	bare := filepath.Join(t.TempDir(), "bare")
	data, err := os.ReadFile(sample)
	if err != nil {
		t.Fatal(err)
	}
	copy(data[0x28:0x30], make([]byte, 8)) // e_shoff
	copy(data[0x3c:0x40], make([]byte, 4)) // e_shnum, e_shstrndx
	if err := os.WriteFile(bare, data, 0o755); err != nil {
		t.Fatal(err)
	}
	b := browse(t, sample, object, bare)
	for i, want := range []string{sample, object, bare} {
		b.press(fmt.Sprintf("#images button:nth-child(%d)", i+1))
		b.until(fmt.Sprintf(`document.querySelector("#details h2").textContent === %q`, want))
		b.until(`document.querySelectorAll("#picture rect").length > 3`)
		b.open("sizes")
		b.until(`document.querySelectorAll(".tree button").length > 0`)
		b.shot(fmt.Sprint("several", i))
	}
}

// TestProcess has a page of a living process: its stack and its libraries are in
// the picture, at the process's addresses.
func TestProcess(t *testing.T) {
	need(t, "sleep")
	sleep := exec.Command("sleep", "600")
	if err := sleep.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		sleep.Process.Kill()
		sleep.Wait()
	})
	exe := fmt.Sprintf("/proc/%d/exe", sleep.Process.Pid)
	for range 100 { // until it is no copy of this program any more
		if to, _ := os.Readlink(exe); strings.HasSuffix(to, "sleep") {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(200 * time.Millisecond) // libraries
	b := browse(t, exe)
	b.click("rw-p [stack]")
	b.until(`document.querySelector("#details h2").textContent.includes("[stack]")`)
	if n := js[int](b, `document.querySelectorAll("#picture .head").length`); n != 2 {
		t.Errorf("%d columns", n)
	}
	b.do(chromedp.SendKeys(chromedp.CSS("#search"), ".text"))
	b.until(`document.querySelectorAll("#found li").length > 0`)
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until(`document.querySelector("#details h2").textContent.startsWith(".text")`)
	if d := js[string](b, details); !strings.Contains(d, "0x5") {
		t.Errorf("details of .text: %s", d)
	}
	b.shot("process")
}

// TestNames: what a file calls its parts is text to the page, whatever it is.
func TestNames(t *testing.T) {
	need(t, "objcopy")
	evil := filepath.Join(t.TempDir(), "<img src=x onerror=alert(1)>")
	const name = `</script><script>window.evil=1</script><!--`
	run(t, "objcopy", "--rename-section", ".comment="+name, "--redefine-sym", "ripe_fruit=<b onclick='evil=2'>&amp;\u2028", program(t), evil)
	b := browse(t, evil)
	b.open("sections")
	b.until(fmt.Sprintf(`document.querySelector("#panel .body").textContent.includes(%q)`, name))
	b.do(chromedp.SendKeys(chromedp.CSS("#search"), "<b onclick"))
	b.until(`document.querySelector("#found li")?.textContent.includes("<b onclick='evil=2'>&amp;")`)
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until(`document.querySelector("#details h2").textContent.includes("<b onclick")`)
	if js[bool](b, `"evil" in window || !!document.querySelector("main img, main b")`) {
		t.Error("a name became markup")
	}
}

// llvm are large libraries; the first that is there is taken.
var llvm = []string{"/usr/lib/x86_64-linux-gnu/libLLVM-14.so.1", "/usr/lib/x86_64-linux-gnu/libLLVM-15.so.1"}

// TestLarge opens a library of 100 MB.
func TestLarge(t *testing.T) {
	need(t, "chromium")
	var file string
	for _, f := range llvm {
		if _, err := os.Stat(f); err == nil && file == "" {
			file = f
		}
	}
	if file == "" {
		if os.Getenv("CI") == "true" {
			t.Fatalf("none of %s is here", llvm)
		}
		t.Skipf("none of %s is here", llvm)
	}
	start := time.Now()
	html := write(t, file)
	took := time.Since(start)
	st, err := os.Stat(html)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d bytes of page in %v", file, st.Size(), took)
	if st.Size() > 20_000_000 {
		t.Errorf("the page has %d bytes", st.Size())
	}
	b := browse(t, file)
	// The longest pause of the page's thread, from now on.
	js[bool](b, `(() => { window.longest = 0; let last = performance.now(); setInterval(() => { const now = performance.now(); longest = Math.max(longest, now - last); last = now; }, 5); return true; })()`)
	t.Logf("ready after %.0f ms", js[float64](b, `performance.timing.domContentLoadedEventEnd - performance.timing.navigationStart`))
	b.until(`document.querySelectorAll("#picture .many").length > 3`) // symbols are there, put together
	b.shot("large")
	b.open("relocs")
	b.until(`document.querySelectorAll("#panel .row").length > 10`)
	b.do(chromedp.SendKeys(chromedp.CSS("#panel .filter input"), "JUMP_SLO"))
	b.until(`document.querySelector("#panel .count").textContent.includes(" of ")`)
	b.open("symbols")
	b.until(`document.querySelectorAll("#panel .row").length > 10`)
	js[bool](b, `(() => { const body = document.querySelector("#panel .body"); body.scrollTop = body.scrollHeight / 2; return true; })()`)
	b.do(chromedp.SendKeys(chromedp.CSS("#search"), "llvm::Module::getFunction"))
	b.until(`document.querySelectorAll("#found li").length > 0 && !document.getElementById("found").hidden`)
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until(`document.querySelector("#details h2").textContent.includes("llvm::Module::getFunction")`)
	b.until(`[...document.querySelectorAll("#picture text")].some(t => t.textContent.startsWith("getFunc"))`)
	b.shot("large-symbol")
	b.open("sizes")
	b.until(`document.querySelectorAll(".tree button").length > 100`)
	b.shot("large-sizes")
	longest := js[float64](b, "longest")
	t.Logf("longest pause %.0f ms", longest)
	if longest > 3000 {
		t.Errorf("the page stood still for %.0f ms", longest)
	}
}
