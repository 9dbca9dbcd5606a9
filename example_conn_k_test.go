//go:build linux

package mp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

var sendK = mp.Register("sendK", func(ctx context.Context, w *mp.Conn[string]) (mp.None, error) {
	fmt.Println("子程序")
	err := w.Send(ctx, "k")
	fmt.Println("数据发送成功")
	return mp.None{}, err
})

// One end of the pipe sends, the other one receives.
func ExampleNewOneWayPipe() {
	ctx := context.Background()
	r, w, err := mp.NewOneWayPipe[string]()
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	p, err := mp.Start(ctx, sendK, w)
	if err != nil {
		log.Fatal(err)
	}
	k, err := r.Recv(ctx)
	if err != nil {
		log.Fatal(err)
	}
	if err := p.Join(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println("接受到数据==>", k)
	// Output:
	// 子程序
	// 数据发送成功
	// 接受到数据==> k
}
