package thread_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"

	"github.com/gomultiprocessing/mp/thread"
)

// asyncio.start_server and open_connection: package net, with a thread for each connection.
func ExampleStart_streams() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := thread.Start(ctx, "server", func(ctx context.Context) error {
		for {
			conn, err := server.Accept()
			if err != nil {
				return nil // closed
			}
			if _, err := thread.Start(ctx, "connection", func(ctx context.Context) error {
				defer conn.Close()
				defer context.AfterFunc(ctx, func() { conn.Close() })() // what ends a Read
				_, err := io.Copy(conn, conn)
				return err
			}); err != nil {
				conn.Close()
			}
		}
	}); err != nil {
		log.Fatal(err)
	}

	conn, err := net.Dial("tcp", server.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprintln(conn, "hello")
	line, err := bufio.NewReader(conn).ReadString('\n')
	fmt.Printf("%q %v\n", line, err)

	conn.Close()
	server.Close()
	if err := thread.JoinAll(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// "hello\n" <nil>
}
