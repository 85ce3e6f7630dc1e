package translate

import (
	"math"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/cloudapi"
)

// resourceGPU is the resource under which a pod asks for graphics cards.
const resourceGPU corev1.ResourceName = "nvidia.com/gpu"

// share is an amount in thousandths of a core and of a GiB. All arithmetic is
// in whole numbers: 0.1 and 0.2 cores are 0.3, not a little more.
type share struct{ cpu, memory int64 }

func (s share) plus(o share) share { return share{s.cpu + o.cpu, s.memory + o.memory} }

func (s share) max(o share) share { return share{max(s.cpu, o.cpu), max(s.memory, o.memory)} }

// String reads "0.5 vCPU and 1 GiB".
func (s share) String() string {
	return thousandths(s.cpu) + " vCPU and " + thousandths(s.memory) + " GiB"
}

// containerShare is what a container may use, 0 for as much as the group has, and
// what the group must hold for it. The clouds know one number, which they enforce:
// the limit. A container without one has none on a kubelet either.
func (t *translation) containerShare(c *corev1.Container, path *field.Path) (may, need share) {
	path = path.Child("resources")
	may.cpu, need.cpu = t.oneResource(c, corev1.ResourceCPU, milliCores, path)
	may.memory, need.memory = t.oneResource(c, corev1.ResourceMemory, milliGiB, path)
	return may, need
}

func (t *translation) oneResource(
	c *corev1.Container, name corev1.ResourceName, measure func(resource.Quantity) int64, path *field.Path,
) (may, need int64) {
	limit, request := c.Resources.Limits[name], c.Resources.Requests[name]
	switch {
	case limit.Sign() > 0:
		t.rounded(path.Child("limits").Key(string(name)), name, limit, measure(limit))
		if request.Sign() > 0 && request.Cmp(limit) < 0 {
			t.changed(path.Child("requests").Key(string(name)), "the cloud knows one number, which is the limit", request.String(), limit.String())
		}
		return measure(limit), measure(limit)
	case t.podLimits(name):
		return 0, 0 // it may use what the pod may, which holds the request too
	}
	return 0, measure(request)
}

// rounded notes a quantity that is not a whole number of thousandths.
func (t *translation) rounded(path *field.Path, name corev1.ResourceName, q resource.Quantity, sold int64) {
	isCPU := name == corev1.ResourceCPU
	switch {
	case isCPU && q.Cmp(*resource.NewMilliQuantity(sold, resource.DecimalSI)) != 0:
		t.changed(path, "rounded up to a thousandth of a core", q.String(), thousandths(sold))
	case !isCPU && !isMilliGiB(q, sold):
		t.changed(path, "rounded up to a thousandth of a GiB", q.String(), thousandths(sold)+" GiB")
	}
}

// gpus counts the cards that a container asks for.
func gpus(c *corev1.Container) int {
	q, asked := c.Resources.Limits[resourceGPU]
	if !asked {
		q = c.Resources.Requests[resourceGPU]
	}
	return int(min(wholeBytes(q), math.MaxInt32))
}

// groupShare is what the group must hold: the sum of the containers, and each
// init container, which runs before them.
func groupShare(containers, initContainers []share) share {
	var sum share
	for _, s := range containers {
		sum = sum.plus(s)
	}
	for _, s := range initContainers {
		sum = sum.max(s)
	}
	return sum
}

// size rounds the group's need up to a size that is sold.
func (t *translation) size(need share) share {
	path := field.NewPath("spec", "containers")
	if need == (share{}) {
		sold := rowShare(t.limits.DefaultSize)
		t.changed(path, reasonDefaultSize, "no resources", sold.String())
		return sold
	}
	sold, ok := smallest(t.limits.Sizes, need)
	if !ok {
		t.refusef(path, "the containers ask for %s; the largest size sold is %s", need, largest(t.limits.Sizes))
		return need
	}
	if sold != need {
		t.changed(path, "rounded up to a size that is sold", need.String(), sold.String())
	}
	return sold
}

// smallest finds the first row, and in it the least memory, that holds need.
// Without a price list everything is sold.
func smallest(sizes []cloudapi.Size, need share) (share, bool) {
	for _, row := range sizes {
		cpu := fromFloat(row.CPU)
		if cpu < need.cpu {
			continue
		}
		for _, m := range row.Memory {
			if memory := fromFloat(m); memory >= need.memory {
				return share{cpu, memory}, true
			}
		}
	}
	return need, len(sizes) == 0
}

// largest is the last row with its last memory.
func largest(sizes []cloudapi.Size) share {
	row := sizes[len(sizes)-1]
	out := share{cpu: fromFloat(row.CPU)}
	for _, m := range row.Memory {
		out.memory = max(out.memory, fromFloat(m))
	}
	return out
}

// rowShare is a row with its least memory.
func rowShare(row cloudapi.Size) share {
	out := share{cpu: fromFloat(row.CPU)}
	if len(row.Memory) > 0 {
		out.memory = fromFloat(row.Memory[0])
	}
	return out
}

// maxAmount bounds quantities so that sums and products stay within 64 bits:
// a million million, far beyond any size that is sold.
const maxAmount = int64(1) << 40

// milliCores is a CPU quantity in thousandths of a core, rounded up.
func milliCores(q resource.Quantity) int64 {
	if q.Sign() <= 0 {
		return 0
	}
	if q.CmpInt64(maxAmount) >= 0 {
		return maxAmount * 1000
	}
	return q.MilliValue()
}

// wholeBytes is a quantity in whole units, rounded up.
func wholeBytes(q resource.Quantity) int64 {
	if q.Sign() <= 0 {
		return 0
	}
	return q.Value()
}

const (
	mebibyte = int64(1) << 20
	gibibyte = int64(1) << 30
)

func mebibytes(n int64) resource.Quantity {
	return *resource.NewQuantity(n*mebibyte, resource.BinarySI)
}

// milliGiB is a memory quantity in thousandths of a GiB, rounded up.
func milliGiB(q resource.Quantity) int64 {
	bytes := wholeBytes(q)
	return bytes/gibibyte*1000 + ceilDivide(bytes%gibibyte*1000, gibibyte)
}

func isMilliGiB(q resource.Quantity, sold int64) bool {
	bytes := wholeBytes(q)
	return q.CmpInt64(bytes) == 0 && bytes%gibibyte*1000%gibibyte == 0 && sold > 0
}

func ceilDivide(amount, unit int64) int64 {
	result := amount / unit
	if amount%unit > 0 {
		result++
	}
	return result
}

func fromFloat(v float64) int64 { return int64(math.Round(v * 1000)) }

func toFloat(milli int64) float64 { return float64(milli) / 1000 }

// thousandths writes 500 as 0.5 and 2000 as 2.
func thousandths(milli int64) string {
	return strconv.FormatFloat(toFloat(milli), 'f', -1, 64)
}
