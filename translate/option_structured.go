package translate

import (
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/cumulet/cumulet/cloudapi"
)

// strictJSON reads one JSON value and nothing besides.
func strictJSON(text string, into any) bool {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if d.Decode(into) != nil {
		return false
	}
	_, err := d.Token()
	return err == io.EOF
}

// aliasEntry is a line of the hosts file: in ACK's words host and ip, in those
// of a pod's spec ip and hostnames.
type aliasEntry struct {
	Host      string   `json:"host"`
	IP        string   `json:"ip"`
	Hostnames []string `json:"hostnames"`
}

func parseAliases(text string, take cloudapi.OptionLimits) (setting, string) {
	const what = `a JSON list such as [{"host":"db.example.com","ip":"192.0.2.1"}]`
	var entries []aliasEntry
	if !strictJSON(text, &entries) || len(entries) == 0 {
		return setting{}, what
	}
	if take.Max > 0 && int64(len(entries)) > take.Max {
		return setting{}, fmt.Sprintf("a list of at most %d; it has %d", take.Max, len(entries))
	}
	var lines []cloudapi.HostAlias
	var items []string
	for _, e := range entries {
		names := e.Hostnames
		if e.Host != "" {
			names = append(names, e.Host)
		}
		if _, err := netip.ParseAddr(e.IP); err != nil || len(names) == 0 || e.Host != "" && len(names) > 1 {
			return setting{}, what
		}
		for _, n := range names {
			if len(validation.IsDNS1123Subdomain(n)) > 0 {
				return setting{}, fmt.Sprintf("%s; %q is no host name", what, n)
			}
		}
		lines = append(lines, cloudapi.HostAlias{IP: e.IP, Hostnames: names})
		items = append(items, e.IP+" "+strings.Join(names, " "))
	}
	return setting{items: items, apply: func(g target) { g.HostAliases = append(g.HostAliases, lines...) }}, ""
}

// textList is a list of texts, which ACK writes as one text with commas.
type textList []string

// UnmarshalJSON reads either.
func (l *textList) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) != nil {
		return json.Unmarshal(data, (*[]string)(l))
	}
	*l = nil
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			*l = append(*l, item)
		}
	}
	return nil
}

// resolverOptions are a resolver's options, which ACK writes as ndots:2,edns0.
type resolverOptions []cloudapi.DNSOption

// UnmarshalJSON reads either.
func (o *resolverOptions) UnmarshalJSON(data []byte) error {
	*o = nil
	var text string
	if json.Unmarshal(data, &text) == nil {
		var items textList
		if err := items.UnmarshalJSON(data); err != nil {
			return err
		}
		for _, item := range items {
			name, value, _ := strings.Cut(item, ":")
			*o = append(*o, cloudapi.DNSOption{Name: name, Value: value})
		}
		return nil
	}
	var list []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	if !strictJSON(string(data), &list) {
		return fmt.Errorf("%s is no list of name and value", data)
	}
	for _, e := range list {
		*o = append(*o, cloudapi.DNSOption{Name: e.Name, Value: e.Value})
	}
	return nil
}

// parseResolver reads what a pod's dnsConfig has, in the same words, or in those
// of ACK's k8s.aliyun.com/eci-custom-dnsconfig.
func parseResolver(text string, _ cloudapi.OptionLimits) (setting, string) {
	what := fmt.Sprintf(`JSON such as {"nameservers":["192.0.2.53"]}, with at most %d addresses and %d searches`, maxNameServers, maxSearches)
	var c struct {
		NameServers textList        `json:"nameservers"`
		Searches    textList        `json:"searches"`
		Options     resolverOptions `json:"options"`
	}
	if !strictJSON(text, &c) || len(c.NameServers) == 0 || len(c.NameServers) > maxNameServers || len(c.Searches) > maxSearches {
		return setting{}, what
	}
	dns := cloudapi.DNS{NameServers: c.NameServers, Searches: c.Searches, Options: c.Options}
	for _, n := range c.NameServers {
		if _, err := netip.ParseAddr(n); err != nil {
			return setting{}, fmt.Sprintf("%s; %q is no address", what, n)
		}
	}
	for _, s := range c.Searches {
		if len(validation.IsDNS1123Subdomain(s)) > 0 {
			return setting{}, fmt.Sprintf("%s; %q is no domain", what, s)
		}
	}
	for _, o := range c.Options {
		if !printable(o.Name, 64) || o.Value != "" && !printable(o.Value, 64) {
			return setting{}, what + "; an option has a name"
		}
	}
	return setting{items: []string{fmt.Sprintf("%q", dns)}, apply: func(g target) { g.DNS = &dns }}, ""
}

// printable tells whether a text is one to so many characters, none of them a
// space or control.
func printable(text string, most int) bool {
	return text != "" && utf8.RuneCountInString(text) <= most &&
		!strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || unicode.IsSpace(r) })
}

