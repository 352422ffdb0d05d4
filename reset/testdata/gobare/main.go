package main

// The program is in start.s: none of the runtime's code runs.
var (
	data = 5
	zero int
	runs = 1
	line = [8]byte{'d', ' ', 'z', '|', 'r', '\n'}
)

func start()

func main() { start() }
