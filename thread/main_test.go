package thread_test

import (
	"testing"

	"github.com/gomultiprocessing/mp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	mp.Main() // some tests do the same with processes
	goleak.VerifyTestMain(m)
}
