package machine

import "testing"

func TestReserveNetwork(t *testing.T) {
	first, release, err := ReserveNetwork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second, releaseSecond, err := ReserveNetwork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if first.Prefix.Overlaps(second.Prefix) {
		t.Errorf("%v and %v are reserved at the same time", first.Prefix, second.Prefix)
	}
	for _, err := range []error{release(), releaseSecond()} {
		if err != nil {
			t.Errorf("releasing: %v", err)
		}
	}
	again, release, err := ReserveNetwork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = release() }()
	if again.Prefix != first.Prefix {
		t.Errorf("after the release %v is reserved, want %v", again.Prefix, first.Prefix)
	}
}
