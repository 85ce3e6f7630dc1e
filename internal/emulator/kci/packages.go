package kci

// sizePackage is one standard size: cores with the memory sizes, GiB, sold with
// them, smallest first.
type sizePackage struct {
	CPU    float64   `json:"Cpu"`
	Memory []float64 `json:"Mem"`
}

// packages are the standard sizes, smallest first. Kingsoft publishes its own
// only through DescribeKciPackages, so these are chosen to agree with every
// public word on them: 2.5 cores may become 4 and 3 GiB may become 4 (SDKs'
// notes); 2 cores with 4 GiB exist, and 2 cores are the fewest to be had with 8
// GiB (Kingsoft's page on the sizes of KCI pods); the ends are 256 cores and 512
// GiB. All are whole numbers, since the Go and Java SDKs read a group's Cpu and
// Memory into integers.
var packages = []sizePackage{
	{1, []float64{1, 2, 4}},
	{2, []float64{2, 4, 8, 16}},
	{4, []float64{4, 8, 16, 32}},
	{8, []float64{8, 16, 32, 64}},
	{16, []float64{16, 32, 64, 128}},
	{32, []float64{32, 64, 128, 256}},
	{64, []float64{64, 128, 256, 512}},
	{128, []float64{128, 256, 512}},
	{256, []float64{256, 512}},
}

// standardSize rounds a request up to the smallest package that holds it: the
// fewest cores that do, then the least memory. Kingsoft's page on the sizes of
// KCI pods describes the same order. cpu and memory are within the maxima.
func standardSize(cpu, memory float64) (float64, float64) {
	for _, p := range packages {
		if p.CPU < cpu {
			continue
		}
		for _, m := range p.Memory {
			if m >= memory {
				return p.CPU, m
			}
		}
	}
	return maxCPU, maxMemory
}

// packagesAnswer answers DescribeKciPackages.
type packagesAnswer struct {
	answerHead
	Packages []sizePackage `json:"Packages"`
}

// readPackages reads DescribeKciPackages. Every package is sold in every zone
// and for both ways to pay.
func readPackages(s *Server, r *reader, n *node) func(*call) (answer, *apiError) {
	r.oneOf(n, "ChargeType", "", chargeHourly, chargeSpot)
	r.oneOf(n, "KciType", "", kciTypeRBKCI)
	r.oneOf(n, "AvailabilityZone", "", s.options.Zones...)
	return func(*call) (answer, *apiError) {
		return &packagesAnswer{Packages: packages}, nil
	}
}
