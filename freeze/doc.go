// Package freeze makes one executable file of a running process, which goes on
// where the process was stopped.
//
// [Freeze] stops the process and reads what it is (package capture), refuses what
// a new process could not have again, and compiles the rest into a script of
// system calls (package script). The file has the stub that carries the script
// out, the script, and the contents of the memory. It is an ordinary static
// executable: the kernel maps the stub and the script, and the script does the
// rest, without any privilege.
package freeze
