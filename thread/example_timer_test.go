package thread_test

import (
	"fmt"
	"time"

	"github.com/gomultiprocessing/mp/thread"
)

// A function is called later, unless that is cancelled.
func ExampleAfter() {
	tea := thread.After(10*time.Millisecond, func() { fmt.Println("the tea is ready") })
	alarm := thread.After(time.Hour, func() { fmt.Println("too late") })
	<-tea.Done()
	fmt.Println("the alarm was stopped:", alarm.Cancel())
	fmt.Println("the tea was stopped:", tea.Cancel())
	// Output:
	// the tea is ready
	// the alarm was stopped: true
	// the tea was stopped: false
}
