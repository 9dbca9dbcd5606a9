//go:build linux

package mp_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"slices"
	"time"

	"github.com/gomultiprocessing/mp"
)

// Words is what a writer writes to a queue.
type Words struct {
	Queue *mp.Queue[string]
	Words []string
}

var writeWords = mp.Register("writeWords", func(ctx context.Context, in Words) (mp.None, error) {
	for _, w := range in.Words {
		if err := in.Queue.Put(ctx, w); err != nil {
			return mp.None{}, err
		}
	}
	return mp.None{}, in.Queue.Close()
})

var readWords = mp.Register("readWords", func(ctx context.Context, q *mp.Queue[string]) (mp.None, error) {
	for w, err := range q.All(ctx) {
		if err != nil {
			return mp.None{}, err
		}
		fmt.Println("read:", w)
	}
	return mp.None{}, nil
})

// One process writes to a queue, another one reads from it.
func ExampleQueue() {
	ctx := context.Background()
	q, err := mp.NewQueue[string](mp.Unbounded)
	if err != nil {
		log.Fatal(err)
	}
	writer, err := mp.Start(ctx, writeWords, Words{q, []string{"A", "B", "C"}})
	if err != nil {
		log.Fatal(err)
	}
	reader, err := mp.Start(ctx, readWords, q, mp.ProcessConfig{Stdout: os.Stdout})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(writer.Join(ctx), reader.Join(ctx))
	// Output:
	// read: A
	// read: B
	// read: C
	// <nil> <nil>
}

// Sender is the number of a child that sends its message to a queue.
type Sender struct {
	Number int
	Queue  *mp.Queue[string]
}

var sendMessage = mp.Register("sendMessage", func(ctx context.Context, in Sender) (mp.None, error) {
	fmt.Println("a child sends")
	return mp.None{}, in.Queue.Put(ctx, fmt.Sprintf("i am %d communicate throught queue", in.Number))
})

