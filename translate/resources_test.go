package translate

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/cumulet/cumulet/cloudapi"
)

func TestQuantitiesAreExact(t *testing.T) {
	cases := map[string]struct {
		quantity    string
		cores, gib  int64
		description string
	}{
		"Tenth":      {"100m", 100, 1, "0.1 core; a tenth of a byte is a byte, and that a thousandth of a GiB"},
		"Nano":       {"1n", 1, 1, "anything is rounded up"},
		"OneAndHalf": {"1500m", 1500, 1, ""},
		"Mebi":       {"128Mi", 134217728000, 125, "an eighth of a GiB"},
		"Mega":       {"100M", 100000000000, 94, "95.4 MiB"},
		"Gibi":       {"1Gi", 1073741824000, 1000, ""},
		"Gibi1":      {"1073741825", 1073741825000, 1001, "one byte more"},
		"Zero":       {"0", 0, 0, ""},
		"Negative":   {"-5", 0, 0, "the API refuses it; it asks for nothing"},
		"Huge":       {"9223372036854775807", maxAmount * 1000, 8589934592000, "beyond every size, without overflow"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			q := resource.MustParse(c.quantity)
			if got := milliCores(q); got != c.cores {
				t.Errorf("milliCores(%s) = %d, want %d", c.quantity, got, c.cores)
			}
			if got := milliGiB(q); got != c.gib {
				t.Errorf("milliGiB(%s) = %d, want %d (%s)", c.quantity, got, c.gib, c.description)
			}
		})
	}
}

func TestSmallestSize(t *testing.T) {
	sizes := []cloudapi.Size{
		{CPU: 0.25, Memory: []float64{0.5, 1}},
		{CPU: 1, Memory: []float64{2, 4, 8}},
		{CPU: 2, Memory: []float64{1, 16}},
		{CPU: 8, Memory: []float64{8}},
	}
	cases := map[string]struct {
		reason     string
		need, want share
		refused    bool
	}{
		"Exact":        {"a size that is sold is taken", share{250, 500}, share{250, 500}, false},
		"LittleMore":   {"a thousandth more is the next memory", share{250, 501}, share{250, 1000}, false},
		"NextRow":      {"no memory in the row is enough", share{250, 1001}, share{1000, 2000}, false},
		"SmallMemory":  {"the first row counts, not the least memory", share{1000, 1000}, share{1000, 2000}, false},
		"OnlyMemory":   {"CPU may be nothing", share{0, 8001}, share{2000, 16000}, false},
		"OnlyCPU":      {"memory may be nothing", share{1001, 0}, share{2000, 1000}, false},
		"TooMuchCPU":   {"no row has it", share{8001, 1}, share{}, true},
		"TooMuchBoth":  {"16 GiB are sold, 8 cores too, not together", share{8000, 16000}, share{}, true},
		"PointOnePlus": {"0.1 + 0.2 cores is no more than 0.3", share{100, 0}.plus(share{150, 0}), share{250, 500}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, ok := smallest(sizes, c.need)
			if ok == c.refused || ok && got != c.want {
				t.Errorf("%s: smallest(%v) = %v, %t; want %v", c.reason, c.need, got, ok, c.want)
			}
		})
	}
	if got, ok := smallest(nil, share{123, 456}); !ok || got != (share{123, 456}) {
		t.Errorf("without a price list: %v, %t", got, ok)
	}
	if got := largest(sizes); got != (share{8000, 8000}) {
		t.Errorf("largest = %v", got)
	}
}

func TestGroupShare(t *testing.T) {
	got := groupShare([]share{{1000, 500}, {500, 500}}, []share{{2000, 100}, {100, 1500}})
	if want := (share{2000, 1500}); got != want {
		t.Errorf("groupShare = %v, want %v: the larger of the sum and of each init container", got, want)
	}
}
