package translate

import (
	"net"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// masterService is the service whose variables every container gets, even with
// enableServiceLinks: false.
const masterService = "kubernetes"

// serviceVariables makes the variables by which containers find services: the
// master service always, those of the pod's namespace if the pod wants links.
// A service of the namespace hides the master service of the same name.
func serviceVariables(pod *corev1.Pod, services []*corev1.Service, masterNamespace string) map[string]string {
	seen := map[string]*corev1.Service{}
	for _, s := range services {
		if s != nil && s.Namespace == masterNamespace && s.Name == masterService && reachable(s) {
			seen[s.Name] = s
		}
	}
	for _, s := range services {
		if s != nil && serviceLinks(pod) && s.Namespace == pod.Namespace && reachable(s) {
			seen[s.Name] = s
		}
	}
	vars := map[string]string{}
	for _, name := range sortedKeys(seen) {
		addServiceVariables(vars, seen[name])
	}
	return vars
}

// reachable tells whether a service has an address and ports to speak of.
func reachable(s *corev1.Service) bool {
	return s.Spec.ClusterIP != "" && s.Spec.ClusterIP != corev1.ClusterIPNone && len(s.Spec.Ports) > 0
}

func addServiceVariables(vars map[string]string, s *corev1.Service) {
	prefix, ip := variablePrefix(s.Name), s.Spec.ClusterIP
	vars[prefix+"_SERVICE_HOST"] = ip
	vars[prefix+"_SERVICE_PORT"] = portText(s.Spec.Ports[0].Port)
	for i, p := range s.Spec.Ports {
		if p.Name != "" {
			vars[prefix+"_SERVICE_PORT_"+variablePrefix(p.Name)] = portText(p.Port)
		}
		protocol := p.Protocol
		if protocol == "" {
			protocol = corev1.ProtocolTCP
		}
		lower := strings.ToLower(string(protocol))
		url := lower + "://" + net.JoinHostPort(ip, portText(p.Port))
		if i == 0 {
			vars[prefix+"_PORT"] = url
		}
		link := prefix + "_PORT_" + portText(p.Port) + "_" + strings.ToUpper(string(protocol))
		vars[link] = url
		vars[link+"_PROTO"] = lower
		vars[link+"_PORT"] = portText(p.Port)
		vars[link+"_ADDR"] = ip
	}
}

func variablePrefix(name string) string {
	return strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

func portText(port int32) string { return strconv.Itoa(int(port)) }
