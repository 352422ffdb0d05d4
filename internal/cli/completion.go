package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

func completionVerb() *verb {
	shells := []string{"bash", "zsh", "fish"}
	return &verb{
		name:  "completion",
		short: "print a script that completes verbs, flags and values in a shell",
		usage: []string{"bash|zsh|fish"},
		args:  args{min: 1, max: 1, name: "SHELL", words: shells},
		long: `To have it in every new shell:

  bash   elfwright completion bash > ~/.local/share/bash-completion/completions/elfwright
  zsh    elfwright completion zsh > "${fpath[1]}/_elfwright"
  fish   elfwright completion fish > ~/.config/fish/completions/elfwright.fish`,
		examples: []example{
			{"for this bash, until it ends", "source <(elfwright completion bash)"},
			{"look at what fish would get", "elfwright completion fish | head"},
		},
		run: func(c *call) error {
			switch c.args[0] {
			case "bash":
				return c.prog.root.GenBashCompletionV2(c.out, true)
			case "zsh":
				return c.prog.root.GenZshCompletion(c.out)
			default:
				return c.prog.root.GenFishCompletion(c.out, true)
			}
		},
	}
}

// completeAll is completeFlags for a verb and those below it. cobra keeps what it
// is told for ever, so it is told when a shell asks and not in other runs.
func (p *program) completeAll(cmd *cobra.Command, v *verb) {
	completeFlags(cmd, v.flags)
	for _, sub := range cmd.Commands() {
		if ch := child(v.children, sub.Name()); ch != nil {
			p.completeAll(sub, ch)
		}
	}
}

// completeFlags tells the shell what values a flag may take: one of a list of
// words, a file, or nothing it could guess.
func completeFlags(cmd *cobra.Command, flags []flag) {
	for _, f := range flags {
		if _, ok := f.to.(*bool); ok || f.files {
			continue
		}
		words := f.words
		// The names are the table's own, so that this cannot fail.
		_ = cmd.RegisterFlagCompletionFunc(f.name, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return words, cobra.ShellCompDirectiveNoFileComp
		})
	}
}

// completeVerbs gives the verbs that may come next after 'elfwright help'.
func (p *program) completeVerbs(_ *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	v := p.top()
	for _, a := range args {
		if v = child(v.children, a); v == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
	}
	var out []string
	for _, ch := range v.children {
		if !ch.hidden && strings.HasPrefix(ch.name, prefix) {
			out = append(out, ch.name+"\t"+ch.short)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
