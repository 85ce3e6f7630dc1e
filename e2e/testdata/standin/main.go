// Command standin stands for the programs of those examples' images that nobody
// can pull. Its first argument says for which; the rest are the program's own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

// programs by name.
var programs = map[string]func(ctx context.Context) error{
	"search": search, "sql-proxy": proxy, "migrate": migrate,
}

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 || programs[os.Args[1]] == nil {
		log.Fatalf("want a program to stand for, have %q", os.Args[1:])
	}
	run := programs[os.Args[1]]
	os.Args = os.Args[1:]
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

// search answers for its service once it has loaded its index, which takes a while.
func search(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(2 * time.Second):
	}
	if err := os.WriteFile("/tmp/index-loaded", nil, 0o644); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", ":9000")
	if err != nil {
		return err
	}
	server, states := grpc.NewServer(), health.NewServer()
	states.SetServingStatus("search", healthv1.HealthCheckResponse_SERVING)
	healthv1.RegisterHealthServer(server, states)
	context.AfterFunc(ctx, server.Stop)
	fmt.Println("serving")
	return server.Serve(listener)
}

// proxy greets everybody until it is told to end.
func proxy(ctx context.Context) error {
	listen := flag.String("listen", "", "address")
	flag.Parse()
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { _ = listener.Close() })
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			fmt.Println("told to end")
			return nil
		}
		if err != nil {
			return err
		}
		_, _ = io.WriteString(conn, "hello") // a probe goes away at once
		_ = conn.Close()
	}
}

// migrate needs the database at the other end of the proxy, and tries as long as
// programs of its kind do.
func migrate(ctx context.Context) error {
	database := flag.String("database", "", "URL")
	flag.Parse()
	at, err := url.Parse(*database)
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, 30*time.Second)
	defer stop()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", at.Host)
		if err == nil {
			greeting, err := io.ReadAll(conn)
			fmt.Printf("migrated %s: %s\n", at.Path, greeting)
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Second):
			fmt.Println("waiting for the database")
		}
	}
}