// sysctlForm is a kernel setting with dots between its parts.
var sysctlForm = regexp.MustCompile(`^[a-z0-9][-_a-z0-9]*(\.[A-Za-z0-9][-_A-Za-z0-9]*)+$`)

func parseHostSysctls(text string, take cloudapi.OptionLimits) (setting, string) {
	const what = `a JSON list such as [{"name":"kernel.msgmax","value":"65536"}]`
	var entries []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	if !strictJSON(text, &entries) || len(entries) == 0 {
		return setting{}, what
	}
	var sysctls []cloudapi.Sysctl
	var items []string
	seen := map[string]bool{}
	for _, e := range entries {
		switch {
		case !sysctlForm.MatchString(e.Name) || e.Value == "" || strings.ContainsFunc(e.Value, unicode.IsControl):
			return setting{}, what
		case !begins(e.Name, take.Words):
			return setting{}, fmt.Sprintf("of settings that the cloud takes (%s), not %s", strings.Join(take.Words, ", "), e.Name)
		case seen[e.Name]:
			return setting{}, fmt.Sprintf("a list without repetition; it has %s twice", e.Name)
		}
		seen[e.Name] = true
		sysctls = append(sysctls, cloudapi.Sysctl{Name: e.Name, Value: e.Value})
		items = append(items, e.Name+"="+e.Value)
	}
	if take.Max > 0 && int64(len(items)) > take.Max {
		return setting{}, fmt.Sprintf("a list of at most %d; it has %d", take.Max, len(items))
	}
	return setting{items: items, apply: func(g target) { g.Options.HostSysctls = sysctls }}, ""
}

// begins tells whether a text is one of the words; a word that ends in * stands
// for all that begin so.
func begins(text string, words []string) bool {
	for _, w := range words {
		stem, open := strings.CutSuffix(w, AnyValue)
		if text == w || open && strings.HasPrefix(text, stem) {
			return true
		}
	}
	return len(words) == 0
}

// The bounds of tags on ECI (parameter table of CreateContainerGroup); KCI has
// no tags.
const (
	maxTagKey   = 64
	maxTagValue = 128
)

func parseTags(text string, take cloudapi.OptionLimits) (setting, string) {
	var list []cloudapi.Tag
	var items []string
	seen := map[string]bool{}
	for item := range strings.SplitSeq(text, ",") {
		key, value, found := strings.Cut(strings.TrimSpace(item), ":")
		if fault := tagFault(key, value, found); fault != "" {
			return setting{}, fault
		}
		if seen[key] {
			return setting{}, fmt.Sprintf("a list without repetition; it has %s twice", key)
		}
		seen[key] = true
		list = append(list, cloudapi.Tag{Key: key, Value: value})
		items = append(items, key+":"+value)
	}
	if take.Max > 0 && int64(len(list)) > take.Max {
		return setting{}, fmt.Sprintf("a list of at most %d; it has %d", take.Max, len(list))
	}
	return setting{items: items, apply: func(g target) { g.Options.Tags = list }}, ""
}

func tagFault(key, value string, found bool) string {
	lower := strings.ToLower(key)
	switch {
	case !found || !printable(key, maxTagKey) || value != "" && !printable(value, maxTagValue):
		return fmt.Sprintf("a list of key:value with keys of 1 to %d and values of at most %d characters without spaces", maxTagKey, maxTagValue)
	case strings.HasPrefix(lower, OptionPrefix) || strings.HasPrefix(lower, "cumulet"):
		return "a list of tags of your own: keys that begin with cumulet are cumulet's"
	case strings.HasPrefix(lower, "aliyun"), strings.HasPrefix(lower, "acs:"), strings.HasPrefix(strings.ToLower(value), "acs:"),
		strings.Contains(lower, "http://"), strings.Contains(lower, "https://"):
		return "a list of tags that begin neither with aliyun nor acs: and hold no address of the web"
	default:
		return ""
	}
}

// maxCorePattern is what the kernel takes (CORENAME_MAX_SIZE) without its end.
const maxCorePattern = 127

func parseCorePattern(text string, _ cloudapi.OptionLimits) (setting, string) {
	if !strings.HasPrefix(text, "/") || !printable(text, maxCorePattern) {
		return setting{}, fmt.Sprintf("an absolute path of at most %d characters without spaces, not a pipe", maxCorePattern)
	}
	return setting{items: []string{text}, apply: func(g target) { g.Options.CorePattern = text }}, ""
}

func setInstances(o optionsOf, ids []string) {
	for _, text := range ids {
		region, id, found := strings.Cut(text, ":")
		if !found {
			region, id = "", text
		}
		o.Image.ACR = append(o.Image.ACR, cloudapi.ACRInstance{ID: id, Region: region})
	}
}

// setARNs gives each instance its role; a rule has held the two lists to one
// length.
func setARNs(o optionsOf, arns []string, set func(*cloudapi.ACRInstance, string)) {
	for i := range min(len(arns), len(o.Image.ACR)) {
		set(&o.Image.ACR[i], arns[i])
	}
}
