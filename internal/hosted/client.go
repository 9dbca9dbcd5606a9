package hosted

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
)

// ClientConfig says how a client uses its server. The zero ClientConfig is ready to use.
type ClientConfig struct {
	Name      string        // for messages; "": none
	Address   string        // of the server, which travels with references: see SetConnector
	Heartbeat time.Duration // how long the server may be silent, or take nothing, before it is lost; 0: 10 s
	Limit     time.Duration // of calls that do not wait, and of cancelling one that does: a server that takes longer is lost; 0: 5 s
}

// Client is a connection to a server. Its methods, and those of its objects, may be called by any number of
// goroutines. When the connection has ended, all of them are carrier.ErrLost.
type Client struct {
	cfg    ClientConfig
	link   *link
	server serverHello
	over   sync.WaitGroup // of its two goroutines
	beat   time.Duration
	beats  atomic.Uint32 // that have passed

	mu      sync.Mutex
	last    uint64
	calls   map[uint64]*call
	watches map[uint64]func()
	objects map[ID]*entry
	lost    error         // once the connection has ended
	ended   chan struct{} // is closed then
}

// NewClient begins to use a server over an authenticated connection, which belongs to the client from then on. When
// ctx ends before the server has answered, the error is ctx's.
func NewClient(ctx context.Context, conn Conn, cfg ClientConfig) (*Client, error) {
	if cfg.Heartbeat <= 0 {
		cfg.Heartbeat = 10 * time.Second
	}
	if cfg.Limit <= 0 {
		cfg.Limit = 5 * time.Second
	}
	hello, err := greetServer(ctx, conn, cfg)
	if err != nil {
		conn.Close()
		return nil, err
	}
	c := &Client{
		cfg: cfg, link: newLink(conn), server: hello, calls: map[uint64]*call{}, watches: map[uint64]func(){},
		objects: map[ID]*entry{}, ended: make(chan struct{}), beat: max(min(cfg.Heartbeat, hello.heartbeat)/beats, time.Millisecond),
	}
	c.link.max = hello.max + frameSlack
	remember(c)
	c.over.Go(c.receive)
	c.over.Go(c.keepTime)
	return c, nil
}

func greetServer(ctx context.Context, conn Conn, cfg ClientConfig) (hello serverHello, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.Heartbeat, errSilent)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	err = writeHello(conn, clientHello{os.Getpid(), cfg.Name}.append(nil))
	var message []byte
	if err == nil {
		message, err = readHello(conn)
	}
	switch inTime := stop(); {
	case !inTime:
		return hello, fmt.Errorf("mp: the server does not answer: %w", context.Cause(ctx))
	case err != nil:
		return hello, fmt.Errorf("mp: the server ended the connection before it answered: %w", err)
	}
	return hello, hello.decode(message)
}

// Server is the ID of the server.
func (c *Client) Server() ID { return c.server.id }

// Err is nil while the connection lasts, and then an error that is carrier.ErrLost and says why it ended.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lost
}

// Lost is closed when the connection has ended.
func (c *Client) Lost() <-chan struct{} { return c.ended }

// Close ends the connection: the server lets go of all that this client has.
func (c *Client) Close() error {
	c.lose(errors.New("the connection was closed here"))
	c.over.Wait()
	return nil
}

// lose ends the connection, and all that waits for the server.
func (c *Client) lose(why error) {
	c.mu.Lock()
	if c.lost != nil {
		c.mu.Unlock()
		return
	}
	if errors.Is(why, io.EOF) || errors.Is(why, io.ErrUnexpectedEOF) {
		why = errors.New("it ended, or ended the connection")
	}
	c.lost = carrier.NewError(fmt.Sprintf("lost: the server%s: %v", c.at(), why), carrier.ErrLost)
	calls, watches := c.calls, c.watches
	c.calls, c.watches = nil, nil
	close(c.ended)
	c.mu.Unlock()
	forget(c)
	c.link.fail(c.lost)
	for _, call := range calls {
		call.events <- eventLost
	}
	for _, notify := range watches {
		notify()
	}
}

func (c *Client) at() string {
	if c.cfg.Address == "" {
		return ""
	}
	return " at " + c.cfg.Address
}

// receive takes what the server sends to whom it is for.
func (c *Client) receive() {
	frames := newFrameReader(c.link.conn, c.link.max, c.link.arrived)
	var f frame
	for {
		b, owned, err := frames.next()
		if err == nil {
			err = f.decode(b)
		}
		if err != nil {
			c.lose(err)
			return
		}
		f.owned = owned
		switch f.op {
		case opReply, opError:
			c.mu.Lock()
			call := c.calls[f.id]
			delete(c.calls, f.id)
			c.mu.Unlock()
			if call != nil {
				call.take(&f)
				call.events <- eventReply
			}
		case opAct:
			c.mu.Lock()
			call := c.calls[f.id]
			c.mu.Unlock()
			if call != nil && call.act != nil && !call.acted {
				call.acted = true
				call.events <- eventAct
			}
		case opNotify:
			c.mu.Lock()
			if notify := c.watches[f.id]; notify != nil {
				notify()
			}
			c.mu.Unlock()
		}
	}
}

// keepTime sends pings, and finds out that the server is silent, stuck, or does not answer.
func (c *Client) keepTime() {
	tick := time.NewTicker(c.beat)
	defer tick.Stop()
	own := max(1, int(c.cfg.Heartbeat/beats/c.beat)) // the server's heartbeat may be shorter
	limit := uint32(max(1, (c.cfg.Limit+c.beat-1)/c.beat))
	for n := 1; ; n++ {
		select {
		case <-c.ended:
			return
		case <-tick.C:
		}
		now := c.beats.Add(1)
		if n%beatsOfPing == 0 {
			go c.link.send(&frame{op: opPing}, nil, true) // may wait
		}
		if n%own == 0 {
			if err := c.link.beat(); err != nil {
				c.lose(err)
				return
			}
		}
		if c.overdue(now, limit) {
			c.lose(fmt.Errorf("it did not answer within %v", c.cfg.Limit))
			return
		}
	}
}

// overdue says whether a call that does not wait has no answer after so many beats.
func (c *Client) overdue(now, limit uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, call := range c.calls {
		if began := call.began.Load(); began != 0 && now-began > limit {
			return true
		}
	}
	return false
}
