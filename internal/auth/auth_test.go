package auth_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp/internal/auth"
)

// both runs a handshake between two ends and returns their errors.
func both(listener, dialler auth.Options) (accepted, dialled error) {
	a, b := net.Pipe()
	done := make(chan error)
	go func() {
		err := auth.Accept(context.Background(), a, listener)
		_ = a.Close()
		done <- err
	}()
	dialled = auth.Dial(context.Background(), b, dialler)
	_ = b.Close()
	return <-done, dialled
}

func TestHandshake(t *testing.T) {
	t.Parallel()
	key := func(s string) auth.Options { return auth.Options{Key: []byte(s)} }
	for _, c := range []struct {
		listener, dialler auth.Options
		accepted, dialled error
	}{
		{key("k"), key("k"), nil, nil},
		{key("k"), key("l"), auth.ErrWrongKey, auth.ErrRejected},
		{auth.Options{EmptyKey: true}, auth.Options{EmptyKey: true}, nil, nil},
		{auth.Options{EmptyKey: true}, key("k"), auth.ErrWrongKey, auth.ErrRejected},
		{auth.Options{}, key("k"), auth.ErrEmptyKey, auth.ErrAuthentication},
	} {
		accepted, dialled := both(c.listener, c.dialler)
		if !errors.Is(accepted, c.accepted) || !errors.Is(dialled, c.dialled) || (accepted == nil) != (c.accepted == nil) {
			t.Errorf("%+v: %v and %v", c, accepted, dialled)
		}
		if c.accepted != nil && !errors.Is(accepted, auth.ErrAuthentication) {
			t.Errorf("%v is no ErrAuthentication", accepted)
		}
	}
}

// The vectors are CPython's, with the key abracadabra.
func TestAnswersToChallenges(t *testing.T) {
	t.Parallel()
	counted := func(prefix string, n int) []byte {
		m := []byte(prefix)
		for i := range n {
			m = append(m, byte(i))
		}
		return m
	}
	for _, c := range []struct {
		challenge    []byte
		prefix, want string
	}{
		{counted("", 20), "", "ff63d69f0d1055b99f32d588bd840b74"},
		{counted("{md5}", 40), "{md5}", "f70bfd024a752d679558d6e9b3d092f6"},
		{counted("{sha256}", 40), "{sha256}", "536016a8c32ca9231522a6e91ddbbd637ba292f333e6fd43599971f107db3002"},
		{counted("{sha384}", 40), "{sha384}", "9c51813cba2114994bc8e6d2537383996326f80de6f0964017d800aa31b1fdff7794f0c73f9bfb151e242ff6de6a256b"},
		{counted("{sha3_256}", 40), "{sha3_256}", "0e54ef968cbfdb4b61e5e6b129fd16902d209abcb02b4cd38f262af77b284f3d"},
		{counted("{sha3_384}", 40), "{sha3_384}", "d115a2144989ca46a7d66205043eb6a83d557340c1525ce0b54b7e75fbfb7d73332e7288b0029d047c9a4f3d4a0871ba"},
		{counted("{sha512}", 40), "", ""}, {counted("", 19), "", ""}, {counted("{sha256", 40), "", ""},
	} {
		a, b := net.Pipe()
		done := make(chan error)
		go func() {
			err := auth.Dial(context.Background(), b, auth.Options{Key: []byte("abracadabra"), MD5: true})
			_ = b.Close()
			done <- err
		}()
		if err := auth.WriteMessage(a, append([]byte("#CHALLENGE#"), c.challenge...)); err != nil {
			t.Fatal(err)
		}
		got, err := auth.ReadMessage(a, nil, 256)
		_ = a.Close()
		want, _ := hex.DecodeString(c.want)
		if c.want != "" && (err != nil || string(got) != c.prefix+string(want)) {
			t.Errorf("%q: %q, %v", c.challenge, got, err)
		}
		if err := <-done; !errors.Is(err, auth.ErrAuthentication) {
			t.Errorf("%q: %v", c.challenge, err)
		}
	}
}

