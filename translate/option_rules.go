package translate

import (
	"fmt"
	"slices"
)

// clash is an option that cannot be as it is beside the others.
type clash struct{ option, reason string }

// exclusions are options of which only one may be.
var exclusions = [][2]string{
	{"eip", "eip-create"},
	{"size", "instance-types"},
	{"instance-types", "instance-families"},
	{"image-cache", "image-cache-auto"},
}

// dependency is an option that means nothing without another.
type dependency struct{ option, of string }

var dependencies = []dependency{
	{"spot-price-limit", "spot-strategy"},
	{"spot-duration", "spot-strategy"},
	{"eip-bandwidth", "eip-create"},
	{"eip-isp", "eip-create"},
	{"eip-bandwidth-package", "eip-create"},
	{"ipv6-internet", "ipv6"},
	{"ipv6-bandwidth", "ipv6-internet"},
	{"retain-ip-hours", "retain-ip"},
	{"gpu-driver", "instance-types"},
	{"system-disk-size", "system-disk-type"},
	{"data-cache-level", "data-cache-bucket"},
	{"data-cache-iops", "data-cache-bucket"},
	{"data-cache-bursting", "data-cache-bucket"},
	{"acr-service-arns", "acr-instances"},
	{"acr-user-arns", "acr-instances"},
}

// settle drops defaults that what the pod asks for makes meaningless, and tells
// what else does not go together.
func settle(chosen choices) []clash {
	var out []clash
	for _, pair := range exclusions {
		if chosen.takes(pair[0]) && chosen.takes(pair[1]) {
			out = append(out, chosen.yield(pair)...)
		}
	}
	for _, n := range dependencies {
		if !chosen.takes(n.option) || chosen.takes(n.of) {
			continue
		}
		if chosen.mayDrop(n) {
			chosen.drop(n.option)
			continue
		}
		out = append(out, chosen.clashes(n.option, n.of, "it needs "+n.of))
	}
	return append(out, chosen.settleValues()...)
}

// yield lets a default of two options that exclude each other give way. Whether
// the pod may ask for the other the policy has said, if either gives power.
func (c choices) yield(pair [2]string) []clash {
	for i, name := range pair {
		if c[name].key == "" && c[pair[1-i]].key != "" {
			c.drop(name)
			return nil
		}
	}
	return []clash{{pair[1], fmt.Sprintf("it and %s exclude each other", pair[0])}}
}

// drop takes a default away, and with it those that mean nothing without it.
func (c choices) drop(name string) {
	delete(c, name)
	for _, n := range dependencies {
		if at, found := c[n.option]; n.of == name && found && at.key == "" {
			c.drop(n.option)
		}
	}
}

// mayDrop tells whether a default may go because the pod did away with what it
// needs. A guarded one may only if the pod was allowed to.
func (c choices) mayDrop(n dependency) bool {
	of, found := c[n.of]
	return c[n.option].key == "" && found && of.key != "" && (!c[n.option].option.Guarded || of.option.Guarded)
}

// clashes blames the annotation of either option.
func (c choices) clashes(option, other, reason string) clash {
	if at, found := c[other]; found && c[option].key == "" && at.key != "" {
		return clash{other, fmt.Sprintf("the node's default %s needs it", option)}
	}
	return clash{option, reason}
}

// settleValues holds those that go together by their values.
func (c choices) settleValues() []clash {
	out := c.settlePrice()
	for _, arns := range []string{"acr-service-arns", "acr-user-arns"} {
		if c.takes(arns) && c.takes("acr-instances") {
			out = append(out, c.settleRoles(c[arns], c["acr-instances"])...)
		}
	}
	return out
}

// settleRoles holds instances and their roles to one length.
func (c choices) settleRoles(roles, of *choice) []clash {
	switch {
	case len(roles.items) == len(of.items):
		return nil
	case roles.key == "" && of.key != "":
		return []clash{{of.option.Name, fmt.Sprintf("the node's default %s has %d roles for %d acr-instances; each needs one",
			roles.option.Name, len(roles.items), len(of.items))}}
	default:
		return []clash{{roles.option.Name, fmt.Sprintf("%d roles for %d acr-instances; each needs one", len(roles.items), len(of.items))}}
	}
}

// settlePrice holds a price and the strategy that has one together.
func (c choices) settlePrice() []clash {
	const limited = "SpotWithPriceLimit"
	if !c.takes("spot-strategy") {
		return nil
	}
	strategy, price := c["spot-strategy"], c["spot-price-limit"]
	switch isLimited := slices.Equal(strategy.items, []string{limited}); {
	case isLimited && price == nil:
		return []clash{{"spot-strategy", limited + " needs spot-price-limit"}}
	case isLimited || price == nil:
	case price.key == "" && strategy.key != "":
		delete(c, "spot-price-limit")
	default:
		return []clash{{"spot-price-limit", "it needs spot-strategy " + limited}}
	}
	return nil
}
