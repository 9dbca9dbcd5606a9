package testkit

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"

	contract "github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/codec"
)

// RemoteClient asks a server by a pipe of bytes.
type RemoteClient struct {
	number uint64
	server *remoteServer // only to make objects
	Pipe   io.Closer

	mu      sync.Mutex
	out     *gob.Encoder
	last    uint64
	waiting map[uint64]chan *remoteReply
	watches map[uint64]func()
	lost    error
}

// RemoteClients are all that there are: an object travels as the number of its client, and its own.
var RemoteClients struct {
	sync.Mutex
	known []*RemoteClient
}

func NewRemoteClient() *RemoteClient {
	here, there := net.Pipe()
	s := &remoteServer{objects: map[uint64]any{}, running: map[uint64]context.CancelFunc{}, stops: map[uint64]func(){}}
	go s.serve(there)
	c := &RemoteClient{server: s, Pipe: here, out: gob.NewEncoder(here), waiting: map[uint64]chan *remoteReply{}, watches: map[uint64]func(){}}
	go c.receive(here)
	RemoteClients.Lock()
	defer RemoteClients.Unlock()
	c.number = uint64(len(RemoteClients.known))
	RemoteClients.known = append(RemoteClients.known, c)
	return c
}

// TheRemote is for the tests of other files.
var TheRemote = sync.OnceValue(NewRemoteClient)

const RemoteKind = contract.KindTest + 1

// receive hands the replies to the calls that wait for them.
func (c *RemoteClient) receive(pipe io.Reader) {
	in := gob.NewDecoder(pipe)
	for {
		r := new(remoteReply)
		err := in.Decode(r)
		c.mu.Lock()
		if err != nil {
			c.lost = fmt.Errorf("%w: the server", contract.ErrLost)
			for _, w := range c.waiting {
				close(w)
			}
			clear(c.waiting)
			c.mu.Unlock()
			return
		}
		if r.Notify {
			if notify := c.watches[r.ID]; notify != nil {
				notify()
			}
		} else if w := c.waiting[r.ID]; w != nil {
			delete(c.waiting, r.ID)
			w <- r
		}
		c.mu.Unlock()
	}
}

// begin sends a request.
func (c *RemoteClient) begin(q *remoteRequest, notify func()) (chan *remoteReply, error) {
	reply := make(chan *remoteReply, 1)
	c.mu.Lock()
	if c.lost != nil {
		defer c.mu.Unlock()
		return nil, c.lost
	}
	c.last++
	q.ID = c.last
	c.waiting[q.ID] = reply
	if notify != nil {
		c.watches[q.ID] = notify
	}
	c.mu.Unlock()
	c.send(q)
	return reply, nil
}

var remoteSend sync.Mutex

// send fails only when the pipe is closed, and then receive ends what waits.
func (c *RemoteClient) send(q *remoteRequest) {
	remoteSend.Lock()
	defer remoteSend.Unlock()
	c.out.Encode(q)
}

// RemoteObject is an object of the server.
type RemoteObject struct {
	client *RemoteClient
	number uint64
	what   byte
	extra  uint64 // its type, or its words
}

const (
	remoteIsLock = iota
	remoteIsSemaphore
	RemoteIsEvent
	remoteIsValue
	remoteIsQueue
)

// Make puts an object into the server.
func (c *RemoteClient) Make(o any, what byte, extra uint64) RemoteObject {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	number := uint64(len(c.server.objects) + 1)
	c.server.objects[number] = o
	return RemoteObject{c, number, what, extra}
}

func (o RemoteObject) Typed() contract.Object {
	switch o.what {
	case remoteIsSemaphore:
		return &remoteSemaphore{o}
	case RemoteIsEvent:
		return &RemoteEvent{o}
	case remoteIsValue:
		return &remoteValue{o}
	case remoteIsQueue:
		return &remoteQueue{o}
	}
	return &remoteLock{o}
}

func (o RemoteObject) Share(b *codec.Buffer) error {
	b.Byte(byte(RemoteKind))
	b.Uvarint(o.client.number)
	b.Uvarint(o.number)
	b.Byte(o.what)
	b.Uvarint(o.extra)
	return nil
}

func (o RemoteObject) Close() error { return nil }

func (o RemoteObject) Err() error {
	o.client.mu.Lock()
	defer o.client.mu.Unlock()
	return o.client.lost
}

// call asks, and gives up when ctx ends: what has happened by then counts.
func (o RemoteObject) call(ctx context.Context, q remoteRequest) (*remoteReply, error) {
	q.Object, q.Ended = o.number, ctx.Err() != nil
	reply, err := o.client.begin(&q, nil)
	if err != nil {
		return new(remoteReply), err
	}
	var r *remoteReply
	select {
	case r = <-reply:
	case <-ctx.Done():
		o.client.send(&remoteRequest{ID: q.ID, Cancel: true})
		r = <-reply
	}
	if r == nil {
		return new(remoteReply), o.Err()
	}
	switch {
	case r.Error == "":
		return r, nil
	case r.Is == remoteEnded:
		if why, more := strings.CutSuffix(r.Error, ": "+context.Canceled.Error()); more {
			return r, fmt.Errorf("%s: %w", why, ctx.Err())
		}
		return r, ctx.Err()
	case r.Exact:
		return r, remoteErrors[r.Is-1]
	case r.Is > 0:
		return r, contract.NewError(strings.TrimPrefix(r.Error, "mp: "), remoteErrors[r.Is-1])
	}
	return r, errors.New(r.Error)
}

// ask is call of a method that does not wait.
func (o RemoteObject) ask(method string, n uint64) (*remoteReply, error) {
	return o.call(context.Background(), remoteRequest{Method: method, Number: n})
}

func (o RemoteObject) watch(notify func()) (stop func()) {
	q := remoteRequest{Method: "watch", Object: o.number}
	reply, err := o.client.begin(&q, notify)
	if err != nil {
		return func() {}
	}
	<-reply
	return func() {
		o.ask("unwatch", q.ID)
		o.client.mu.Lock()
		defer o.client.mu.Unlock()
		delete(o.client.watches, q.ID)
	}
}

func init() {
	AtEnd = append(AtEnd, func() {
		RemoteClients.Lock()
		defer RemoteClients.Unlock()
		for _, c := range RemoteClients.known {
			c.Pipe.Close()
		}
	})
	contract.RegisterOpener(RemoteKind, func(r *codec.Reader) (contract.Object, error) {
		client, object, what := r.Uvarint(), r.Uvarint(), r.Byte()
		extra := r.Uvarint()
		if err := r.Err(); err != nil {
			return nil, err
		}
		RemoteClients.Lock()
		defer RemoteClients.Unlock()
		if client >= uint64(len(RemoteClients.known)) {
			return nil, fmt.Errorf("an object of another process")
		}
		return RemoteObject{RemoteClients.known[client], object, what, extra}.Typed(), nil
	})
}
