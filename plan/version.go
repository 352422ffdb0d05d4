package plan

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Version is a version of Linux: 6.17. The zero Version stands for [Latest].
type Version struct{ Major, Minor int }

// Latest is the newest kernel whose rules are known here; a newer one is
// treated like it. Oldest is the oldest one that can be asked for.
var (
	Latest = Version{6, 18}
	Oldest = Version{5, 4}
)

// ParseVersion reads "6.17", or a whole release as uname gives it:
// "6.18.44-fc". What is behind the second number does not matter.
func ParseVersion(s string) (Version, error) {
	part := strings.SplitN(s, ".", 3)
	bad := fmt.Errorf("%q is not a kernel version such as 6.12", s)
	if len(part) < 2 {
		return Version{}, bad
	}
	digits := part[1]
	if i := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		digits = digits[:i]
	}
	major, err1 := strconv.ParseUint(part[0], 10, 16)
	minor, err2 := strconv.ParseUint(digits, 10, 16)
	if err1 != nil || err2 != nil {
		return Version{}, bad
	}
	v := Version{int(major), int(minor)}
	if v.Before(Oldest) {
		return v, fmt.Errorf("the rules of Linux %v are not known: %v is the oldest", v, Oldest)
	}
	return v, nil
}

// String prints 6.17.
func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

// Before says whether v is older than o.
func (v Version) Before(o Version) bool {
	return cmp.Or(cmp.Compare(v.Major, o.Major), cmp.Compare(v.Minor, o.Minor)) < 0
}

// Change is a rule of the loader that changed with a version of Linux.
type Change struct {
	Since Version
	What  string
	// Also is an older long-term series whose later releases have it, too.
	Also Version
}

// The changes that a plan looks at, in the order of versions. Stable series
// may have some of them earlier.
var (
	changeHugeAlign  = Change{Version{5, 10}, "a PIE's base honours p_align; before, only pages counted", Version{}}
	changeSigFrame   = Change{Version{5, 14}, "x86 tells AT_MINSIGSTKSZ", Version{}}
	changeAtPhdr     = Change{Version{5, 18}, "AT_PHDR is found by the PT_LOAD that holds the table; before, e_phoff from the first PT_LOAD's file", Version{}}
	changeTotalSize  = Change{Version{5, 18}, "the whole span counts in any order of the table; before, from the first PT_LOAD to the last", Version{}}
	changeHugeFile   = Change{Version{5, 18}, "file mappings with a whole huge page are aligned to it; before, with DAX only", Version{}}
	changeEmptyArgv  = Change{Version{5, 18}, "an empty argv becomes one empty string", Version{}}
	changeRseq       = Change{Version{6, 3}, "AT_RSEQ_FEATURE_SIZE and AT_RSEQ_ALIGN", Version{}}
	changeElfLoad    = Change{Version{6, 7}, "each segment has its own zero-fill; before, one zero-fill ran from the highest file byte to the highest address", Version{}}
	changeHugeTop    = Change{Version{6, 8}, "a search that is aligned by chance takes the upper end", Version{}}
	changeBrkGap     = Change{Version{6, 9}, "with randomisation brk is a page higher, and within 1 GiB; before, within 32 MiB", Version{}}
	changeStaticPie  = Change{Version{6, 10}, "p_align counts without PT_INTERP, too", Version{}}
	changeVclock     = Change{Version{6, 13}, "[vvar_vclock] is apart from [vvar]", Version{}}
	changeBrkMoved   = Change{Version{6, 15}, "the brk of a static PIE moves to ELF_ET_DYN_BASE also without randomisation (6.12 has it by now, too)", Version{6, 12}}
	changeTableLimit = Change{Version{6, 17}, "the program header table may have 64 KiB; before, one page (73 headers)", Version{}}
)

// Changes returns the changes that are known, oldest first.
func Changes() []Change {
	return []Change{
		changeHugeAlign, changeSigFrame, changeAtPhdr, changeTotalSize, changeHugeFile, changeEmptyArgv, changeRseq,
		changeElfLoad, changeHugeTop, changeBrkGap, changeStaticPie, changeVclock, changeBrkMoved, changeTableLimit,
	}
}

// has says whether a kernel has a change.
func (v Version) has(c Change) bool { return !v.Before(c.Since) || v == c.Also }
