package kci

import (
	"sort"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// The small actions that only the SDKs have.

// regionAnswer is an element of Regions.
type regionAnswer struct {
	Region            string   `json:"Region"`
	RegionName        string   `json:"RegionName"`
	AvailabilityZones []string `json:"AvailabilityZones"`
}

// regionsAnswer answers DescribeRegions.
type regionsAnswer struct {
	answerHead
	Regions []regionAnswer `json:"Regions"`
}

// readRegions reads DescribeRegions; the server is one region's.
func readRegions(s *Server, _ *reader, _ *node) func(*call) (answer, *apiError) {
	return func(*call) (answer, *apiError) {
		code := s.options.Region
		only := regionAnswer{code, regionOf(code).name, s.options.Zones}
		return &regionsAnswer{Regions: []regionAnswer{only}}, nil
	}
}

// eventsAnswer answers DescribeContainerGroupEvents.
type eventsAnswer struct {
	answerHead
	Events []eventAnswer `json:"Events"`
}

// readEvents reads DescribeContainerGroupEvents.
func readEvents(s *Server, r *reader, n *node) func(*call) (answer, *apiError) {
	id := r.required(n, "ContainerGroupId")
	return func(*call) (answer, *apiError) {
		group, err := s.options.Groups.Get(id)
		if err != nil {
			return nil, failure(err, id, "")
		}
		return &eventsAnswer{Events: eventAnswers(group.Events)}, nil
	}
}

// clusterLabel is the label by which groups are counted.
const clusterLabel = "cluster-id"

// countAnswer is an element of ClusterPodCounts.
type countAnswer struct {
	ClusterID string `json:"ClusterId"`
	Count     int    `json:"Count"`
}

// countsAnswer answers DescribeContainerGroupCount.
type countsAnswer struct {
	answerHead
	ClusterPodCounts []countAnswer `json:"ClusterPodCounts"`
}

// readCount reads DescribeContainerGroupCount, where Label is no list. Without
// values, all clusters are counted.
func readCount(s *Server, r *reader, n *node) func(*call) (answer, *apiError) {
	label := n.child("Label")
	r.oneOf(label, "Key", clusterLabel, clusterLabel)
	clusters := r.nonEmptyTexts(r.list(label, "Value"))
	return func(*call) (answer, *apiError) {
		counts := map[string]int{}
		for _, group := range s.options.Groups.List(nil) {
			if cluster, ok := labelOf(&group, clusterLabel); ok {
				counts[cluster]++
			}
		}
		return &countsAnswer{ClusterPodCounts: countAnswers(counts, clusters)}, nil
	}
}

func countAnswers(counts map[string]int, clusters []string) []countAnswer {
	if len(clusters) == 0 {
		for cluster := range counts {
			clusters = append(clusters, cluster)
		}
		sort.Strings(clusters)
	}
	answers := []countAnswer{}
	for _, cluster := range clusters {
		answers = append(answers, countAnswer{cluster, counts[cluster]})
	}
	return answers
}

func labelOf(g *engine.Group, name string) (string, bool) {
	for _, tag := range g.Tags {
		if tag.Name == name {
			return tag.Value, true
		}
	}
	return "", false
}
