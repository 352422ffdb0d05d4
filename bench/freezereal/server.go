package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// asked is a server that is asked the same again and again: each answer begins with
// its number and follows from those before.
type asked struct {
	fixed bool   // it is told its port as the last argument; else it prints its address
	ask   string // the whole request; the server closes the connection behind its answer
	reply *regexp.Regexp
}

var (
	httpServer  = asked{ask: "GET / HTTP/1.0\r\n\r\n", reply: regexp.MustCompile(`(?s)^HTTP/1.* 200 OK\r\n.*\r\n\r\n(\d+ \w+)\n$`)}
	redisServer = asked{fixed: true, reply: regexp.MustCompile(`(?s)^\$\d+\r\n(\d+ \w+)\r\n\+OK\r\n$`),
		ask: `EVAL "local n = redis.call('incr', 'n'); redis.call('rpush', 'list' .. n % 50, string.rep('x', n * 7 % 3000)); redis.call('hset', 'hash', n % 700, n); redis.call('set', 'last', redis.sha1hex((redis.call('get', 'last') or '') .. redis.call('llen', 'list' .. n % 50))); redis.call('del', 'list' .. (n * 3) % 50); return n .. ' ' .. redis.call('get', 'last')" 0` + "\r\nQUIT\r\n"}
)

// requests is how often a server is asked in a run.
const requests = 60

// server freezes a server while it is asked and while it is not. The answers of the
// one that goes on, and of the one that is thawed, are those of an undisturbed one.
func server(a asked) func(*runner, int) error {
	return func(r *runner, n int) error {
		want, err := a.undisturbed(r)
		if err != nil {
			return err
		}
		for i := 0; r.lives < n && i < 4*n; i++ {
			a.instant(r, want, fmt.Sprint("i", i), i%2 == 1)
		}
		return nil
	}
}

// running is a server that answers at an address.
type running struct {
	*process
	asked
	addr string
}

func (a asked) start(r *runner, name string) (*running, error) {
	argv := r.args
	s := &running{asked: a}
	if a.fixed {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		s.addr = l.Addr().String()
		l.Close()
		_, port, _ := strings.Cut(s.addr, ":")
		argv = append(append([]string{}, argv...), port)
	}
	var err error
	if s.process, err = r.start(name, argv); err != nil {
		return nil, err
	}
	for !a.fixed && !strings.Contains(s.addr, "\n") {
		if time.Since(s.began) > limit {
			return nil, fmt.Errorf("prints no address: %s", s.complaint())
		}
		time.Sleep(time.Millisecond)
		b, err := os.ReadFile(s.out.Name())
		if err != nil {
			return nil, err
		}
		s.addr = string(b)
	}
	s.addr = strings.TrimSpace(s.addr)
	return s, s.answers()
}

// answers waits until somebody listens.
func (s *running) answers() error {
	for {
		c, err := net.Dial("tcp", s.addr)
		if err == nil {
			return c.Close()
		}
		if time.Since(s.began) > 10*time.Second {
			return fmt.Errorf("%w: %s", err, s.complaint())
		}
		time.Sleep(time.Millisecond)
	}
}

// next asks once.
func (s *running) next() (string, error) {
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(limit / 2))
	if _, err := io.WriteString(c, s.ask); err != nil {
		return "", err
	}
	b, err := io.ReadAll(c)
	if err != nil {
		return "", err
	}
	m := s.reply.FindSubmatch(b)
	if m == nil {
		return "", fmt.Errorf("answer %q", b)
	}
	return string(m[1]), nil
}

func (s *running) stop() {
	s.cmd.Process.Kill()
	s.end()
}

func (a asked) undisturbed(r *runner) ([]string, error) {
	s, err := a.start(r, "undisturbed")
	if err != nil {
		return nil, err
	}
	defer s.clean()
	defer s.stop()
	var want []string
	for range 3 * requests {
		v, err := s.next()
		if err != nil {
			return nil, err
		}
		want = append(want, v)
	}
	return want, nil
}

// expect asks n times; number counts the answers so far.
func (s *running) expect(want []string, number, n int) error {
	for i := number; i < number+n; i++ {
		if got, err := s.next(); err != nil {
			return fmt.Errorf("answer %d: %w", i+1, err)
		} else if got != want[i] {
			return fmt.Errorf("answer %d is %q, not %q", i+1, got, want[i])
		}
	}
	return nil
}

// instant freezes a server once: between two requests, or while it is asked.
func (a asked) instant(r *runner, want []string, name string, busy bool) {
	s, err := a.start(r, name)
	if err != nil {
		r.fault("%v", err)
		return
	}
	defer s.clean()
	number := r.random.IntN(requests)
	err = s.expect(want, 0, number)
	time.Sleep(time.Duration(r.random.Int64N(int64(20 * time.Millisecond))))
	frozen := filepath.Join(s.dir, "frozen")
	from := number
	meanwhile := make(chan error, 1)
	if busy && err == nil {
		number += requests
		go func() { meanwhile <- s.expect(want, from, requests) }()
		time.Sleep(time.Duration(r.random.Int64N(int64(20 * time.Millisecond))))
	}
	ok := err == nil && r.freeze(s.cmd.Process.Pid, frozen)
	if busy && err == nil {
		err = <-meanwhile
	}
	if err == nil {
		err = s.expect(want, number, requests)
	}
	r.lives++
	if err != nil {
		r.fault("the one that went on: %v", err)
	} else {
		r.live++
	}
	s.stop()
	if ok {
		a.thaw(r, want, s, from, number)
	}
}

// thaw starts the frozen server, which has given between from and to answers.
func (a asked) thaw(r *runner, want []string, was *running, from, to int) {
	r.thaws++
	p, err := r.startIn(was.dir, "thawed", []string{filepath.Join(was.dir, "frozen")})
	if err != nil {
		r.fault("thawed: %v", err)
		return
	}
	s := &running{p, a, was.addr}
	defer s.stop()
	if err := s.answers(); err != nil {
		r.fault("thawed: %v", err)
		return
	}
	got, err := s.next()
	if err != nil {
		r.fault("thawed: %v", err)
		return
	}
	for i := from; i <= to; i++ {
		if got != want[i] {
			continue
		}
		if err := s.expect(want, i+1, requests/2); err != nil {
			r.fault("thawed: %v", err)
			return
		}
		r.thawed++
		return
	}
	r.fault("thawed: the first answer is %s, not one of %d to %d", got, from+1, to+1)
}
