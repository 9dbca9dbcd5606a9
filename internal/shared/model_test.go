//go:build linux

package shared_test

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/gomultiprocessing/mp/internal/shared"
)

func init() {
	// The puppet does what it reads, and writes what came of it. None of it waits.
	roles["puppet"] = func(files []*os.File, _ []string) {
		l, plain, bounded, b := openLock(files[0]), openSemaphore(files[1]), openSemaphore(files[2]), openBarrier(files[4])
		e, err := shared.OpenEvent(files[3])
		must(err)
		semaphores := []*shared.Semaphore{plain, bounded}
		var token uint64
		for lines := bufio.NewScanner(files[5]); lines.Scan(); {
			var what string
			var i, n int
			fmt.Sscan(lines.Text(), &what, &i, &n)
			var came any
			switch what {
			case "lock":
				g, ok := l.TryAcquire()
				if ok {
					token = g.Token
				}
				came = fmt.Sprint(ok, " ", g.Token, " ", g.Abandoned)
			case "unlock":
				came = l.Release(token) == nil
			case "locked":
				came = l.Locked()
			case "take":
				_, came = semaphores[i].TryAcquire()
			case "return":
				came = semaphores[i].Return(0) == nil
			case "release":
				came = semaphores[i].Release(n) == nil
			case "available":
				came = semaphores[i].Available()
			case "set":
				e.Set()
			case "clear":
				e.Clear()
			case "isset":
				came = e.IsSet()
			case "abort":
				b.Abort()
			case "reset":
				b.Reset()
			case "broken":
				came = b.Broken()
			}
			fmt.Fprintln(files[6], came)
		}
	}
}

// puppet is a child that does what it is told.
type puppet struct {
	*child
	in  *os.File
	out *bufio.Reader
}

func newPuppet(t *testing.T, files []*os.File) *puppet {
	inR, inW, err := os.Pipe()
	must(err)
	outR, outW, err := os.Pipe()
	must(err)
	p := &puppet{play(t, "puppet", append(files[:len(files):len(files)], inR, outW)), inW, bufio.NewReader(outR)}
	inR.Close()
	outW.Close()
	t.Cleanup(func() { inW.Close(); outR.Close() })
	return p
}

func (p *puppet) do(t *rapid.T, format string, args ...any) string {
	fmt.Fprintf(p.in, format+"\n", args...)
	came, err := p.out.ReadString('\n')
	if err != nil {
		t.Fatalf("%s: %v", fmt.Sprintf(format, args...), err)
	}
	return came[:len(came)-1]
}

// books are what the objects should be like.
type books struct {
	owner     int // -1: nobody
	last      []uint64
	token     uint64
	abandoned bool
	total     [2]int
	held      [2][]int
	set       bool
	broken    bool
}

const puppetPermits = 2

func (m *books) available(i int) int {
	n := m.total[i]
	for _, h := range m.held[i] {
		n -= h
	}
	if i == 1 {
		n = min(n, puppetPermits)
	}
	return n
}

func TestLocksAgainstAModel(t *testing.T) {
	t.Parallel()
	var runs atomic.Int32
	rapid.Check(t, func(r *rapid.T) {
		if runs.Add(1) > 12 {
			return // each takes some processes
		}
		const crew = 3
		l, e, b := newLock(t), newEvent(t), newBarrier(t, 2)
		plain, bounded := newSemaphore(t, puppetPermits, false), newSemaphore(t, puppetPermits, true)
		files := []*os.File{l.File(), plain.File(), bounded.File(), e.File(), b.File()}
		defer func() { runtime.KeepAlive([]any{l, plain, bounded, e, b}) }()
		var team [crew]*puppet
		for i := range team {
			team[i] = newPuppet(t, files)
			defer func() { team[i].kill() }()
		}
		m := &books{owner: -1, last: make([]uint64, crew), total: [2]int{puppetPermits, puppetPermits}, held: [2][]int{make([]int, crew), make([]int, crew)}}
		want := func(came, what any, did string) {
			if came != fmt.Sprint(what) {
				r.Fatalf("%s: %v, want %v", did, came, what)
			}
		}
		for range 150 {
			who, i := rapid.IntRange(0, crew-1).Draw(r, "who"), rapid.IntRange(0, 1).Draw(r, "which")
			p := team[who]
			switch what := rapid.SampledFrom([]string{"lock", "lock", "unlock", "locked", "take", "take", "return", "release", "available", "set", "clear", "isset", "abort", "reset", "broken", "kill"}).Draw(r, "what"); what {
			case "lock":
				m.lock(want, p.do(r, "lock"), who)
			case "unlock":
				held := m.owner == who && m.last[who] == m.token
				want(p.do(r, "unlock"), held, what)
				if held {
					m.owner, m.abandoned = -1, false
				}
			case "locked":
				want(p.do(r, "locked"), m.owner >= 0, what)
			case "take":
				ok := m.available(i) > 0
				m.trim(i)
				want(p.do(r, "take %d", i), ok, what)
				if ok {
					m.held[i][who]++
				}
			case "return":
				if m.held[i][who] == 0 {
					continue
				}
				ok := i == 0 || m.available(i) < puppetPermits
				want(p.do(r, "return %d", i), ok, what)
				if ok {
					m.held[i][who]--
				}
			case "release":
				n := rapid.IntRange(1, 2).Draw(r, "n")
				m.trim(i)
				ok := i == 0 || m.available(i)+n <= puppetPermits
				want(p.do(r, "release %d %d", i, n), ok, what)
				if ok {
					m.total[i] += n
				}
			case "available":
				want(p.do(r, "available %d", i), m.available(i), what)
			case "set", "clear", "abort", "reset":
				p.do(r, "%s", what)
				m.set = what == "set" || m.set && what != "clear"
				m.broken = what == "abort" || m.broken && what != "reset"
			case "isset":
				want(p.do(r, "isset"), m.set, what)
			case "broken":
				want(p.do(r, "broken"), m.broken, what)
			case "kill":
				if rapid.IntRange(0, 5).Draw(r, "really") > 0 {
					continue
				}
				p.kill()
				m.bury(who)
				team[who] = newPuppet(t, files)
			}
		}
	})
}

func (m *books) lock(want func(came, what any, did string), came string, who int) {
	if m.owner >= 0 {
		want(came, "false 0 false", "lock")
		return
	}
	m.token++
	m.owner, m.last[who] = who, m.token
	want(came, fmt.Sprint(true, " ", m.token, " ", m.abandoned), "lock")
	m.abandoned = false
}

// trim is what whoever acquires does with what the dead gave back beyond the bound.
func (m *books) trim(i int) {
	held := 0
	for _, h := range m.held[i] {
		held += h
	}
	if i == 1 && m.total[i]-held > puppetPermits {
		m.total[i] = held + puppetPermits
	}
}

// bury gives back what one had.
func (m *books) bury(who int) {
	if m.owner == who {
		m.owner, m.abandoned = -1, true
	}
	m.last[who] = 0
	m.held[0][who], m.held[1][who] = 0, 0
}
