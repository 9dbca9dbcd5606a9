package mp_test

import (
	"context"
	"fmt"
	"log"
	"strconv"

	"github.com/gomultiprocessing/mp"
)

// TestProcess is a subclass of Python's Process: a value with a Run method.
type TestProcess struct{ Number int }

func (p TestProcess) Run(ctx context.Context) error {
	if mp.Current().Name != strconv.Itoa(p.Number) {
		return fmt.Errorf("%d is named %q", p.Number, mp.Current().Name)
	}
	fmt.Println("test process", p.Number)
	return nil
}

var testProcess = mp.RegisterRunner[TestProcess]("TestProcess")

// Ten processes of one type, each with a name and a field of its own.
func ExampleRegisterRunner() {
	ctx := context.Background()
	var ps []*mp.Process
	for i := range 10 {
		p, err := mp.Start(ctx, testProcess, TestProcess{Number: i}, mp.ProcessConfig{Name: strconv.Itoa(i)})
		if err != nil {
			log.Fatal(err)
		}
		ps = append(ps, p)
	}
	for i, p := range ps {
		if err := p.Join(ctx); err != nil || p.Name() != strconv.Itoa(i) {
			fmt.Println(p.Name(), err)
		}
	}
	// Unordered output:
	// test process 0
	// test process 1
	// test process 2
	// test process 3
	// test process 4
	// test process 5
	// test process 6
	// test process 7
	// test process 8
	// test process 9
}
