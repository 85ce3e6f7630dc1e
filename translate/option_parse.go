package translate

import (
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/cumulet/cumulet/cloudapi"
)

// form is what one word of a value looks like.
type form struct {
	pattern *regexp.Regexp
	what    string
}

// The forms of words. None has a comma, which separates the elements of a list.
var (
	nameForm = form{regexp.MustCompile(`^[A-Za-z0-9][-A-Za-z0-9._/]{0,254}$`),
		"up to 255 letters, digits, hyphens, dots, slashes and underscores"}
	driverForm = form{regexp.MustCompile(`^[a-z]+=[0-9][0-9.]{0,62}$`), "a kind, = and a version, such as tesla=525.85.12"}
	hostForm   = form{regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9.]{0,251}[A-Za-z0-9])?(:[1-9][0-9]{0,4})?$`),
		"a host, with a colon and a port if need be, without scheme and path"}
	instanceForm = form{regexp.MustCompile(`^([a-z0-9][-a-z0-9]{0,62}:)?cri-[a-z0-9]{1,62}$`), "an id such as cri-abc or cn-beijing:cri-abc"}
	arnForm      = form{regexp.MustCompile(`^acs:ram::[0-9]{1,32}:role/[-A-Za-z0-9.@_]{1,128}$`), "an ARN such as acs:ram::1234567890123456:role/name"}
)

// listOf reads a comma list of words, each once.
func listOf(f form, set func(target, []string)) parser {
	return func(text string, take cloudapi.OptionLimits) (setting, string) {
		var items []string
		for item := range strings.SplitSeq(text, ",") {
			item = strings.TrimSpace(item)
			if fault := wordFault(item, f, take); fault != "" {
				return setting{}, fault
			}
			if slices.Contains(items, item) {
				return setting{}, fmt.Sprintf("a list without repetition; it has %s twice", item)
			}
			items = append(items, item)
		}
		if take.Max > 0 && int64(len(items)) > take.Max {
			return setting{}, fmt.Sprintf("a list of at most %d; it has %d", take.Max, len(items))
		}
		return setting{items: items, apply: func(g target) { set(g, slices.Clone(items)) }}, ""
	}
}

// wordsOf is listOf for an option of the cloud.
func wordsOf(f form, set func(optionsOf, []string)) parser {
	return listOf(f, func(g target, v []string) { set(&g.Options, v) })
}

// wordOf reads one word.
func wordOf(f form, set func(optionsOf, string)) parser {
	return func(text string, take cloudapi.OptionLimits) (setting, string) {
		if fault := wordFault(text, f, take); fault != "" {
			return setting{}, fault
		}
		return setting{items: []string{text}, apply: func(g target) { set(&g.Options, text) }}, ""
	}
}

func wordFault(text string, f form, take cloudapi.OptionLimits) string {
	switch {
	case len(take.Words) > 0 && !slices.Contains(take.Words, text):
		return "one of " + strings.Join(take.Words, ", ")
	case !f.pattern.MatchString(text):
		return f.what
	case take.Pattern != "" && !matches(take.Pattern, text):
		return "a name as the cloud has them, such as " + take.Like
	default:
		return ""
	}
}

// onOff reads true or false; false asks for nothing.
func onOff(set func(optionsOf)) parser {
	return func(text string, _ cloudapi.OptionLimits) (setting, string) {
		switch text {
		case "true":
			return setting{items: []string{text}, apply: func(g target) { set(&g.Options) }}, ""
		case "false":
			return setting{items: []string{text}, apply: func(target) {}, declines: true}, ""
		default:
			return setting{}, "true or false"
		}
	}
}

// wholeNumber reads a whole number that is least or more.
func wholeNumber(unit string, least int64, set func(optionsOf, int64)) parser {
	return func(text string, take cloudapi.OptionLimits) (setting, string) {
		least, most := max(least, take.Min), take.Max
		if most == 0 {
			most = math.MaxInt32
		}
		v, err := strconv.ParseInt(text, 10, 64)
		if err != nil || strconv.FormatInt(v, 10) != text || v < least || v > most {
			return setting{}, fmt.Sprintf("a whole number (%s) from %d to %d", unit, least, most)
		}
		return setting{items: []string{text}, apply: func(g target) { set(&g.Options, v) }}, ""
	}
}

// parseStrategy reads how a group is paid: NoSpot is as if nothing were said.
func parseStrategy(text string, take cloudapi.OptionLimits) (setting, string) {
	s, fault := wordOf(nameForm, func(o optionsOf, v string) { o.Spot.Strategy = v })(text, take)
	s.declines = text == "NoSpot"
	return s, fault
}

// priceForm is a number with at most three decimals (ECI, SpotPriceLimit).
var priceForm = regexp.MustCompile(`^(0|[1-9][0-9]{0,8})(\.[0-9]{1,3})?$`)

func parsePrice(text string, _ cloudapi.OptionLimits) (setting, string) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !priceForm.MatchString(text) || v <= 0 {
		return setting{}, "a price above 0 with at most 3 decimals"
	}
	spelt := strconv.FormatFloat(v, 'f', -1, 64)
	return setting{items: []string{spelt}, apply: func(g target) { g.Options.Spot.PriceLimit = v }}, ""
}

// The bounds that Kubernetes sets to its annotations of bandwidth
// (kubernetes.io/ingress-bandwidth, pkg/util/bandwidth), in bits a second.
const (
	minBandwidth = 1000
	maxBandwidth = 1_000_000_000_000_000
)

// bitsPerSecond reads a quantity of bits a second.
func bitsPerSecond(set func(optionsOf, int64)) parser {
	return func(text string, take cloudapi.OptionLimits) (setting, string) {
		least, most := max(int64(minBandwidth), take.Min), int64(maxBandwidth)
		if take.Max > 0 {
			most = take.Max
		}
		what := fmt.Sprintf("a quantity of bits a second from %s to %s", quantityText(least), quantityText(most))
		if take.Step > 0 {
			what += ", in whole " + quantityText(take.Step)
		}
		q, err := resource.ParseQuantity(text)
		if err != nil || q.CmpInt64(least) < 0 || q.CmpInt64(most) > 0 || q.CmpInt64(q.Value()) != 0 {
			return setting{}, what
		}
		v := q.Value()
		if take.Step > 0 && v%take.Step != 0 {
			return setting{}, what
		}
		return setting{items: []string{quantityText(v)}, apply: func(g target) { set(&g.Options, v) }}, ""
	}
}

func quantityText(v int64) string { return resource.NewQuantity(v, resource.DecimalSI).String() }

// gibibytes reads a quantity of whole GiB.
func gibibytes(set func(optionsOf, int)) parser {
	return func(text string, take cloudapi.OptionLimits) (setting, string) {
		least, most := max(int64(1), take.Min), take.Max
		if most == 0 {
			most = maxAmount / gibibyte
		}
		q, err := resource.ParseQuantity(text)
		if err != nil || q.CmpInt64(least*gibibyte) < 0 || q.CmpInt64(most*gibibyte) > 0 || q.Value()%gibibyte != 0 || q.CmpInt64(q.Value()) != 0 {
			return setting{}, fmt.Sprintf("a quantity of whole GiB from %dGi to %dGi", least, most)
		}
		v := int(q.Value() / gibibyte)
		return setting{items: []string{strconv.Itoa(v) + "Gi"}, apply: func(g target) { set(&g.Options, v) }}, ""
	}
}

// ipv4 reads an IPv4 address.
func ipv4(set func(optionsOf, string)) parser {
	return func(text string, _ cloudapi.OptionLimits) (setting, string) {
		a, err := netip.ParseAddr(text)
		if err != nil || !a.Is4() || a.IsUnspecified() {
			return setting{}, "an IPv4 address"
		}
		return setting{items: []string{text}, apply: func(g target) { set(&g.Options, text) }}, ""
	}
}

// sizeForm is the way ACK writes a size.
var sizeForm = regexp.MustCompile(`^(0|[1-9][0-9]{0,3})(\.[0-9]{1,3})?-(0|[1-9][0-9]{0,4})(\.[0-9]{1,3})?Gi$`)

func parseSize(text string, _ cloudapi.OptionLimits) (setting, string) {
	const what = "cores and memory such as 2-4Gi"
	cores, memory, _ := strings.Cut(strings.TrimSuffix(text, "Gi"), "-")
	cpu, badCPU := strconv.ParseFloat(cores, 64)
	gib, badGiB := strconv.ParseFloat(memory, 64)
	if !sizeForm.MatchString(text) || badCPU != nil || badGiB != nil || cpu <= 0 || gib <= 0 {
		return setting{}, what
	}
	spelt := strconv.FormatFloat(cpu, 'f', -1, 64) + "-" + strconv.FormatFloat(gib, 'f', -1, 64) + "Gi"
	return setting{items: []string{spelt}, apply: func(g target) { g.CPU, g.Memory = cpu, gib }}, ""
}
