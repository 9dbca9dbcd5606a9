package hosted

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/codec"
)

// A reference travels as the ID of the server, its address, the ID of the object, and a lease. The other side opens
// it through a client of that server, which it has or which the connector makes.

// clients are those of this process whose connections last, in the order in which they were made.
var clients struct {
	sync.Mutex
	all     []*Client
	connect func(ctx context.Context, address string, server ID) (*Client, error)
}

func remember(c *Client) {
	clients.Lock()
	defer clients.Unlock()
	clients.all = append(clients.all, c)
}

func forget(c *Client) {
	clients.Lock()
	defer clients.Unlock()
	clients.all = slices.DeleteFunc(clients.all, func(o *Client) bool { return o == c })
}

// SetConnector has connect make the clients that references need of which this process has none: by the address
// that the sender's ClientConfig had, and the ID of the server. Call it while the program is initialized.
func SetConnector(connect func(ctx context.Context, address string, server ID) (*Client, error)) {
	clients.connect = connect
}

// clientOf finds a client of a server, or makes one.
func clientOf(ctx context.Context, server ID, address string) (*Client, error) {
	clients.Lock()
	for _, c := range clients.all {
		if c.server.id == server {
			clients.Unlock()
			return c, nil
		}
	}
	clients.Unlock()
	if clients.connect == nil || address == "" {
		return nil, fmt.Errorf("an object of the server %v at %q, to which this process is not connected", server, address)
	}
	c, err := clients.connect(ctx, address, server)
	if err != nil {
		return nil, fmt.Errorf("an object of the server at %s: %w", address, err)
	}
	return c, nil
}

// reference is one inside a message.
type reference struct {
	client *Client
	ref    Ref
}

// Settled implements codec.Reference.
func (r *reference) Settled(sent bool) {
	if !sent && r.client.Err() == nil {
		r.client.tell(frame{op: opUnshare, n: r.ref.Lease})
	}
}

// Share implements carrier.Object.
func (o *remote) Share(b *codec.Buffer) error {
	r, err := o.share()
	if err != nil {
		return err
	}
	b.Byte(byte(carrier.KindHosted))
	b.Raw(o.client.server.id[:])
	b.String(o.client.cfg.Address)
	b.Raw(appendRef(nil, r))
	b.Refer(&reference{o.client, r})
	return nil
}

// Reference is for messages of other encodings than that of package mp: it makes a reference to the object that
// travels in Message.Refs and inside the bytes. giveUp is to be called when the message is not sent.
func (o *remote) Reference() (r Ref, giveUp func(), err error) {
	if r, err = o.share(); err != nil {
		return r, nil, err
	}
	return r, func() { (&reference{o.client, r}).Settled(false) }, nil
}

func init() { carrier.RegisterOpener(carrier.KindHosted, openReference) }

func openReference(r *codec.Reader) (carrier.Object, error) {
	id, address, rest := r.Raw(), r.String(), r.Raw()
	if err := r.Err(); err != nil {
		return nil, err
	}
	var server ID
	if len(id) != len(server) || len(rest) != refSize {
		return nil, errors.New("a reference to an object of a server that has been cut")
	}
	copy(server[:], id)
	var ref Ref
	copy(ref.ID[:], rest)
	ref.Lease = binary.LittleEndian.Uint64(rest[len(ref.ID):])
	ctx, cancel := context.WithTimeout(context.Background(), openLimit)
	defer cancel()
	c, err := clientOf(ctx, server, address)
	if err != nil {
		return nil, err
	}
	return c.Open(ctx, ref.ID, ref.Lease)
}

// openLimit is for an opener, which has no ctx.
const openLimit = 5 * time.Second
