package hosted

import (
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

// Conn is a connection whose peer is authenticated, such as a net.Conn. Close has Read and Write return.
type Conn = io.ReadWriteCloser

const (
	writeChunk  = 256 << 10 // is written at once; a peer that takes none of it for a heartbeat is given up
	maxUnsent   = 4 << 20   // bytes; with more waiting to be written, senders wait
	keptUnsent  = 64 << 10  // memory that is kept for the next frames
	beats       = 8         // in a heartbeat: silence is measured in them
	beatsOfPing = 2
)

var errSilent = errors.New("nothing came from it for a whole heartbeat")
var errStuck = errors.New("it does not take what is sent to it")

// link is one side of a connection. It combines what is sent: while one goroutine writes, the others leave
// their frames behind, and all of them go out with the next write.
type link struct {
	conn Conn
	max  int // bytes of a frame that the peer takes

	mu      sync.Mutex
	room    sync.Cond // there is some in unsent again, or err
	unsent  []byte
	spare   []byte
	writing bool
	err     error // why nothing can be sent any more

	heard   atomic.Bool   // something came since the last beat
	inWrite atomic.Bool   // a write goes on
	writes  atomic.Uint32 // that have ended
	silent  int           // beats; of the goroutine that calls beat
	stuck   int           // beats
	written uint32        // writes at the last beat
}

func newLink(c Conn) *link {
	if t, ok := c.(interface{ SetKeepAlive(bool) error }); ok {
		t.SetKeepAlive(true)
	}
	l := &link{conn: c, max: int(maxFrame)}
	l.room.L = &l.mu
	return l
}

func (l *link) arrived() { l.heard.Store(true) }

// beat is called several times per heartbeat. It returns why the peer is to be given up.
func (l *link) beat() error {
	if l.silent++; l.heard.Swap(false) {
		l.silent = 0
	}
	writes := l.writes.Load()
	if l.stuck++; writes != l.written || !l.inWrite.Load() {
		l.stuck = 0
	}
	l.written = writes
	switch {
	case l.silent > beats:
		return errSilent
	case l.stuck > beats:
		return errStuck
	}
	return nil
}

// fail has all that is sent from now on fail, and closes the connection.
func (l *link) fail(err error) {
	l.mu.Lock()
	if l.err == nil {
		l.err = err
	}
	l.room.Broadcast()
	l.mu.Unlock()
	l.conn.Close()
}

// send sends a frame, whose data the pieces follow. Unless it is to be flushed, somebody has to call flush.
// It waits while much is unsent.
func (l *link) send(f *frame, pieces [][]byte, flush bool) error {
	l.mu.Lock()
	for len(l.unsent) > maxUnsent && l.err == nil {
		if l.writing {
			l.room.Wait()
		} else {
			l.write()
		}
	}
	if l.err != nil {
		defer l.mu.Unlock()
		return l.err
	}
	start := len(l.unsent)
	b := f.append(append(l.unsent, 0, 0, 0, 0))
	for _, p := range pieces {
		b = append(b, p...)
	}
	size := len(b) - start - lengthSize
	if size > l.max {
		l.unsent = b[:start]
		l.mu.Unlock()
		return tooLarge(size, l.max)
	}
	binary.BigEndian.PutUint32(b[start:], uint32(size))
	l.unsent = b
	if flush && !l.writing {
		l.write()
	}
	l.mu.Unlock()
	return nil
}

// flush writes what is unsent, unless somebody is about to.
func (l *link) flush() {
	l.mu.Lock()
	if !l.writing && len(l.unsent) > 0 {
		l.write()
	}
	l.mu.Unlock()
}

// write writes what is unsent, and leaves what came meanwhile to a goroutine of its own, so that nobody
// writes for others for long. The mutex is held, but not during the write.
func (l *link) write() {
	l.writing = true
	if l.writeOnce(); len(l.unsent) == 0 || l.err != nil {
		l.writing = false
		return
	}
	go func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		for len(l.unsent) > 0 && l.err == nil {
			l.writeOnce()
		}
		l.writing = false
		l.room.Broadcast()
	}()
}

func (l *link) writeOnce() {
	b := l.unsent
	l.unsent, l.spare = l.spare, nil
	l.mu.Unlock()
	err := l.writeChunks(b)
	l.mu.Lock()
	if cap(b) <= keptUnsent {
		l.spare = b[:0]
	}
	if err != nil && l.err == nil {
		l.err = err
		l.conn.Close() // has whoever reads return
	}
	l.room.Broadcast()
}

func (l *link) writeChunks(b []byte) error {
	l.inWrite.Store(true)
	defer l.inWrite.Store(false)
	for len(b) > 0 {
		n, err := l.conn.Write(b[:min(len(b), writeChunk)])
		if err != nil {
			return err
		}
		b = b[n:]
		l.writes.Add(1)
	}
	return nil
}

// broken says whether nothing can be sent any more.
func (l *link) broken() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err != nil
}
