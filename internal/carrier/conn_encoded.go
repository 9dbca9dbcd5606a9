package carrier

import (
	"context"
	"os"
	"sync"

	"github.com/gomultiprocessing/mp/internal/codec"
)

// encodedConn encodes its messages, and has what takes bytes carry them.
type encodedConn[T any] struct {
	ConnState
	end ByteConn // the same
}

// EncodeConn makes a Conn of a ByteConn, by the codec of this module.
func EncodeConn[T any](e ByteConn) Conn[T] {
	if _, carries := ItemType[T](); !carries {
		e.NoDescriptors()
	}
	return encodedConn[T]{e, e}
}

var connBuffers = sync.Pool{New: func() any { return new(codec.Buffer) }}

// parts collects the pieces of a message without copying them.
type parts [][]byte

func (p *parts) Write(piece []byte) (int, error) {
	*p = append(*p, piece)
	return len(piece), nil
}

func (c encodedConn[T]) Send(ctx context.Context, v T) error {
	if !c.end.Sends() {
		return ErrReceivesOnly
	}
	b := connBuffers.Get().(*codec.Buffer)
	sent, returned := false, false
	defer func() { // also when a method of v ends the goroutine
		b.Settle(sent)
		if returned {
			b.Reset()
			connBuffers.Put(b)
		}
	}()
	err := codec.For[T]().Encode(b, "message", &v)
	if err == nil {
		err = c.send(ctx, b)
	}
	sent, returned = err == nil, true
	return err
}

// send sends the message that is in b.
func (c encodedConn[T]) send(ctx context.Context, b *codec.Buffer) error {
	var message parts
	b.WriteTo(&message)
	var files []*os.File
	for _, a := range b.Attachments() {
		files = append(files, a.File)
	}
	return c.end.Send(ctx, ValueMessage, message, files)
}

func (c encodedConn[T]) Recv(ctx context.Context) (T, error) {
	var v, none T
	m, err := c.end.Receive(ctx, ValueMessage, -1)
	if err != nil {
		return none, err
	}
	r := codec.NewReader(m.Data)
	r.Alias = true
	r.Attached(m.Files)
	defer r.CloseAttached()
	if err := codec.For[T]().Decode(r, &v); err != nil {
		return none, err
	}
	if err := r.Done(); err != nil {
		return none, err
	}
	return v, nil
}

func (c encodedConn[T]) SendBytes(ctx context.Context, p []byte) error {
	return c.end.Send(ctx, BytesMessage, [][]byte{p}, nil)
}

func (c encodedConn[T]) RecvBytes(ctx context.Context, limit int) ([]byte, error) {
	m, err := c.end.Receive(ctx, BytesMessage, limit)
	if err != nil {
		return nil, err
	}
	return m.Data, nil
}
