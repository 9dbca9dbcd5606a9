package auth

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"time"
)

// The errors of a handshake. Each is an ErrAuthentication by errors.Is.
var (
	ErrAuthentication = errors.New("authentication failed")
	// ErrWrongKey is returned if the peer has another key, or none.
	ErrWrongKey = fmt.Errorf("the peer does not have this key: %w", ErrAuthentication)
	// ErrRejected is returned if the peer did not accept this side's key.
	ErrRejected = fmt.Errorf("the peer rejected this key: %w", ErrAuthentication)
	// ErrMD5 is returned if the peer has MD5 only and Options.MD5 is not set.
	ErrMD5 = fmt.Errorf("the peer has only MD5, as Python up to 3.11, which is not allowed here: %w", ErrAuthentication)
	// ErrEmptyKey is returned for a key of no bytes without Options.EmptyKey.
	ErrEmptyKey = fmt.Errorf("the key is empty, which would let everybody in: %w", ErrAuthentication)
)

// Stream is what a handshake needs of a connection.
type Stream interface {
	io.ReadWriter
	SetDeadline(t time.Time) error
}

// Options are the same for both sides of a handshake.
type Options struct {
	Key      []byte
	EmptyKey bool          // allows a Key of no bytes
	MD5      bool          // allows MD5, for Python up to 3.11
	Timeout  time.Duration // of the whole handshake; 0: none
}

const (
	challenge = "#CHALLENGE#"
	welcome   = "#WELCOME#"
	failure   = "#FAILURE#"

	maxMessage   = 256 // bytes of each message of a handshake
	randomBytes  = 40
	legacyLength = 20 // of a challenge of Python up to 3.11
)

var digests = map[string]func() hash.Hash{
	"md5": md5.New, "sha256": sha256.New, "sha384": sha512.New384,
	"sha3_256": func() hash.Hash { return sha3.New256() },
	"sha3_384": func() hash.Hash { return sha3.New384() },
}

// Accept is the handshake of the side that listened. It blocks until it is over, the
// timeout is, or ctx ends; then, after an error, s should be closed. The deadline of s is
// clear afterwards. Accept costs two round trips. It is safe for concurrent use for
// different streams.
func Accept(ctx context.Context, s Stream, o Options) error {
	return o.limited(ctx, s, o.deliver, o.answer)
}

// Dial is [Accept] for the side that dialled.
func Dial(ctx context.Context, s Stream, o Options) error {
	return o.limited(ctx, s, o.answer, o.deliver)
}

// limited runs both halves until the deadline, which no byte of the peer moves.
func (o Options) limited(ctx context.Context, s Stream, first, second func(Stream) error) error {
	if len(o.Key) == 0 && !o.EmptyKey {
		return ErrEmptyKey
	}
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if o.Timeout > 0 {
		if err := s.SetDeadline(time.Now().Add(o.Timeout)); err != nil {
			return err
		}
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = s.SetDeadline(time.Unix(1, 0)) // wakes whoever reads or writes
		close(ended)
	})
	err := first(s)
	if err == nil {
		err = second(s)
	}
	fired := !stop()
	if fired {
		<-ended // or its deadline would come after the one below
	}
	switch {
	case err != nil && fired:
		err = context.Cause(ctx)
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = fmt.Errorf("the handshake took longer than %v: %w", o.Timeout, err)
	}
	if fired || o.Timeout > 0 {
		if cleared := s.SetDeadline(time.Time{}); err == nil {
			err = cleared
		}
	}
	return err
}

// deliver lets the peer prove that it has the key.
func (o Options) deliver(s Stream) error {
	m := append(make([]byte, 0, 8+randomBytes), "{sha256}"...)
	m = m[:cap(m)]
	if _, err := rand.Read(m[len("{sha256}"):]); err != nil {
		return err
	}
	if err := WriteMessage(s, append([]byte(challenge), m...)); err != nil {
		return err
	}
	response, err := ReadMessage(s, nil, maxMessage)
	if err != nil {
		return during(err)
	}
	if err := o.verify(m, response); err != nil {
		_ = WriteMessage(s, []byte(failure)) // tells why the connection ends, if it can
		return err
	}
	return WriteMessage(s, []byte(welcome))
}

// answer proves to the peer that this side has the key.
func (o Options) answer(s Stream) error {
	m, err := ReadMessage(s, nil, maxMessage)
	if err != nil {
		return during(err)
	}
	m, ok := bytes.CutPrefix(m, []byte(challenge))
	if !ok || len(m) < legacyLength {
		return fmt.Errorf("the peer sent no challenge: %w", ErrAuthentication)
	}
	response, err := o.respond(m)
	if err != nil {
		return err
	}
	if err := WriteMessage(s, response); err != nil {
		return err
	}
	verdict, err := ReadMessage(s, nil, maxMessage)
	switch {
	case err != nil:
		return during(err)
	case string(verdict) != welcome:
		return ErrRejected
	}
	return nil
}

// during is the error of a peer that leaves in the middle of a handshake.
func during(err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the peer closed the connection during the handshake: %w: %w", ErrAuthentication, io.ErrUnexpectedEOF)
	case errors.Is(err, ErrTooLarge):
		return fmt.Errorf("%w: %w", err, ErrAuthentication)
	}
	return err
}

// digest splits a challenge or a response into the name of its digest and the rest. What
// is as long as those of Python up to 3.11 has no name.
func digest(m []byte) (name string, rest []byte, ok bool) {
	if len(m) == md5.Size || len(m) == legacyLength {
		return "", m, true
	}
	if len(m) == 0 || m[0] != '{' {
		return "", nil, false
	}
	end := bytes.IndexByte(m[:min(len(m), len("{sha3_384}"))], '}')
	if end < 0 {
		return "", nil, false
	}
	name = string(m[1:end])
	return name, m[end+1:], digests[name] != nil
}

// respond is the answer to a challenge.
func (o Options) respond(m []byte) ([]byte, error) {
	name, _, ok := digest(m)
	switch {
	case !ok:
		return nil, fmt.Errorf("the peer's challenge has no digest that is known here: %w", ErrAuthentication)
	case (name == "" || name == "md5") && !o.MD5:
		return nil, ErrMD5
	case name == "":
		return o.mac("md5", m), nil
	}
	return append([]byte("{"+name+"}"), o.mac(name, m)...), nil
}

// mac is the HMAC of the whole challenge, the name of its digest included.
func (o Options) mac(name string, m []byte) []byte {
	h := hmac.New(digests[name], o.Key)
	h.Write(m)
	return h.Sum(nil)
}

// verify checks the answer to the challenge m, in constant time. The peer chooses the
// digest: Python up to 3.11 answers with MD5, whatever m says.
func (o Options) verify(m, response []byte) error {
	name, got, ok := digest(response)
	switch {
	case !ok:
		return ErrWrongKey
	case name == "":
		name = "md5"
	}
	if name == "md5" && !o.MD5 {
		return ErrMD5
	}
	if !hmac.Equal(got, o.mac(name, m)) {
		return ErrWrongKey
	}
	return nil
}
