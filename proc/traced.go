package proc

import "syscall"

// traced makes a child that stops when its execve is done (PTRACE_TRACEME).
func traced() *syscall.SysProcAttr { return &syscall.SysProcAttr{Ptrace: true} }
