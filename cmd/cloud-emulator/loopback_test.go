package main

import "testing"

func TestLoopbackPort(t *testing.T) {
	for name, tc := range map[string]struct {
		image string
		port  uint16
		ok    bool
	}{
		"IPv4":      {image: "127.0.0.1:5000/team/app:1", port: 5000, ok: true},
		"Localhost": {image: "localhost:5001/app", port: 5001, ok: true},
		"IPv6":      {image: "[::1]:5002/app", port: 5002, ok: true},
		"NoPort":    {image: "127.0.0.1/app"},
		"Elsewhere": {image: "registry.example.test:5000/app"},
		"NoHost":    {image: "busybox:1.36"},
		"Address":   {image: "10.0.0.1:5000/app"},
		"BadPort":   {image: "127.0.0.1:70000/app"},
	} {
		t.Run(name, func(t *testing.T) {
			if port, ok := loopbackPort(tc.image); port != tc.port || ok != tc.ok {
				t.Errorf("loopbackPort(%q) = %d, %t, want %d, %t", tc.image, port, ok, tc.port, tc.ok)
			}
		})
	}
}
