// A server with garbage, timers and goroutines. Each answer follows from the one
// before, so that whoever asks sees whether something was lost.
package main

import (
	"crypto/sha256"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

type chain struct {
	sync.Mutex
	n    int
	last [32]byte
	keep map[string][]byte
}

func (c *chain) next() string {
	c.Lock()
	defer c.Unlock()
	for range 50 {
		c.last = sha256.Sum256(c.last[:])
	}
	c.n++
	c.keep[fmt.Sprint(c.n%5000)] = make([]byte, 100+c.n%1000)
	return fmt.Sprintf("%d %x", c.n, c.last[:8])
}

func main() {
	c := &chain{keep: make(map[string][]byte)}
	for i := range 3 {
		go func() {
			for tick := time.NewTicker(time.Duration(i+1) * time.Millisecond); ; <-tick.C {
				garbage := make([][]byte, 100)
				for k := range garbage {
					garbage[k] = make([]byte, 1000)
				}
			}
		}()
	}
	go func() {
		for i := 0; ; i++ { // a loop without calls, which only a signal interrupts
			if i&0xfffffff == 0 {
				time.Sleep(20 * time.Millisecond)
			}
		}
	}()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr())
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, c.next()) })}
	s.SetKeepAlivesEnabled(false)
	panic(s.Serve(l))
}