// What a process has put is in the queue when it ends: nobody need read before the
// join, as in Python.
func ExampleQueue_Put() {
	ctx := context.Background()
	q, err := mp.NewQueue[string](mp.Unbounded)
	if err != nil {
		log.Fatal(err)
	}
	var children []*mp.Process
	for i := range 3 {
		p, err := mp.Start(ctx, sendMessage, Sender{i, q}, mp.ProcessConfig{Stdout: os.Stdout})
		if err != nil {
			log.Fatal(err)
		}
		children = append(children, p)
	}
	for _, p := range children {
		if err := p.Join(ctx); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("the queue has", q.Len(), "messages")
	var messages []string
	for !q.Empty() {
		m, err := q.Get(ctx)
		if err != nil {
			log.Fatal(err)
		}
		messages = append(messages, m)
	}
	slices.Sort(messages)
	for _, m := range messages {
		fmt.Println(m)
	}
	fmt.Println("end test")
	// Output:
	// a child sends
	// a child sends
	// a child sends
	// the queue has 3 messages
	// i am 0 communicate throught queue
	// i am 1 communicate throught queue
	// i am 2 communicate throught queue
	// end test
}

// The face of a queue of five.
func ExampleNewQueue() {
	ctx := context.Background()
	q, err := mp.NewQueue[int](5)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("new:", q.Len(), q.Cap(), q.Empty(), q.Full())
	fmt.Println(q.TryPut(3), q.Len())
	fmt.Println(q.TryGet())
	_, err = q.TryGet()
	fmt.Println(errors.Is(err, mp.ErrEmpty))
	soon, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	_, err = q.Get(soon)
	fmt.Println("nothing came:", errors.Is(err, mp.ErrEmpty), errors.Is(err, context.DeadlineExceeded))

	for i := range 5 {
		if err := q.Put(ctx, i); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("full:", q.Full(), errors.Is(q.TryPut(5), mp.ErrFull))
	soon, cancel = context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	err = q.Put(soon, 5)
	fmt.Println("too late:", errors.Is(err, mp.ErrFull), errors.Is(err, context.DeadlineExceeded))

	go func() {
		time.Sleep(10 * time.Millisecond)
		q.Get(ctx) // makes room
	}()
	fmt.Println("number six:", q.Put(ctx, 5))
	// Output:
	// new: 0 5 true false
	// <nil> 1
	// 3 <nil>
	// true
	// nothing came: true true
	// full: true true
	// too late: true true
	// number six: <nil>
}

// Letters is what goes to sendData, and Every how often a message is sent.
type Letters struct {
	Queue *mp.Queue[string]
	Every time.Duration
}

var sendData = mp.Register("sendData", func(ctx context.Context, in Letters) (mp.None, error) {
	for i := range 3 {
		if err := in.Queue.Put(ctx, fmt.Sprint("message ", i)); err != nil {
			return mp.None{}, err
		}
		time.Sleep(in.Every)
	}
	<-ctx.Done()
	return mp.None{}, nil
})

var reviceData = mp.Register("reviceData", func(ctx context.Context, in Letters) (mp.None, error) {
	for range 3 {
		m, err := in.Queue.Get(ctx)
		if err != nil {
			return mp.None{}, err
		}
		fmt.Println(mp.Current().Name, "has", m)
	}
	fmt.Println(mp.Current().Name, "waits")
	in.Queue.Get(ctx)
	return mp.None{}, nil
})

// Two processes with names, one of which sends and the other receives. Killing one leaves
// the other alive.
func ExampleQueue_names() {
	life, stop := context.WithCancel(context.Background())
	defer stop()
	q, err := mp.NewQueue[string](5)
	if err != nil {
		log.Fatal(err)
	}
	in := Letters{q, 10 * time.Millisecond}
	sender, err := mp.Start(life, sendData, in, mp.ProcessConfig{Name: "sendData"})
	if err != nil {
		log.Fatal(err)
	}
	lines, told := newLines(4)
	receiver, err := mp.Start(life, reviceData, in, mp.ProcessConfig{Name: "reviceData", Stdout: lines})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("started", sender.Name(), "and", receiver.Name())
	<-told
	sender.Kill()
	fmt.Println(sender.Join(life) != nil, sender.Alive(), receiver.Alive())
	stop()
	<-receiver.Done()
	// Output:
	// started sendData and reviceData
	// reviceData has message 0
	// reviceData has message 1
	// reviceData has message 2
	// reviceData waits
	// true false true
}

// lineCounter prints what is written, and closes a channel after n lines.
type lineCounter struct {
	rest int
	told chan struct{}
}

func newLines(n int) (*lineCounter, <-chan struct{}) {
	c := &lineCounter{n, make(chan struct{})}
	return c, c.told
}

func (c *lineCounter) Write(p []byte) (int, error) {
	for _, b := range p {
		if b == '\n' {
			if c.rest--; c.rest == 0 {
				defer close(c.told)
			}
		}
	}
	return os.Stdout.Write(p)
}

// Numbers is a queue of numbers, and how many.
type Numbers struct {
	Queue *mp.Queue[int]
	N     int
}

var putNumbers = mp.Register("putNumbers", func(ctx context.Context, in Numbers) (mp.None, error) {
	for i := range in.N {
		if err := in.Queue.Put(ctx, i); err != nil {
			return mp.None{}, err
		}
	}
	return mp.None{}, in.Queue.Close()
})

// Put waits while a queue with a capacity of three is full.
func ExampleQueue_All() {
	ctx := context.Background()
	q, err := mp.NewQueue[int](3)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := mp.Start(ctx, putNumbers, Numbers{q, 10}); err != nil {
		log.Fatal(err)
	}
	for !q.Full() {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond) // it cannot go on
	most := q.Len()
	for n, err := range q.All(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		most = max(most, q.Len())
		fmt.Print(n, " ")
		time.Sleep(time.Millisecond)
	}
	fmt.Println("and never more than", most)
	fmt.Println(mp.JoinAll(ctx))
	// Output:
	// 0 1 2 3 4 5 6 7 8 9 and never more than 3
	// <nil>
}

// Text is written to a queue letter by letter.
type Text struct {
	Queue *mp.Queue[string]
	Text  string
}

var writer = mp.Register("writer", func(ctx context.Context, in Text) (mp.Info, error) {
	for _, letter := range in.Text {
		if err := in.Queue.Put(ctx, string(letter)); err != nil {
			return mp.Current(), err
		}
	}
	return mp.Current(), in.Queue.Close()
})

// Read is what reader has read, and where.
type Read struct {
	Letters []string
	By      mp.Info
}

var reader = mp.Register("reader", func(ctx context.Context, q *mp.Queue[string]) (Read, error) {
	out := Read{By: mp.Current()}
	for letter, err := range q.All(ctx) {
		if err != nil {
			return out, err
		}
		out.Letters = append(out.Letters, letter)
	}
	return out, nil
})

// A queue is passed to the tasks of a pool, which Python allows only by a Manager.
func ExampleQueue_pool() {
	ctx := context.Background()
	fmt.Println("start")
	q, err := mp.NewQueue[string](mp.Unbounded)
	if err != nil {
		log.Fatal(err)
	}
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	wrote, err := mp.Apply(ctx, pool, writer, Text{q, "itcast"})
	if err != nil {
		log.Fatal(err)
	}
	read, err := mp.Apply(ctx, pool, reader, q)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(read.Letters)
	fmt.Println("both have main as their parent:", wrote.ParentPID == os.Getpid(), read.By.ParentPID == os.Getpid())
	fmt.Println("End")
	// Output:
	// start
	// [i t c a s t]
	// both have main as their parent: true true
	// End
}
