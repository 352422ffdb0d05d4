package freeze_test

import (
	"math"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestMain keeps what the tests inherited, such as pipes of who runs them, from the
// processes that are frozen.
func TestMain(m *testing.M) {
	if err := unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
