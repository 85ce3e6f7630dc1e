package main

import "testing"

func TestChoose(t *testing.T) {
	cases := map[string]struct {
		environment []string
		want        string
	}{
		"Nothing":     {nil, "/bin/busybox"},
		"Identifiers": {[]string{"PATH=/bin", "_x9=a-b.c", "EMPTY="}, "/bin/busybox"},
		"Dot":         {[]string{"PATH=/bin", "data.1=x"}, "/bin/bash"},
		"Hyphen":      {[]string{"data-1=x"}, "/bin/bash"},
		"DigitFirst":  {[]string{"1st=x"}, "/bin/bash"},
		"NoName":      {[]string{"=x"}, "/bin/bash"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := choose(c.environment); got != c.want {
				t.Errorf("choose(%q) = %s, want %s", c.environment, got, c.want)
			}
		})
	}
}
