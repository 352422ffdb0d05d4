package samples

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// DebianRoot unpacks packages of another release of Debian into a directory that
// stands for its root, once. They come from where this machine has its own; the test
// is skipped where that has not got the release.
func DebianRoot(t testing.TB, release string, packages ...string) string {
	t.Helper()
	Need(t, "apt-get", "dpkg-deb")
	base, err := os.UserCacheDir()
	if err != nil {
		t.Skip(err)
	}
	dir := filepath.Join(base, "elfwright-roots", release+"-"+strings.Join(packages, "-"))
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	made := t.TempDir()
	if err := debianRoot(made, release, packages); err != nil {
		t.Skipf("packages of %s cannot be had: %v", release, err)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	// Another test may have been quicker.
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "new")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	if out, err := exec.Command("cp", "-a", filepath.Join(made, "root"), tmp).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.Rename(filepath.Join(tmp, "root"), dir); err != nil && !os.IsExist(err) {
		t.Fatal(err)
	}
	return dir
}

// debianRoot makes the directory root in dir, with apt and lists of its own.
func debianRoot(dir, release string, packages []string) error {
	sites, err := exec.Command("apt-get", "indextargets", "--format", "$(SITE) $(SIGNED_BY)").Output()
	if err != nil {
		return err
	}
	site, keys, _ := strings.Cut(strings.SplitN(string(sites), "\n", 2)[0], " ")
	if site == "" {
		return fmt.Errorf("apt has no lists: apt-get update makes them")
	}
	signed := ""
	if filepath.IsAbs(keys) {
		signed = "[signed-by=" + keys + "] "
	}
	for name, text := range map[string]string{
		"sources": "deb " + signed + site + " " + release + " main\n", "status": "", "apt/lists/partial/.keep": "", "cache/archives/partial/.keep": "", "root/.keep": "",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
	}
	for _, args := range [][]string{{"update", "--error-on=any"}, append([]string{"download"}, packages...)} {
		cmd := exec.Command("apt-get", append([]string{"-q", "-o", "Dir::Etc::sourcelist=" + dir + "/sources", "-o", "Dir::Etc::sourceparts=-", "-o", "Dir::State=" + dir + "/apt",
			"-o", "Dir::State::status=" + dir + "/status", "-o", "Dir::Cache=" + dir + "/cache", "-o", "APT::Sandbox::User="}, args...)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w: %s", args[0], err, out)
		}
	}
	list, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil {
		return err
	}
	for _, deb := range list {
		if out, err := exec.Command("dpkg-deb", "-x", deb, filepath.Join(dir, "root")).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", deb, err, out)
		}
	}
	return merge(filepath.Join(dir, "root"))
}

// merge makes the links of a merged /usr, which newer packages count on.
func merge(root string) error {
	for _, name := range []string{"bin", "sbin", "lib", "lib64"} {
		if _, err := os.Lstat(filepath.Join(root, name)); err == nil {
			continue
		}
		if err := os.Symlink("usr/"+name, filepath.Join(root, name)); err != nil {
			return err
		}
	}
	return nil
}
