package eci

import (
	"slices"
	"strings"
)

// size is a group's CPU in cores and memory in GiB.
type size struct{ cpu, memory float64 }

// sizeRow is one row of the specification page: the memory sold with so many
// cores everywhere, and in the regions of moreRegions, but not for spot.
type sizeRow struct {
	cpu        float64
	everywhere []float64
	more       []float64
}

// sizes is the table of the page "Specify the number of vCPUs and memory size";
// 56 cores are on the page of multiple specifications only.
var sizes = []sizeRow{
	{0.25, []float64{0.5, 1}, nil},
	{0.5, []float64{1, 2}, nil},
	{1, []float64{2, 4, 8}, nil},
	{2, []float64{1, 2, 4, 8, 16}, []float64{6, 10, 12, 14}},
	{4, []float64{2, 4, 8, 16, 32}, []float64{6, 10, 12, 14, 18, 20, 22, 24, 26, 28, 30}},
	{6, nil, evens(6, 48)},
	{8, []float64{4, 8, 16, 32, 64}, evens(10, 62)},
	{12, []float64{12, 24, 48, 96}, nil},
	{16, []float64{16, 32, 64, 128}, nil},
	{24, []float64{24, 48, 96, 192}, nil},
	{32, []float64{32, 64, 128, 256}, nil},
	{52, []float64{96, 192, 384}, nil},
	{56, []float64{224}, nil},
	{64, []float64{128, 256, 512}, nil},
}

// evens are the even numbers from first to last.
func evens(first, last int) []float64 {
	var numbers []float64
	for i := first; i <= last; i += 2 {
		numbers = append(numbers, float64(i))
	}
	return numbers
}

// moreRegions sell the extra memory sizes (same page).
var moreRegions = []string{
	"cn-hangzhou", "cn-shanghai", "cn-qingdao", "cn-beijing", "cn-zhangjiakou", "cn-huhehaote",
	"cn-wulanchabu", "cn-shenzhen", "cn-heyuan", "cn-guangzhou", "cn-chengdu", "ap-southeast-1",
}

// defaultSize is sold when nothing is asked for.
var defaultSize = size{2, 4}

// ignoreEnv leaves a container out of the sum (page of sidecar resources).
const ignoreEnv = "__ECI_RESOURCE_IGNORE__"

// tolerance absorbs the error of adding decimal fractions.
const tolerance = 1e-6

// groupSize is the size that is sold for a request: the instance's own values,
// or else the containers' sum, rounded up to the next size sold.
func groupSize(r *createRequest) (size, error) {
	wanted := size{value(r.CPU), value(r.Memory)}
	sum := containerSum(r, wanted == size{})
	if r.InstanceType != "" {
		return instanceSize(r, sum)
	}
	// The instance's values are raised to the sum of its containers.
	wanted = size{max(wanted.cpu, sum.cpu), max(wanted.memory, sum.memory)}
	if wanted == (size{}) {
		return defaultSize, nil
	}
	return roundUp(wanted, r)
}

// containerSum is what the containers need together; ignoring leaves out those
// marked by ignoreEnv.
func containerSum(r *createRequest, ignoring bool) size {
	var sum size
	for i := range r.Containers {
		c := &r.Containers[i].baseContainer
		if ignoring && c.ignored() {
			continue
		}
		sum.cpu += value(c.CPU)
		sum.memory += value(c.Memory)
	}
	for i := range r.InitContainers {
		c := &r.InitContainers[i].baseContainer
		if ignoring && c.ignored() {
			continue
		}
		sum = size{max(sum.cpu, value(c.CPU)), max(sum.memory, value(c.Memory))}
	}
	return sum
}

func (c *baseContainer) ignored() bool {
	return slices.ContainsFunc(c.Env, func(e envVar) bool {
		return e.Key == ignoreEnv && strings.EqualFold(e.Value, "TRUE")
	})
}

// roundUp finds the smallest size sold that holds both values: fewest cores
// first, then least memory.
func roundUp(wanted size, r *createRequest) (size, error) {
	spot := r.SpotStrategy != "" && r.SpotStrategy != "NoSpot"
	more := slices.Contains(moreRegions, r.RegionID) && !spot
	for _, row := range sizes {
		if row.cpu+tolerance < wanted.cpu || !inCategory(row.cpu, r.ComputeCategory) {
			continue
		}
		memory := slices.Clone(row.everywhere)
		if more {
			memory = append(memory, row.more...)
		}
		slices.Sort(memory)
		for _, m := range memory {
			if m+tolerance >= wanted.memory {
				return size{row.cpu, m}, nil
			}
		}
	}
	return size{}, fail(codeCPUMemory,
		"No specification holds %g vCPU and %g GiB; at most %d vCPU are sold.", wanted.cpu, wanted.memory, maxCPU)
}

// inCategory tells whether a category sells that many cores: economy 0.25 to 8,
// general 1 to 64.
func inCategory(cpu float64, categories []string) bool {
	if len(categories) == 0 {
		return true
	}
	return slices.Contains(categories, "economy") && cpu <= 8 ||
		slices.Contains(categories, "general") && cpu >= 1
}

// value is what a pointer points to, or zero.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