func TestLateAndLongPeers(t *testing.T) {
	t.Parallel()
	o := auth.Options{Key: []byte("k"), Timeout: 10 * time.Second}
	for name, play := range map[string]func(net.Conn){
		"silent": func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
		"a byte a second": func(c net.Conn) {
			go func() { _, _ = io.Copy(io.Discard, c) }()
			for i := 0; ; i++ {
				if _, err := c.Write([]byte{"\x00\x00\x00\xc8x"[min(i, 4)]}); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			a, b := net.Pipe()
			done := make(chan struct{})
			go func() { play(b); close(done) }()
			start := time.Now()
			err := auth.Accept(context.Background(), a, o)
			if took := time.Since(start); !errors.Is(err, os.ErrDeadlineExceeded) || took != 10*time.Second {
				t.Errorf("%s: %v after %v", name, err, took)
			}
			_, _ = a.Close(), b.Close()
			<-done
		})
	}
	a, b := net.Pipe()
	go func() { _, _ = b.Write(auth.AppendHeader(nil, 1<<20)) }()
	if err := auth.Dial(context.Background(), a, o); !errors.Is(err, auth.ErrTooLarge) || !errors.Is(err, auth.ErrAuthentication) {
		t.Error(err)
	}
}

func TestEndOfCtx(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		defer b.Close()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := auth.Dial(ctx, a, auth.Options{Key: []byte("k"), Timeout: time.Minute}); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		// The deadline is clear: a later use waits.
		done := make(chan struct{})
		go func() {
			time.Sleep(time.Hour)
			_, _ = b.Write([]byte("x"))
			close(done)
		}()
		if _, err := a.Read(make([]byte, 1)); err != nil {
			t.Error(err)
		}
		<-done
	})
}

func TestFrames(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 16384, 16385, 65536, 300000} {
		message := bytes.Repeat([]byte("x"), n)
		var b bytes.Buffer
		if err := auth.WriteMessage(&b, message); err != nil {
			t.Fatal(err)
		}
		if err := auth.WriteMessage(&b, []byte("next")); err != nil {
			t.Fatal(err)
		}
		r := iotest.HalfReader(&b)
		got, err := auth.ReadMessage(r, []byte("head"), int64(n))
		if err != nil || string(got) != "head"+string(message) {
			t.Errorf("%d: %d, %v", n, len(got), err)
		}
		if got, err = auth.ReadMessage(r, nil, 4); err != nil || string(got) != "next" {
			t.Errorf("%q, %v", got, err)
		}
		if _, err = auth.ReadMessage(r, nil, 4); err != io.EOF {
			t.Error(err)
		}
	}
	if got := auth.AppendHeader(nil, 1<<31-1); string(got) != "\x7f\xff\xff\xff" {
		t.Errorf("%x", got)
	}
}

func TestFramesThatLie(t *testing.T) {
	t.Parallel()
	const large = "\xff\xff\xff\xff\x00\x00\x00\x00"
	for _, c := range []struct {
		in    string
		limit int64
		want  error
	}{
		{"\x00\x00", 10, io.ErrUnexpectedEOF}, {"\x00\x00\x00\x05abc", 10, io.ErrUnexpectedEOF}, {"\xff\xff\xff\xff\x00", 10, io.ErrUnexpectedEOF},
		{"\x00\x00\x00\x0b", 10, auth.ErrTooLarge}, {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 1 << 40, auth.ErrTooLarge},
		{"\xff\xff\xff\xfe", 10, nil}, {large + "\x00\x00\x00\x02ab", 10, nil},
	} {
		got, err := auth.ReadMessage(bytes.NewReader([]byte(c.in)), nil, c.limit)
		if c.want != nil && !errors.Is(err, c.want) || err == nil && string(got) != "ab" {
			t.Errorf("%q: %q, %v", c.in, got, err)
		}
	}
}

// Not parallel: the memory of the whole process is measured.
func TestAnnouncedLengthCostsNothing(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := auth.ReadMessage(bytes.NewReader([]byte("\x7f\xff\xff\xffabc")), nil, 1<<31)
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d bytes for 3 that came, %v", got, err)
	}
}
