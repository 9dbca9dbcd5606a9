package testkit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/gomultiprocessing/mp"
	contract "github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/hooks"
	"github.com/gomultiprocessing/mp/internal/inproc"
	"github.com/gomultiprocessing/mp/internal/key"
)

type remoteLock struct{ RemoteObject }

func (l *remoteLock) Acquire(ctx context.Context) (contract.Grant, error) {
	r, err := l.call(ctx, remoteRequest{Method: "acquire"})
	return contract.Grant{Token: r.Number}, err
}

func (l *remoteLock) TryAcquire() (contract.Grant, bool) {
	r, _ := l.ask("try", 0)
	return contract.Grant{Token: r.Number}, r.OK
}

func (l *remoteLock) Release(token uint64) error {
	_, err := l.ask("release", token)
	return err
}

func (l *remoteLock) Holds(token uint64) bool {
	r, _ := l.ask("holds", token)
	return r.OK
}

func (l *remoteLock) Held() (pid int, held bool) {
	r, _ := l.ask("held", 0)
	return int(r.Number), r.OK
}

func (l *remoteLock) NewCondition() (contract.Condition, error) {
	return nil, fmt.Errorf("mp: a condition of a lock behind a byte pipe: %w", errors.ErrUnsupported)
}

type remoteSemaphore struct{ RemoteObject }

func (s *remoteSemaphore) Acquire(ctx context.Context) (contract.Grant, error) {
	r, err := s.call(ctx, remoteRequest{Method: "acquire"})
	return contract.Grant{Token: r.Number}, err
}

func (s *remoteSemaphore) TryAcquire() (contract.Grant, bool) {
	r, _ := s.ask("try", 0)
	return contract.Grant{Token: r.Number}, r.OK
}

func (s *remoteSemaphore) Return(token uint64) error {
	_, err := s.ask("return", token)
	return err
}

func (s *remoteSemaphore) Release(n int) error {
	_, err := s.ask("release", uint64(n))
	return err
}

func (s *remoteSemaphore) Available() int {
	r, _ := s.ask("available", 0)
	return int(r.Number)
}

type RemoteEvent struct{ RemoteObject }

func (e *RemoteEvent) Set() error {
	_, err := e.ask("set", 0)
	return err
}

func (e *RemoteEvent) Clear() error {
	_, err := e.ask("clear", 0)
	return err
}

func (e *RemoteEvent) IsSet() bool {
	r, _ := e.ask("isset", 0)
	return r.OK
}

func (e *RemoteEvent) Wait(ctx context.Context) error {
	_, err := e.call(ctx, remoteRequest{Method: "wait"})
	return err
}

func (e *RemoteEvent) Watch(notify func()) (stop func()) { return e.watch(notify) }

type remoteValue struct{ RemoteObject }

func (v *remoteValue) Words() int { return int(v.extra) }

func (v *remoteValue) Load(to []uint64) {
	r, _ := v.ask("load", 0)
	copy(to, r.Words)
}

func (v *remoteValue) Begin(ctx context.Context) (token uint64, err error) {
	r, err := v.call(ctx, remoteRequest{Method: "begin"})
	return r.Number, err
}

func (v *remoteValue) Commit(token uint64, from []uint64) error {
	_, err := v.call(context.Background(), remoteRequest{Method: "commit", Number: token, Words: from})
	return err
}

func (v *remoteValue) Cancel(token uint64) { v.ask("cancel", token) }

// remoteQueue carries no descriptors.
type remoteQueue struct{ RemoteObject }

func (q *remoteQueue) Type() uint64 { return q.extra }

func remoteItem(m *contract.Item) []byte { return bytes.Join(m.Pieces, nil) }

func (q *remoteQueue) Put(ctx context.Context, m *contract.Item) error {
	_, err := q.call(ctx, remoteRequest{Method: "put", Data: remoteItem(m)})
	return err
}

func (q *remoteQueue) TryPut(m *contract.Item) error {
	_, err := q.call(context.Background(), remoteRequest{Method: "tryput", Data: remoteItem(m)})
	return err
}

func (q *remoteQueue) Get(ctx context.Context, buf []byte) ([]byte, []*os.File, error) {
	r, err := q.call(ctx, remoteRequest{Method: "get"})
	return append(buf[:0], r.Data...), nil, err
}

func (q *remoteQueue) TryGet(buf []byte) ([]byte, []*os.File, error) {
	r, err := q.ask("tryget", 0)
	return append(buf[:0], r.Data...), nil, err
}

func (q *remoteQueue) number(method string) int {
	r, _ := q.ask(method, 0)
	return int(r.Number)
}

func (q *remoteQueue) is(method string) bool {
	r, _ := q.ask(method, 0)
	return r.OK
}

func (q *remoteQueue) do(ctx context.Context, method string) error {
	_, err := q.call(ctx, remoteRequest{Method: method})
	return err
}

func (q *remoteQueue) Len() int { return q.number("len") }

func (q *remoteQueue) Cap() int { return q.number("cap") }

func (q *remoteQueue) Full() bool { return q.is("full") }

func (q *remoteQueue) Closed() bool { return q.is("closed") }

func (q *remoteQueue) Unfinished() int { return q.number("unfinished") }

func (q *remoteQueue) TaskDone() error { return q.do(context.Background(), "done") }

func (q *remoteQueue) Join(ctx context.Context) error { return q.do(ctx, "join") }

func (q *remoteQueue) Shutdown() error { return q.do(context.Background(), "shutdown") }

func (q *remoteQueue) Readable() bool { return q.is("readable") }

func (q *remoteQueue) Watch(notify func()) (stop func()) { return q.watch(notify) }

func (q *remoteQueue) CloseNow() (dropped int, err error) {
	r, err := q.ask("closenow", 0)
	return int(r.Number), err
}

func (c *RemoteClient) NewLock() (*mp.Lock, error) {
	return hooks.Lock(&remoteLock{c.Make(inproc.NewLock(), remoteIsLock, 0)}).(*mp.Lock), nil
}

func (c *RemoteClient) NewSemaphore(permits int, bounded bool) (*mp.Semaphore, error) {
	if permits < 0 || permits > contract.MaxPermits {
		return nil, fmt.Errorf("%w: %d permits", fs.ErrInvalid, permits)
	}
	o := c.Make(inproc.NewSemaphore(permits, bounded), remoteIsSemaphore, 0)
	return hooks.Semaphore(&remoteSemaphore{o}).(*mp.Semaphore), nil
}

func (c *RemoteClient) NewEvent() (*mp.Event, error) {
	return hooks.Event(&RemoteEvent{c.Make(inproc.NewEvent(), RemoteIsEvent, 0)}).(*mp.Event), nil
}

func NewRemoteValue[T any](v T) (*mp.Value[T], error) {
	return mp.CarryValue(key.Key{}, v, func(words []uint64) (contract.Value, error) {
		return &remoteValue{TheRemote().Make(inproc.NewValue(words), remoteIsValue, uint64(len(words)))}, nil
	})
}

func NewRemoteQueue[T any](capacity int) (*mp.Queue[T], error) {
	number, _ := contract.ItemType[T]()
	o := TheRemote().Make(inproc.NewQueue[[]byte](capacity), remoteIsQueue, number)
	return mp.CarryQueue(key.Key{}, contract.EncodeQueue[T](&remoteQueue{o})), nil
}
