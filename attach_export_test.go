package mp

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/codec"
)

// FileHandle is an object of one descriptor, which travels as an attachment.
type FileHandle struct{ File *os.File }

func (h *FileHandle) share(b *codec.Buffer) error {
	if h.File == nil {
		return os.ErrClosed
	}
	b.Byte(byte(carrier.KindTest))
	b.Attach(codec.Attachment{File: h.File})
	return nil
}

func (h *FileHandle) adopt(_ carrier.Kind, r *codec.Reader) error {
	h.File = r.TakeFile()
	return r.Err()
}

// MovedFile is one that leaves its process.
type MovedFile struct {
	mu   sync.Mutex
	file *os.File
	gone bool
	// Settled counts what became of the attachment: sent and given up.
	Sent, GivenUp int
}

// MoveFile makes a MovedFile.
func MoveFile(f *os.File) *MovedFile { return &MovedFile{file: f} }

func (m *MovedFile) moves() {}

func (m *MovedFile) share(b *codec.Buffer) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.gone || m.file == nil {
		return fmt.Errorf("%w: it was passed on", ErrClosed)
	}
	m.gone = true
	once := false
	b.Byte(byte(carrier.KindTest))
	b.Attach(codec.Attachment{File: m.file, Settled: func(sent bool) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if once {
			panic("settled twice")
		}
		once = true
		if sent {
			m.Sent++
			m.file.Close()
			m.file = nil
		} else {
			m.GivenUp++
			m.gone = false
		}
	}})
	return nil
}

func (m *MovedFile) adopt(_ carrier.Kind, r *codec.Reader) error {
	m.file = r.TakeFile()
	return r.Err()
}

// File is the descriptor; an error says that it has left.
func (m *MovedFile) File() (*os.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.gone || m.file == nil {
		return nil, errors.New("gone")
	}
	return m.file, nil
}

// Counts is how often it was sent and given up.
func (m *MovedFile) Counts() (sent, givenUp int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.Sent, m.GivenUp
}
