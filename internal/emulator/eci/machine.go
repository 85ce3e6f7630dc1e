package eci

import (
	"regexp"
	"strconv"
)

// machine is an ECS instance type.
type machine struct {
	size
	cards int32
}

// holds tells whether containers fit.
func (m machine) holds(sum size, cards int32) bool {
	return sum.cpu <= m.cpu+tolerance && sum.memory <= m.memory+tolerance && cards <= m.cards
}

// instanceType matches the ECS families whose shape follows from their name:
// compute, general and memory with 2, 4 and 8 GiB per core.
var instanceType = regexp.MustCompile(`^ecs\.(c|g|r)[5-8][a-z]{0,2}\.(large|(\d{0,2})xlarge)$`)

var gibPerCore = map[string]float64{"c": 2, "g": 4, "r": 8}

// gpuTypes are some of the types with graphics cards (ECS's page on instance
// families, gn6i, gn6v and gn7i).
var gpuTypes = map[string]machine{
	"ecs.gn6i-c4g1.xlarge":    {size{4, 15}, 1},
	"ecs.gn6i-c8g1.2xlarge":   {size{8, 31}, 1},
	"ecs.gn6i-c16g1.4xlarge":  {size{16, 62}, 1},
	"ecs.gn6i-c24g1.6xlarge":  {size{24, 93}, 1},
	"ecs.gn6i-c24g1.12xlarge": {size{48, 186}, 2},
	"ecs.gn6i-c24g1.24xlarge": {size{96, 372}, 4},
	"ecs.gn6v-c8g1.2xlarge":   {size{8, 32}, 1},
	"ecs.gn6v-c8g1.8xlarge":   {size{32, 128}, 4},
	"ecs.gn7i-c8g1.2xlarge":   {size{8, 30}, 1},
	"ecs.gn7i-c16g1.4xlarge":  {size{16, 60}, 1},
}

// machineOf tells the shape of an instance type that is sold.
func machineOf(name string) (machine, bool) {
	if m, found := gpuTypes[name]; found {
		return m, true
	}
	parts := instanceType.FindStringSubmatch(name)
	if parts == nil {
		return machine{}, false
	}
	cores := 2.0
	if parts[2] != "large" {
		n, err := strconv.Atoi(parts[3])
		if err != nil {
			n = 1 // plain xlarge
		}
		cores = 4 * float64(n)
	}
	return machine{size: size{cores, cores * gibPerCore[parts[1]]}}, cores <= maxCPU
}

// instanceSize is the size of the first of several ECS types that holds the
// containers.
func instanceSize(r *createRequest, sum size) (size, error) {
	cards := cardsOf(r)
	for _, name := range r.types() {
		m, known := machineOf(name)
		if !known {
			return size{}, fail(codeInstanceType, "The InstanceType %q is not sold.", name)
		}
		if m.holds(sum, cards) {
			return m.size, nil
		}
	}
	return size{}, fail(codeCPUMemory, "The InstanceType %q does not hold the containers' %g vCPU, %g GiB and %d GPU.",
		r.InstanceType, sum.cpu, sum.memory, cards)
}
