package carrier

import (
	"fmt"
	"reflect"

	"github.com/gomultiprocessing/mp/internal/codec"
)

// Object is what every carrier is.
type Object interface {
	// Share writes a Kind, as one byte, and what the opener of that kind needs to open the
	// object elsewhere, with the descriptors. The error says why the object cannot travel.
	Share(b *codec.Buffer) error
	// Err is nil, or why the object cannot be used any more: it is ErrLost, or ErrClosed. It
	// does not wait. A method without an error has answered zero then.
	Err() error
	// Close lets go of this handle of the object. What goes on goes on. It is called once for
	// each handle, and what was acquired can still be released after it.
	Close() error
}

// Kind says how an object that came in a message is opened. 0 is none: it stands for a nil handle.
type Kind byte

// The kinds. Each belongs to one package, which registers its opener.
const (
	KindSharedLock Kind = iota + 1
	KindSharedSemaphore
	KindSharedCondition
	KindSharedEvent
	KindSharedBarrier
	KindSharedQueue
	KindSharedValue
	KindSharedCounter
	KindSharedMemory
	KindPipe
	KindHosted

	// KindTest and the kinds above it are for tests.
	KindTest Kind = 240
)

// openers are set while packages are initialized.
var openers [256]func(r *codec.Reader) (Object, error)

// RegisterOpener makes open the opener of a kind. It reads what Share has written after the kind,
// which another process may have forged. Call it while the program is initialized.
//
// An opener does not know the type of a queue's items or of an array's elements. So it returns a
// ByteQueue, a ByteConn or a Memory, and package mp gives it the type.
func RegisterOpener(k Kind, open func(r *codec.Reader) (Object, error)) {
	if k == 0 || openers[k] != nil {
		panic(fmt.Sprintf("carrier: the kind %d is taken", k))
	}
	openers[k] = open
}

// Open opens what Share wrote. k is the kind that it began with, and C is what the object must be.
func Open[C Object](k Kind, r *codec.Reader) (c C, err error) {
	open := openers[k]
	if open == nil {
		if err := r.Err(); err != nil {
			return c, err
		}
		return c, fmt.Errorf("an object of the kind %d, which this program cannot open", k)
	}
	o, err := open(r)
	if err != nil {
		return c, err
	}
	c, ok := o.(C)
	if !ok {
		o.Close()
		return c, fmt.Errorf("a %T came in the place of a %v", o, reflect.TypeFor[C]())
	}
	return c, nil
}
