//go:build linux

package pipe_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// connItem is message i of a stream: all can be told from i.
func connItem(i int) []byte {
	size := i * 7919 % 5000
	if i%20 == 0 {
		size *= 60
	}
	b := bytes.Repeat([]byte{byte(i)}, 8+size)
	binary.LittleEndian.PutUint64(b, uint64(i))
	return b
}

func connCheck(b []byte, i int) error {
	if !bytes.Equal(b, connItem(i)) {
		return fmt.Errorf("%d bytes that begin with % x are not message %d", len(b), b[:min(len(b), 16)], i)
	}
	return nil
}

var (
	connStream = mp.Register("conn/stream", func(ctx context.Context, c *mp.Conn[[]byte]) (mp.None, error) {
		for i := 0; ; i++ {
			if err := c.Send(ctx, connItem(i)); err != nil {
				return mp.None{}, err
			}
		}
	})
	connSink = mp.Register("conn/sink", func(ctx context.Context, c *mp.Conn[[]byte]) (mp.None, error) {
		for i := 0; ; i++ {
			b, err := c.Recv(ctx)
			if err == nil {
				err = connCheck(b, i)
			}
			if err == nil {
				err = c.SendBytes(ctx, b[:8])
			}
			if err != nil {
				return mp.None{}, err
			}
		}
	})
	connEchoBytes = mp.Register("conn/echobytes", func(ctx context.Context, c *mp.Conn[[]byte]) (mp.None, error) {
		for {
			b, err := c.Recv(ctx)
			if err == nil {
				err = c.Send(ctx, b)
			}
			if err != nil {
				return mp.None{}, err
			}
		}
	})
)

// killSoon kills p at a random instant.
func killSoon(p *mp.Process) {
	time.AfterFunc(time.Duration(rand.IntN(10_000))*time.Microsecond, func() { p.Kill() })
}

// A sender that is killed leaves whole messages in order, and then end of file.
func TestConnSenderIsKilled(t *testing.T) {
	ctx := testkit.Ctx(t)
	most := 0
	for range testkit.Times(50, 500) {
		a, b := newConns[[]byte](t)
		p, err := mp.Start(ctx, connStream, b)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; ; i++ {
			got, err := a.Recv(ctx)
			if err == io.EOF {
				break
			}
			if err == nil {
				err = connCheck(got, i)
			}
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				killSoon(p)
			}
			most = max(most, i)
		}
		a.Close()
		p.Join(ctx)
	}
	if most < 20 {
		t.Errorf("at most %d messages came: nothing was tested", most)
	}
}

// A receiver that is killed: the sender is told at once, and what was answered was in order.
func TestConnReceiverIsKilled(t *testing.T) {
	ctx := testkit.Ctx(t)
	for range testkit.Times(50, 500) {
		a, b := newConns[[]byte](t)
		p, err := mp.Start(ctx, connSink, b)
		if err != nil {
			t.Fatal(err)
		}
		var sent atomic.Int64
		failed := make(chan error, 1)
		go func() {
			for {
				if err := a.Send(ctx, connItem(int(sent.Load()))); err != nil {
					failed <- err
					return
				}
				sent.Add(1)
			}
		}()
		answered := int64(0)
		for ; ; answered++ {
			got, err := a.RecvBytes(ctx, 8)
			if err == io.EOF {
				break
			}
			if err != nil || int64(binary.LittleEndian.Uint64(got)) != answered {
				t.Fatal(got, err)
			}
			if answered == 0 {
				killSoon(p)
			}
		}
		if err := <-failed; !errors.Is(err, io.ErrClosedPipe) {
			t.Error(err)
		}
		if answered > sent.Load()+1 {
			t.Errorf("%d answers to %d messages", answered, sent.Load())
		}
		a.Close()
		p.Join(ctx)
	}
}
