package run_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/internal/samples"
	"elfwright/run"
)

// started is set in the environment of the test binary that is to become another
// program.
const started = "ELFWRIGHT_RUN_TEST"

// TestExec becomes a program from memory: arguments, environment, descriptors and
// exit status are what a shell would have made them.
func TestExec(t *testing.T) {
	if prog := os.Getenv(started); prog != "" {
		f, err := elffile.Open(prog)
		if err == nil {
			err = run.Exec(image.FromFile(f), run.Options{Argv: []string{"name", "an argument", "7"}, Env: []string{"VAR=value"}})
		}
		t.Fatal(err)
	}
	prog := samples.MakeFile(t, samples.Recipe{Out: "p", Files: map[string]string{"p.c": `
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
extern char **environ;
int main(int argc, char **argv)
{
	char line[100];
	struct rlimit l;
	for (int i = 0; i < argc; i++)
		printf("%d %s\n", i, argv[i]);
	for (char **e = environ; *e; e++)
		puts(*e);
	while (fgets(line, sizeof line, stdin))
		fputs(line, stdout);
	getrlimit(RLIMIT_NOFILE, &l);
	printf("%lu files, descriptor 3 %s\n", (unsigned long)l.rlim_cur, dup2(3, 3) >= 0 ? "open" : "closed");
	return atoi(argv[argc - 1]);
}
`[1:]}, Steps: [][]string{{"gcc", "-static", "-o", "p", "p.c"}}})
	cmd := exec.Command("sh", "-c", `ulimit -S -n 77; exec "$0" -test.run '^TestExec$'`, os.Args[0])
	cmd.Env = append(os.Environ(), started+"="+prog)
	cmd.Stdin = strings.NewReader("a line\n")
	out, err := cmd.CombinedOutput()
	want := "0 name\n1 an argument\n2 7\nVAR=value\na line\n77 files, descriptor 3 closed\n"
	if string(out) != want || cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("%v\n%s", err, out)
	}
}
