package proc

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// System is what of this machine decides how programs are started.
type System struct {
	Release    string // of the kernel
	Machine    string // as uname has it: "x86_64"
	PageSize   uint64
	StackLimit uint64 // RLIMIT_STACK of this process
	MinAddr    uint64 // vm.mmap_min_addr
	RawIO      bool   // this process has CAP_SYS_RAWIO
	// Memory is the memory and swap, of which one writable mapping may take all
	// (__vm_enough_memory); 0 where vm.overcommit_memory has another rule.
	Memory uint64
}

const capRawIO = 17 // CAP_SYS_RAWIO, capability(7)

// ThisSystem asks the machine. What cannot be read is left at zero.
func ThisSystem() System {
	s := System{PageSize: uint64(os.Getpagesize())}
	var uts unix.Utsname
	if unix.Uname(&uts) == nil {
		s.Release, s.Machine = unix.ByteSliceToString(uts.Release[:]), unix.ByteSliceToString(uts.Machine[:])
	}
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_STACK, &limit) == nil {
		s.StackLimit = limit.Cur
	}
	s.MinAddr = number("/proc/sys/vm/mmap_min_addr")
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil && number("/proc/sys/vm/overcommit_memory") == 0 {
		s.Memory = (uint64(info.Totalram) + uint64(info.Totalswap)) * uint64(info.Unit)
	}
	s.RawIO = effective()&(1<<capRawIO) != 0
	return s
}

func number(path string) uint64 {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	return n
}

// effective reads the effective capabilities of this process.
func effective() uint64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "CapEff:"); ok {
			n, _ := strconv.ParseUint(strings.TrimSpace(v), 16, 64)
			return n
		}
	}
	return 0
}

// FileSystem is what of a file system decides where programs on it are mapped.
type FileSystem struct {
	Name string // "ext4"; the magic number where there is no name here
	// Huge says whether large files are placed by huge pages: the file system's
	// get_unmapped_area is thp_get_unmapped_area.
	Huge   bool
	NoExec bool
}

// fileSystems are those with rules of their own, by f_type (statfs(2)).
var fileSystems = map[int64]FileSystem{
	unix.EXT4_SUPER_MAGIC:      {Name: "ext4", Huge: true},
	unix.XFS_SUPER_MAGIC:       {Name: "xfs", Huge: true},
	unix.BTRFS_SUPER_MAGIC:     {Name: "btrfs", Huge: true},
	unix.FUSE_SUPER_MAGIC:      {Name: "fuse", Huge: true},
	unix.EROFS_SUPER_MAGIC_V1:  {Name: "erofs", Huge: true},
	unix.TMPFS_MAGIC:           {Name: "tmpfs"},
	unix.OVERLAYFS_SUPER_MAGIC: {Name: "overlayfs"},
	unix.SQUASHFS_MAGIC:        {Name: "squashfs"},
	unix.NFS_SUPER_MAGIC:       {Name: "nfs"},
}

// FileSystemOf tells of the file system that has a file.
func FileSystemOf(path string) FileSystem {
	var st unix.Statfs_t
	if unix.Statfs(path, &st) != nil {
		return FileSystem{Name: "unknown"}
	}
	fs, ok := fileSystems[int64(st.Type)]
	if !ok {
		fs.Name = "0x" + strconv.FormatInt(int64(st.Type), 16)
	}
	fs.NoExec = st.Flags&unix.ST_NOEXEC != 0
	return fs
}
