// Command app is what runs in the pods of this package's tests.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	verb, args := os.Args[1], os.Args[2:]
	switch verb {
	case "pause":
		await()
	case "print":
		fmt.Println(strings.Join(args, " "))
	case "copy":
		if _, err := io.Copy(os.Stdout, os.Stdin); err != nil {
			fail(err)
		}
	case "serve":
		serve()
	case "fetch":
		fetch(args[0])
	case "eat":
		eat()
	case "seccomp":
		seccomp()
	default:
		fail(fmt.Errorf("unknown verb %q", verb))
	}
}

// eat takes memory until there is none left.
func eat() {
	var all [][]byte
	for {
		all = append(all, bytes.Repeat([]byte{1}, 1<<20))
		if len(all) > 4<<10 {
			fail(errors.New("nobody minds"))
		}
	}
}

// seccomp prints the mode of seccomp that we are in.
func seccomp() {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		fail(err)
	}
	for line := range strings.Lines(string(status)) {
		if mode, found := strings.CutPrefix(line, "Seccomp:"); found {
			fmt.Println(strings.TrimSpace(mode))
		}
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func await() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	<-ended
}

// serve answers with the host's name at port 8080.
func serve() {
	name, err := os.Hostname()
	if err != nil {
		fail(err)
	}
	go func() {
		fail(http.ListenAndServe(":8080", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, "this is %s", name)
		})))
	}()
	fmt.Println("serving as", name)
	await()
}

// fetch prints what a URL answers.
func fetch(url string) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		fail(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		fail(err)
	}
	if _, err := io.Copy(os.Stdout, response.Body); err != nil {
		fail(err)
	}
}
