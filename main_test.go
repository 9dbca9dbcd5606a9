package mp_test

import (
	"testing"

	"github.com/gomultiprocessing/mp/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }
