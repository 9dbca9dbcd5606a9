//go:build !linux

package pipe_test

import (
	"errors"
	"testing"

	"github.com/gomultiprocessing/mp"
)

func TestConnIsUnsupported(t *testing.T) {
	if _, _, err := mp.NewPipe[int](); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	if _, _, err := mp.NewOneWayPipe[int](); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}
